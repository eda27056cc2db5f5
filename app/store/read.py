"""Reads published runs: each question a method, answered by key, with no arithmetic."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Row
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.absences import NothingPublished, UnknownNode, UnknownRun
from app.store import tables
from app.store.keys import KEYS, attributes_of
from app.store.selection import PublishedRun, Selection
from app.store.session import allow_seconds, seen_by
from forecasting.hierarchy import Level, level_name, parse_level
from forecasting.months import Month

type NodeKey = tuple[str, ...]
"""A node within its level: the values of what the level names, in serving order."""

_ROWS_IN_MEMORY = 500
_SECONDS_OF_EXPORTS = 3_600.0  # of one fetch, for as long as the reader takes


@dataclass(frozen=True, slots=True)
class Node:
    """A node's keys, None where it sums over one, and the values of the attributes that its level names."""

    organization: str | None
    customer: str | None
    material: str | None
    attributes: tuple[str, ...] = ()

    def within(self, level: Level) -> NodeKey:
        """What tells the node from the others of its level."""
        return (*(getattr(self, key) for key in level if key in KEYS), *self.attributes)


@dataclass(frozen=True, slots=True)
class NodeForecast:
    """The months of one node, in the order of `Selection.months`.

    Each row of `numbers` is a month: its mean, then the quantiles in the order asked for.
    """

    node: Node
    numbers: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some rows, and the key after which the next page begins, None when there is no more."""

    rows: list[T]
    after: NodeKey | None


@contextmanager
def reading(engine: Engine, organizations: frozenset[str] | None = None) -> Iterator["Reader"]:
    """A reader that sees one state of the database, whatever is published meanwhile.

    With organizations it sees their nodes only, and none that sums over others.
    """
    with seen_by(engine, organizations) as connection:
        yield Reader(connection)


class Reader:
    """Answers questions about published runs within one transaction; get one from `reading`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current_run(self) -> PublishedRun:
        """The run that is shown; raises `NothingPublished` before the first."""
        found = self._connection.execute(
            shown_runs().join(tables.current_run, tables.current_run.c.run_id == tables.run.c.id)
        ).one_or_none()
        if found is None:
            raise NothingPublished
        return published_run(found)

    def run(self, run_id: str) -> PublishedRun:
        """The run with this id; raises `UnknownRun`, also for one that was never shown."""
        found = self._connection.execute(shown_runs().where(tables.run.c.id == run_id)).one_or_none()
        if found is None:
            raise UnknownRun(run_id)
        return published_run(found)

    def nodes(self, selection: Selection, limit: int, after: NodeKey | None = None) -> Page[Node]:
        """A page of nodes, sorted by their keys; raises `UnknownNode` for a value that no node has."""
        question = _nodes(selection, after).where(_held(selection)).limit(limit + 1)
        return self._page(selection, [_node(row) for row in self._connection.execute(question)], limit, after)

    def forecasts(self, selection: Selection, limit: int, after: NodeKey | None = None) -> Page[NodeForecast]:
        """A page of forecasts, sorted by their nodes' keys; raises `UnknownNode` like `nodes`."""
        rows = self._connection.execute(_forecasts(selection, after).limit(limit + 1))
        return self._page(selection, list(_read(selection, rows)), limit, after)

    def stream(self, selection: Selection, after: NodeKey | None = None) -> Iterator[NodeForecast]:
        """Every forecast selected, sorted like `forecasts`, in memory that does not grow with them.

        Raises `UnknownNode` at once, not at the first row.
        """
        self._refuse_unknown(selection)
        allow_seconds(self._connection, _SECONDS_OF_EXPORTS)
        rows = self._connection.execute(
            _forecasts(selection, after), execution_options={"yield_per": _ROWS_IN_MEMORY}
        )
        return _read(selection, rows)

    def _page[T: (Node, NodeForecast)](
        self, selection: Selection, rows: list[T], limit: int, after: NodeKey | None
    ) -> Page[T]:
        if not rows and after is None:
            self._refuse_unknown(selection)
        if len(rows) <= limit:
            return Page(rows, None)
        last = rows[limit - 1]
        node = last if isinstance(last, Node) else last.node
        return Page(rows[:limit], node.within(selection.level))

    def _refuse_unknown(self, selection: Selection) -> None:
        """Tell a value that the level does not know from known values that never meet."""
        level = level_name(selection.level)
        for key, value in selection.where.items():
            known = sa.select(tables.node.c.id).where(
                tables.node.c.level == level, _column(selection.level, key) == value, _held(selection)
            )
            if self._connection.scalar(known.limit(1)) is None:
                raise UnknownNode(key, value, level)


