"""Finds nodes of published runs: by level and filter, by part of a name, and from one to those around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from app.absences import NodeNotInRun, UnknownNode
from app.refusals import NotDividedBy
from app.store import tables
from app.store.keys import KEYS, attributes_of, canonical
from app.store.node_id import Node, NodeId, NodeKey
from app.store.selection import PublishedRun, Selection, find_level, select_from
from forecasting.hierarchy import Level, level_name

_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the level and key of its last node, and its total where pages are sorted by it."""

    level: Level
    key: NodeKey
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some rows, and the place after which the next page begins, None when there is no more."""

    rows: list[T]
    after: Place | None


def node_of(row: Row[tuple[object, ...]]) -> Node:
    """A row of the table of nodes."""
    return Node(row.organization, row.customer, row.material, tuple(row.attributes))


def nodes_question(selection: Selection, after: NodeKey | None = None) -> sa.Select[tuple[object, ...]]:
    """Nodes of the level, in serving order, from the key after `after`: a walk along the unique index."""
    node = tables.node.c
    question = (
        sa.select(node.organization, node.customer, node.material, node.attributes)
        .where(node.level == level_name(selection.level))
        .where(*(node[key].is_(None) for key in KEYS if key not in selection.level))
        .where(*(_among(selection.level, key, values) for key, values in selection.where.items()))
        .where(*_within(selection), *_searched(selection))
        .order_by(*serving_order(tables.node))
    )
    if after is not None:
        question = question.where(following(tables.node, selection.level, after))
    return question


def serving_order(nodes: sa.FromClause) -> list[sa.ColumnElement[object]]:
    """What nodes of one level are sorted by: columns of the table of nodes, or of rows drawn from it."""
    return [*(nodes.c[key] for key in KEYS), nodes.c.attributes]


def following(nodes: sa.FromClause, level: Level, after: NodeKey) -> sa.ColumnElement[bool]:
    """Whether a node of the level comes after another in serving order; after the total comes none."""
    keys = [nodes.c[key] for key in level if key in KEYS]
    values: list[sa.ColumnElement[object]] = [sa.literal(value) for value in after[: len(keys)]]
    if len(keys) < len(level):
        keys.append(nodes.c.attributes)
        values.append(_attributes(after[len(values) :]))
    return sa.tuple_(*keys) > sa.tuple_(*values) if keys else sa.false()


def held(run: PublishedRun) -> sa.ColumnElement[bool]:
    """Whether the run has the node: then it has it in every month."""
    forecast = tables.forecast.c
    return sa.exists().where(
        forecast.run_id == run.id,
        forecast.node_id == tables.node.c.id,
        forecast.month == run.first.first_day,
    )


def refuse_unknown(connection: Connection, selections: Sequence[Selection]) -> None:
    """Tell values that no level knows from known values that never meet: raise `UnknownNode`."""
    unknown = [_unknown(connection, selection) for selection in selections]
    if unknown and all(unknown):
        level = level_name(selections[0].level)
        key, (value, *others) = next(iter(unknown[0].items()))
        raise UnknownNode(key, value, level, *others)


def _unknown(connection: Connection, selection: Selection) -> dict[str, list[str]]:
    """The values of a filter that no node of the level has, for the first filter that has such."""
    for key, values in selection.where.items():
        asked = sa.func.unnest(sa.literal(list(values), tables.node.c.attributes.type)).column_valued("asked")
        known = sa.exists().where(
            tables.node.c.level == level_name(selection.level),
            _column(selection.level, key) == asked,
            *_within(selection),
            held(selection.run),
        )
        unknown = connection.scalars(sa.select(asked).where(~known)).all()
        if unknown:
            return {key: [str(value) for value in unknown]}
    return {}


def find_node(connection: Connection, run: PublishedRun, node: NodeId) -> int:
    """The number under which a node's rows are stored; raises `UnknownLevel` and `NodeNotInRun`."""
    find_level(run, level_name(node.level))
    found = connection.scalar(sa.select(tables.node.c.id).where(*_is(node), held(run)))
    if found is None:
        raise NodeNotInRun(str(node), run.id)
    return int(found)


