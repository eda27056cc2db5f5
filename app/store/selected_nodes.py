"""The nodes of a selection with the numbers under which their rows are stored: by page or slice by slice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from app.store import tables
from app.store.forecasts import ranked_question
from app.store.keys import KEYS
from app.store.nodes import Place, held, nodes_question
from app.store.selection import Selection


@dataclass(frozen=True, slots=True)
class NodeSlice:
    """Some nodes: the numbers under which their rows are stored, and what they are called.

    `names` has a column for each key, None where the nodes sum over it, and for each attribute of the level.
    """

    ids: Sequence[int]
    names: Sequence[Sequence[str | None]]


def id_slices(
    connection: Connection, selection: Selection, size: int, after: Place | None = None
) -> Iterator[Sequence[int]]:
    """The numbers of all nodes of a selection in its order, so many at a time.

    Other questions may be asked in between.
    """
    question = _question(selection, after).with_only_columns(tables.node.c.id)
    with connection.execute(question, execution_options={"yield_per": size}) as rows:
        yield from rows.scalars().partitions()


def node_slices(
    connection: Connection, selection: Selection, size: int, after: Place | None = None
) -> Iterator[NodeSlice]:
    """The same, with what the nodes are called."""
    question = _named(_question(selection, after), selection)
    with connection.execute(question, execution_options={"yield_per": size}) as rows:
        for some in rows.partitions():
            ids, *names = zip(*some, strict=True)
            yield NodeSlice(ids, names)


def node_page(
    connection: Connection, selection: Selection, limit: int, after: Place | None = None
) -> tuple[NodeSlice, Place | None]:
    """A page of them, and the place after which the next begins, None when there is no more."""
    question = _question(selection, after, limit + 1)
    named = _named(question, selection)
    if selection.sort != "nodes":
        named = named.add_columns(question.selected_columns["total"])
    rows: list[tuple[Any, ...]] = [tuple(row) for row in connection.execute(named)]
    width = 1 + len(KEYS) + len(selection.attributes)
    ids, *names = zip(*(row[:width] for row in rows[:limit]), strict=True) if rows else ((),) * width
    if len(rows) <= limit:
        return NodeSlice(ids, names), None
    last = rows[limit - 1]
    key = tuple(name for name in last[1:width] if name is not None)
    return NodeSlice(ids, names), Place(selection.level, key, *last[width:])


def count(connection: Connection, selection: Selection, most: int | None = None) -> int:
    """How many nodes a selection has; counts up to `most`."""
    nodes = nodes_question(selection).where(held(selection.run)).order_by(None).limit(most).subquery()
    return int(connection.scalar(sa.select(sa.func.count()).select_from(nodes)) or 0)


def _question(
    selection: Selection, after: Place | None, limit: int | None = None
) -> sa.Select[tuple[object, ...]]:
    if selection.sort != "nodes":
        return ranked_question(selection, after, limit)
    question = nodes_question(selection, None if after is None else after.key)
    return question.add_columns(tables.node.c.id).where(held(selection.run)).limit(limit)


def _named(question: sa.Select[tuple[object, ...]], selection: Selection) -> sa.Select[tuple[object, ...]]:
    node = tables.node.c
    attributes = (node.attributes[1 + at] for at in range(len(selection.attributes)))
    return question.with_only_columns(node.id, *(node[key] for key in KEYS), *attributes)