def shown_runs() -> sa.Select[tuple[object, ...]]:
    """Runs that were shown, now or before; one that was only recorded is nobody's to see."""
    run = tables.run.c
    return sa.select(*(run[field.name] for field in fields(PublishedRun))).where(
        run.published_at.is_not(None)
    )


def published_run(row: Row[tuple[object, ...]]) -> PublishedRun:
    """A row of the table of runs."""
    facts = row._asdict()
    facts["origin"] = Month.of(facts["origin"])
    facts["levels"] = tuple(parse_level(level) for level in facts["levels"])
    facts["probabilities"] = tuple(facts["probabilities"])
    return PublishedRun(**facts)


def _node(row: Row[tuple[object, ...]]) -> Node:
    return Node(row.organization, row.customer, row.material, tuple(row.attributes))


def _read(selection: Selection, rows: sa.Result[tuple[object, ...]]) -> Iterator[NodeForecast]:
    held = selection.run.probabilities
    if selection.probabilities == held:
        yield from (NodeForecast(_node(row), row.numbers) for row in rows)
        return
    picks = [0, *(1 + held.index(probability) for probability in selection.probabilities)]
    for row in rows:
        yield NodeForecast(_node(row), [[month[pick] for pick in picks] for month in row.numbers])


def _nodes(selection: Selection, after: NodeKey | None) -> sa.Select[tuple[object, ...]]:
    """Nodes of the level, in order, from the key after `after`: a walk along the unique index."""
    node = tables.node.c
    question = (
        sa.select(node.organization, node.customer, node.material, node.attributes)
        .where(node.level == level_name(selection.level))
        .where(*(node[key].is_(None) for key in KEYS if key not in selection.level))
        .where(*(_column(selection.level, key) == value for key, value in selection.where.items()))
        .order_by(*(node[key] for key in KEYS), node.attributes)
    )
    if after:
        question = question.where(_following(selection.level, after))
    return question


def _following(level: Level, after: NodeKey) -> sa.ColumnElement[bool]:
    """Whether a node of the level comes after another in serving order."""
    keys = [tables.node.c[key] for key in level if key in KEYS]
    values: list[sa.ColumnElement[object]] = [sa.literal(value) for value in after[: len(keys)]]
    if len(keys) < len(level):
        keys.append(tables.node.c.attributes)
        values.append(sa.literal(list(after[len(values) :]), tables.node.c.attributes.type))
    return sa.tuple_(*keys) > sa.tuple_(*values)


def _column(level: Level, name: str) -> sa.ColumnElement[str]:
    """Where nodes of the level keep a key or an attribute."""
    if name in KEYS:
        return tables.node.c[name]
    return tables.node.c.attributes[1 + attributes_of(level).index(name)]


def _held(selection: Selection) -> sa.ColumnElement[bool]:
    """Whether the run has the node: then it has it in every month."""
    forecast = tables.forecast.c
    return sa.exists().where(
        forecast.run_id == selection.run.id,
        forecast.node_id == tables.node.c.id,
        forecast.month == selection.run.first.first_day,
    )


def _forecasts(selection: Selection, after: NodeKey | None) -> sa.Select[tuple[object, ...]]:
    """The nodes with an array of their months, looked up by key node for node, so that it streams."""
    forecast = tables.forecast.c
    month = sa.func.array_prepend(forecast.mean, forecast.quantiles)
    months = (
        sa.select(sa.func.array_agg(aggregate_order_by(month, forecast.month)).label("numbers"))
        .where(
            forecast.run_id == selection.run.id,
            forecast.node_id == tables.node.c.id,
            forecast.month.between(selection.first.first_day, selection.last.first_day),
        )
        .lateral("months")
    )
    return (
        _nodes(selection, after)
        .add_columns(months.c.numbers)
        .join(months, sa.true())
        .where(months.c.numbers.is_not(None))
    )
