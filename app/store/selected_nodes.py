"""The nodes of a selection with the numbers under which their rows are stored: by page or slice by slice."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from app.store import tables
from app.store.forecasts import ranked_question
from app.store.node_id import Node
from app.store.nodes import Page, Place, held, node_of, nodes_question
from app.store.selection import Selection


@dataclass(frozen=True, slots=True)
class StoredNode:
    """A node, and the number under which its rows are stored."""

    id: int
    node: Node


def node_slices(
    connection: Connection, selection: Selection, size: int, after: Place | None = None
) -> Iterator[list[StoredNode]]:
    """All nodes of a selection in its order, so many at a time; other questions may be asked in between."""
    rows = connection.execute(_question(selection, after), execution_options={"yield_per": size})
    with rows:
        for some in rows.partitions():
            yield [StoredNode(row.id, node_of(row)) for row in some]


def node_page(
    connection: Connection, selection: Selection, limit: int, after: Place | None = None
) -> Page[StoredNode]:
    """A page of them."""
    rows = connection.execute(_question(selection, after, limit + 1)).all()
    page = [StoredNode(row.id, node_of(row)) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(page, None)
    total = None if selection.sort == "nodes" else rows[limit - 1].total
    return Page(page, Place(selection.level, page[-1].node.within(selection.level), total))


def count_nodes(connection: Connection, selection: Selection, most: int) -> int:
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