def walk(
    connection: Connection,
    selections: Sequence[Selection],
    limit: int,
    after: Place | None,
) -> Page[NodeId]:
    """A page of the nodes of some levels, one level after the other, each in serving order."""
    found: list[NodeId] = []
    levels = [selection.level for selection in selections]
    begin = levels.index(after.level) if after is not None and after.level in levels else 0
    for selection in selections[begin:]:
        key = after.key if after is not None and after.level == selection.level else None
        question = nodes_question(selection, key).where(held(selection.run))
        rows = connection.execute(question.limit(limit + 1 - len(found)))
        found += [NodeId(selection.level, node_of(row).within(selection.level)) for row in rows]
        if len(found) > limit:
            last = found[limit - 1]
            return Page(found[:limit], Place(last.level, last.values))
    return Page(found, None)


def path(connection: Connection, run: PublishedRun, node: NodeId, levels: Sequence[Level]) -> list[NodeId]:
    """Every node at these levels that a node counts towards, from the top down, itself the last.

    They are those of levels that name nothing that its level does not name. Raises like `find_node`.
    """
    find_node(connection, run, node)
    above = [node.up_to(level) for level in levels if set(level) < set(node.level)]
    seen = [
        sa.select(sa.literal(place).label("place")).select_from(tables.node).where(*_is(each), held(run))
        for place, each in enumerate(above)
    ]
    places = sorted(connection.scalars(sa.union_all(*seen))) if seen else []
    return [*(above[place] for place in places), node]


def children_of(run: PublishedRun, node: NodeId, by: str | None) -> list[Selection]:
    """The nodes below a node at the next finer levels, or at the next that name `by`.

    A level is finer if it names all that the node's does, and more; it is next if none lies between. Raises
    `NotDividedBy` if no level divides the node so.
    """
    below = levels_below(run, node.level, by)
    if by is not None and not below:
        raise NotDividedBy(str(node), by, divisions(run, node.level))
    return [select_from(run, level=level_name(level), where=node.where) for level in below]


def levels_below(run: PublishedRun, level: Level, by: str | None = None) -> list[Level]:
    """The next finer levels of a run, or the next that name `by`, from the top down."""
    if by in level:
        return []
    finer = [other for other in run.levels if set(level) < set(other) and (by is None or by in other)]
    return [each for each in finer if not any(set(other) < set(each) for other in finer)]


def divisions(run: PublishedRun, level: Level) -> Level:
    """The keys and attributes by which nodes of a level can be divided."""
    finer = (other for other in run.levels if set(level) < set(other))
    return canonical({name for other in finer for name in other if name not in level})


def _within(selection: Selection) -> list[sa.ColumnElement[bool]]:
    """Whether the asker may be told of a node."""
    scope = selection.scope
    return [] if scope is None else [tables.node.c.organization.in_(sorted(scope))]


def _searched(selection: Selection) -> list[sa.ColumnElement[bool]]:
    return [] if selection.search is None else [_has(selection.search)]


def _among(level: Level, key: str, values: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a node has one of these values."""
    column = _column(level, key)
    if len(values) == 1:
        return column == values[0]
    return column == sa.any_(sa.literal(list(values), tables.node.c.attributes.type))


def _column(level: Level, name: str) -> sa.ColumnElement[str]:
    """Where nodes of the level keep a key or an attribute."""
    if name in KEYS:
        return tables.node.c[name]
    return tables.node.c.attributes[1 + attributes_of(level).index(name)]


def _is(node: NodeId) -> list[sa.ColumnElement[bool]]:
    """What is true of this node alone, column by column of the unique index."""
    where: Mapping[str, str] = node.where
    return [
        tables.node.c.level == level_name(node.level),
        *(tables.node.c[key] == where[key] if key in where else tables.node.c[key].is_(None) for key in KEYS),
        tables.node.c.attributes == _attributes(node.node.attributes),
    ]


def _attributes(values: Sequence[str]) -> sa.ColumnElement[object]:
    return sa.literal(list(values), tables.node.c.attributes.type)


def _has(search: str) -> sa.ColumnElement[bool]:
    """Whether one of the node's values has a text in it, by the database's own small letters."""
    node = tables.node.c
    values = sa.func.concat_ws(
        _BETWEEN, *(node[key] for key in KEYS), sa.func.array_to_string(node.attributes, _BETWEEN)
    )
    # The columns sort by bytes, and by that collation only the letters of ASCII have a small form.
    small = sa.func.lower(sa.collate(values, "default"))
    return sa.func.strpos(small, sa.func.lower(sa.collate(sa.literal(search), "default"))) > 0
