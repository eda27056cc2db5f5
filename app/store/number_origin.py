"""Where a number of a run comes from, as far as the serving tables know: node, run, snapshot, months."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from app.absences import NoHistory, UnknownNode
from app.store import tables
from app.store.asked_nodes import nodes_asked
from app.store.keys import KEYS
from app.store.node_id import Node
from app.store.read import Reader
from app.store.run_records import RecordedRun, as_published
from app.store.selection import Selection, select_from
from app.store.snapshots import KeptSnapshot, read_snapshot
from forecasting.hierarchy import level_name
from forecasting.months import Month


@dataclass(frozen=True)
class NumberOrigin:
    """A number of a node in a month, and what it comes from, in the run's unit.

    `mean` and `quantiles` are what was forecast; in a month of history `mean` is None and `bought` what was
    bought in it. `history` are the months from `history_first` that the forecast learned from, None where
    the run did not keep them.
    """

    run: RecordedRun
    selection: Selection
    node: Node
    month: Month
    mean: float | None
    quantiles: tuple[float, ...]
    bought: float | None
    history_first: Month | None
    history: tuple[float, ...] | None
    snapshot: KeptSnapshot


def number_origin(
    connection: Connection, run: RecordedRun, where: dict[str, str], month: Month
) -> NumberOrigin:
    """Walk the number of a node and a month back; `where` without anything is the total.

    Raises `UnknownLevel`, `UnknownNode`, `OutsideRun` for a month after the run's last, `NoHistory`.
    """
    ahead = month > run.origin
    at = month if ahead else None
    selection = select_from(as_published(run), level=level_name(tuple(where)), where=where, first=at, last=at)
    rows = Reader(connection).forecasts(selection, 1).rows
    if not rows:
        key = next(iter(where), "level")
        raise UnknownNode(key, where.get(key, "total"), level_name(selection.level))
    history = _history(connection, selection)
    numbers: Sequence[float] = rows[0].numbers[0] if ahead else ()
    bought = None
    if not ahead:
        first = run.panel_first
        if history is None or first is None or month < first:
            raise NoHistory(run.id, str(month))
        bought = history[month - first]
    snapshot = read_snapshot(connection, run.snapshot)
    assert snapshot is not None  # this run was made from it
    return NumberOrigin(
        run=run,
        selection=selection,
        node=rows[0].node,
        month=month,
        mean=numbers[0] if ahead else None,
        quantiles=tuple(numbers[1:]),
        bought=bought,
        history_first=None if history is None else run.panel_first,
        history=history,
        snapshot=snapshot,
    )


def _history(connection: Connection, selection: Selection) -> tuple[float, ...] | None:
    """What the selection's one node had bought, month by month."""
    node, history = tables.node.c, tables.history.c
    quantity = connection.scalar(
        sa.select(history.quantity)
        .join_from(tables.node, tables.history, history.node_id == node.id)
        .where(
            history.run_id == selection.run.id,
            *nodes_asked(selection),
            *(node[key].is_(None) for key in KEYS if key not in selection.level),
        )
    )
    return None if quantity is None else tuple(quantity)
