"""The nodes that changed most between two runs, over the months that both forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.store import insight_tables, tables
from app.store.asked_nodes import nodes_asked, sum_in_order
from app.store.keys import KEYS
from app.store.node_id import Node
from app.store.run_changes import KeptCauses
from app.store.selection import PublishedRun, Selection
from forecasting.months import Month, months_from


@dataclass(frozen=True)
class Changed:
    """Tonnes of a node, or of many together, in two runs, month by month in the runs' unit.

    `causes` has a row of months for each cause: by how much it moved the node; None where nobody kept why.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    causes: Mapping[str, tuple[float, ...]] | None

    @property
    def change(self) -> tuple[float, ...]:
        """What the later run says more, month by month."""
        return tuple(now - was for was, now in zip(self.before, self.after, strict=True))


@dataclass(frozen=True)
class NodeChanged:
    """One node and what became of it."""

    node: Node
    changed: Changed


@dataclass(frozen=True)
class RunsCompared:
    """`nodes` are those that changed most, the largest change over all `months` first.

    `all` is the sum over every node that was asked for, and `changed_nodes` counts those with other numbers.
    """

    months: tuple[Month, ...]
    all: Changed
    changed_nodes: int
    nodes: tuple[NodeChanged, ...]


def common_months(before: PublishedRun, after: PublishedRun) -> tuple[Month, ...]:
    """The months that both runs forecast, perhaps none."""
    first, last = max(before.first, after.first), min(before.last, after.last)
    return tuple(months_from(first, last - first + 1)) if first <= last else ()


def compare(
    connection: Connection,
    before: PublishedRun,
    selection: Selection,
    causes: KeptCauses | None,
    limit: int,
) -> RunsCompared:
    """Nodes of a selection of the later run, and those that only the earlier one has, in both.

    `causes` are those between the two, in this direction or in the other; then all their signs turn. A node
    that a run lacks counts zero there. Months are those that both forecast: see `common_months`.
    """
    after = selection.run
    months = common_months(before, after)
    each = _each_node(before, selection, months)
    changed_nodes, *sums = connection.execute(_whole(each, len(months))).one()
    size = sa.func.abs(each.c.change)
    question = _named(each, causes).order_by(size.desc(), each.c.node_id).where(each.c.moved).limit(limit)
    sign = 1.0 if causes is None or causes.after == after.id else -1.0

    def changed(was: Sequence[float], now: Sequence[float], moved: Sequence[float] | None) -> Changed:
        by_cause = None if causes is None else _by_cause(causes, moved, months, sign)
        return Changed(tuple(was), tuple(now), by_cause)

    nodes = tuple(
        NodeChanged(
            Node(row.organization, row.customer, row.material, tuple(row.attributes)),
            changed(row.was, row.now, row.tonnes),
        )
        for row in connection.execute(question)
    )
    moved = None if causes is None else list(connection.scalars(_moved_in_all(selection, causes)))
    return RunsCompared(months, changed(sums[::2], sums[1::2], moved), changed_nodes, nodes)


def _by_cause(
    causes: KeptCauses, moved: Sequence[float] | None, months: Sequence[Month], sign: float
) -> Mapping[str, tuple[float, ...]]:
    """A row of months for each cause, of the flat array that is stored; nothing stored moved nothing."""
    flat = moved or [0.0] * (len(causes.causes) * causes.months)
    start = months[0] - causes.first if months else 0
    return {
        cause: tuple(
            # A zero has two signs; readers have use for one.
            sign * value or 0.0
            for value in flat[at * causes.months + start : at * causes.months + start + len(months)]
        )
        for at, cause in enumerate(causes.causes)
    }


def _each_node(before: PublishedRun, selection: Selection, months: Sequence[Month]) -> sa.Subquery:
    """A row for each node: its months in both runs as arrays, and the sum of all its change."""
    node = tables.node.c
    sides = {
        name: _side(run, months).lateral(name) for name, run in (("was", before), ("now", selection.run))
    }
    was, now = sides["was"], sides["now"]
    nothing = sa.literal([0.0] * len(months), tables.forecast.c.quantiles.type)
    return (
        sa.select(
            node.id.label("node_id"),
            sa.func.coalesce(was.c.means, nothing).label("was"),
            sa.func.coalesce(now.c.means, nothing).label("now"),
            (sa.func.coalesce(now.c.total, 0.0) - sa.func.coalesce(was.c.total, 0.0)).label("change"),
            (sa.func.coalesce(was.c.means, nothing) != sa.func.coalesce(now.c.means, nothing)).label("moved"),
        )
        .join_from(tables.node, was, sa.true())
        .join(now, sa.true())
        .where(*nodes_asked(selection), sa.or_(was.c.means.is_not(None), now.c.means.is_not(None)))
        .subquery("each_node")
    )


def _side(run: PublishedRun, months: Sequence[Month]) -> sa.Select[Any, Any]:
    """The means of a node in a run, in order, looked up by key, and their sum."""
    forecast = tables.forecast.c
    return sa.select(
        sa.func.array_agg(aggregate_order_by(forecast.mean, forecast.month)).label("means"),
        sum_in_order(forecast.mean, forecast.month).label("total"),
    ).where(
        forecast.run_id == run.id,
        forecast.node_id == tables.node.c.id,
        forecast.month.in_([month.first_day for month in months]),
    )


def _whole(each: sa.Subquery, months: int) -> sa.Select[Any]:
    """How many nodes changed, then for each month the sums of both runs."""
    sums = [
        sa.func.coalesce(sum_in_order(side[place], each.c.node_id), 0.0)
        for place in range(1, months + 1)
        for side in (each.c.was, each.c.now)
    ]
    return sa.select(sa.func.count().filter(each.c.moved), *sums)


def _named(each: sa.Subquery, causes: KeptCauses | None) -> sa.Select[tuple[object, ...]]:
    node, kept = tables.node.c, insight_tables.node_change.c
    named = sa.select(each, *(node[key] for key in KEYS), node.attributes).join_from(
        each, tables.node, node.id == each.c.node_id
    )
    if causes is None:
        return named.add_columns(sa.null().label("tonnes"))
    same = sa.and_(kept.node_id == each.c.node_id, kept.run_id == causes.after)
    return named.join(insight_tables.node_change, same, isouter=True).add_columns(kept.moved.label("tonnes"))


def _moved_in_all(selection: Selection, causes: KeptCauses) -> sa.Select[Any]:
    """The flat array of causes and months, summed over the nodes; no rows where nothing moved."""
    kept = insight_tables.node_change.c
    place = sa.func.generate_series(1, len(causes.causes) * causes.months).table_valued("place", name="place")
    return (
        sa.select(sum_in_order(kept.moved[place.c.place], kept.node_id))
        .join_from(insight_tables.node_change, tables.node, tables.node.c.id == kept.node_id)
        .join(place, sa.true())
        .where(kept.run_id == causes.after, *nodes_asked(selection))
        .group_by(place.c.place)
        .order_by(place.c.place)
    )
