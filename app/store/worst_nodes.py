"""The nodes at which the forecasts lost most tonnes, from what was said and what then came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from app.store import tables
from app.store.asked_nodes import nodes_asked, sum_in_order
from app.store.find_run import published_run, shown_runs
from app.store.keys import KEYS
from app.store.node_id import Node
from app.store.selection import PublishedRun, Selection
from forecasting.hierarchy import level_name
from forecasting.months import Month

WINDOW, MOST_MONTHS = 12, 24


@dataclass(frozen=True)
class NodeError:
    """What a node lost over the months scored, in the run's unit.

    `lost` sums absolute errors of the median (of the mean where a run has none), `error` the mean less what
    came; `demand` is the sum of absolute actual values, `said` of the means.
    """

    node: Node
    lost: float
    error: float
    said: float
    demand: float


@dataclass(frozen=True)
class WorstNodes:
    """`nodes` with the most lost first; `months` are those that were scored, `runs` those that spoke of them.

    A month is scored by the last run that was shown of the origin that lies `lead` months before.
    """

    months: tuple[Month, ...]
    runs: tuple[str, ...]
    nodes: tuple[NodeError, ...]


def worst_nodes(
    connection: Connection,
    selection: Selection,
    *,
    lead: int,
    first: Month | None,
    last: Month | None,
    limit: int,
) -> WorstNodes:
    """Nodes of a level, by what forecasts of `lead` months before have lost in the months that came.

    The run of the selection tells what came: up to its origin where there is no `last`, in `WINDOW` months
    where there is no `first`, in `MOST_MONTHS` at most. A node that a run does not have counts as forecast at
    zero, one that has no history as having bought nothing.
    """
    teller = selection.run
    panel_first = connection.scalar(sa.select(tables.run.c.panel_first).where(tables.run.c.id == teller.id))
    last = teller.origin if last is None else min(last, teller.origin)
    if panel_first is None or last < Month.of(panel_first):
        return WorstNodes((), (), ())
    # Years have an end below: months are subtracted as numbers.
    asked = last.ordinal - (WINDOW - 1) if first is None else first.ordinal
    earliest = max(asked, last.ordinal - (MOST_MONTHS - 1), Month.of(panel_first).ordinal)
    if earliest > last.ordinal:
        return WorstNodes((), (), ())
    first = Month.from_ordinal(earliest)
    scored = _scored(connection, selection, lead, first, last)
    if not scored:
        return WorstNodes((), (), ())
    question = _question(selection, scored, lead, Month.of(panel_first)).limit(limit)
    nodes = tuple(
        NodeError(
            Node(row.organization, row.customer, row.material, tuple(row.attributes)),
            row.lost,
            row.error,
            row.said,
            row.demand,
        )
        for row in connection.execute(question)
    )
    return WorstNodes(tuple(run.origin + lead for run in scored), tuple(run.id for run in scored), nodes)


def _scored(
    connection: Connection, selection: Selection, lead: int, first: Month, last: Month
) -> list[PublishedRun]:
    """The last run shown of each origin that lies `lead` before a month, where it has level and month."""
    run = tables.run.c
    question = shown_runs().where(
        run.origin.between((first - lead).first_day, (last - lead).first_day),
        run.horizon >= lead,
        sa.literal(level_name(selection.level)) == sa.any_(run.levels),
    )
    found = connection.execute(question.order_by(run.origin, run.published_at, run.id))
    return list({each.origin: each for each in map(published_run, found)}.values())


def _question(
    selection: Selection, scored: Sequence[PublishedRun], lead: int, panel_first: Month
) -> sa.Select[Any]:
    """Nodes with their sums; what was said and what came are looked up by key, node for node."""
    node, forecast, history = tables.node.c, tables.forecast.c, tables.history.c
    pair = sa.values(
        sa.column("run_id", sa.Text),
        sa.column("month", sa.Date),
        sa.column("place", sa.Integer),
        sa.column("median", sa.Integer),
        name="pair",
    ).data(
        [
            (run.id, (run.origin + lead).first_day, run.origin + lead - panel_first + 1, _median(run))
            for run in scored
        ]
    )
    actual = sa.func.coalesce(history.quantity[pair.c.place], 0.0)
    mean = sa.func.coalesce(forecast.mean, 0.0)
    # An array has nothing at place 0.
    middle = sa.func.coalesce(forecast.quantiles[pair.c.median], forecast.mean, 0.0)
    lost = sum_in_order(sa.func.abs(middle - actual), pair.c.month)
    return (
        sa.select(
            *(node[key] for key in KEYS),
            node.attributes,
            lost.label("lost"),
            sum_in_order(mean - actual, pair.c.month).label("error"),
            sum_in_order(mean, pair.c.month).label("said"),
            sum_in_order(sa.func.abs(actual), pair.c.month).label("demand"),
        )
        .join_from(tables.node, pair, sa.true())
        .join(
            tables.forecast,
            sa.and_(
                forecast.run_id == pair.c.run_id,
                forecast.node_id == node.id,
                forecast.month == pair.c.month,
            ),
            isouter=True,
        )
        .join(
            tables.history,
            sa.and_(history.run_id == selection.run.id, history.node_id == node.id),
            isouter=True,
        )
        .where(
            *nodes_asked(selection),
            sa.or_(forecast.node_id.is_not(None), history.node_id.is_not(None)),
        )
        .group_by(node.id)
        .order_by(lost.desc(), node.id)
    )


def _median(run: PublishedRun) -> int:
    return 1 + run.probabilities.index(0.5) if 0.5 in run.probabilities else 0
