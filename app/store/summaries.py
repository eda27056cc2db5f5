"""Nodes in a line each: what is forecast for a year, and what was bought in the same months a year before.

Lines are found by their place, so that a table of any length can be looked into anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import LateralFromClause

from app.store import tables
from app.store.node_id import NodeId, NodeKey
from app.store.nodes import held, node_of, nodes_question, serving_order
from app.store.selection import PublishedRun, Selection
from forecasting.months import Month

YEAR = 12

type Ranking = Literal["nodes", "year", "-year"]
"""Serving order; or by what is forecast for the year, the smallest or the largest first."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A node: what is forecast for the run's first month, and for its first year or all its months.

    `before` is what was bought twelve months before each of them, None where that is not known.
    """

    node: NodeId
    first: float
    year: float
    before: float | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """So many lines of a table from a place on; the first line is 0.

    `after` is the node just before it, where that is known: in serving order it is found at once then, and
    otherwise by counting from the top.
    """

    start: int
    most: int
    after: NodeKey | None = None


def summaries(
    connection: Connection, selection: Selection, ranking: Ranking, stretch: Stretch
) -> list[Summary]:
    """The nodes of a stretch of the selection."""
    rows = connection.execute(_question(connection, selection, ranking, stretch))
    return [
        Summary(
            NodeId(selection.level, node_of(row).within(selection.level)),
            row.means[0],
            sum(row.means),
            None if row.before is None else sum(row.before),
        )
        for row in rows
    ]


def added_up(connection: Connection, selections: Sequence[Selection]) -> list[list[float]]:
    """For each selection, the sum of its nodes' means in each month of the run."""
    return [_added_up(connection, each) for each in selections]


def _added_up(connection: Connection, selection: Selection) -> list[float]:
    forecast = tables.forecast.c
    nodes = nodes_question(selection).order_by(None).add_columns(tables.node.c.id).subquery()
    question = (
        sa.select(sa.func.sum(aggregate_order_by(forecast.mean, forecast.node_id)))
        .join_from(nodes, tables.forecast, forecast.node_id == nodes.c.id)
        .where(forecast.run_id == selection.run.id)
        .group_by(forecast.month)
        .order_by(forecast.month)
    )
    return [float(each) for each in connection.scalars(question)]


def _question(
    connection: Connection, selection: Selection, ranking: Ranking, stretch: Stretch
) -> sa.Select[Any]:
    """The stretch is found first, and only its nodes are looked up in full."""
    after = stretch.after if ranking == "nodes" else None
    found = nodes_question(selection, after).add_columns(tables.node.c.id)
    if ranking == "nodes":
        found = found.where(held(selection.run))
    else:
        total = _total(selection.run)
        found = found.add_columns(total.c.year.label("rank")).join(total, sa.true())
        found = found.where(total.c.year.is_not(None)).order_by(None)
        by = total.c.year.desc() if ranking == "-year" else total.c.year
        found = found.order_by(by, *serving_order(tables.node))
    start = stretch.start if after is None else 0
    nodes = found.offset(start).limit(stretch.most).subquery("nodes")
    order = serving_order(nodes)
    if ranking != "nodes":
        order = [nodes.c.rank.desc() if ranking == "-year" else nodes.c.rank, *order]
    means = _means(selection.run, nodes.c.id)
    before = _before(connection, selection.run, nodes.c.id).label("before")
    return sa.select(nodes, means.c.means, before).join(means, sa.true()).order_by(*order)


def _total(run: PublishedRun) -> LateralFromClause:
    """What is forecast for the year, node for node; months are added in order, as everywhere."""
    forecast = tables.forecast.c
    total = sa.func.sum(aggregate_order_by(forecast.mean, forecast.month)).label("year")
    return sa.select(total).where(*_in_year(run, tables.node.c.id)).lateral("total")


def _means(run: PublishedRun, node_id: sa.ColumnElement[int]) -> LateralFromClause:
    forecast = tables.forecast.c
    return (
        sa.select(sa.func.array_agg(aggregate_order_by(forecast.mean, forecast.month)).label("means"))
        .where(forecast.run_id == run.id, forecast.node_id == node_id, forecast.month <= _last(run).first_day)
        .lateral("of_year")
    )


def _before(
    connection: Connection, run: PublishedRun, node_id: sa.ColumnElement[int]
) -> sa.ColumnElement[Any]:
    """What a node had bought a year before; null where the run kept less than a year of history, or none."""
    panel_first = connection.scalar(sa.select(tables.run.c.panel_first).where(tables.run.c.id == run.id))
    if panel_first is None or run.first - YEAR < Month.of(panel_first):
        return sa.null()
    before = Month.of(panel_first) - 1
    begin, end = run.first - YEAR - before, _last(run) - YEAR - before
    history = tables.history.c
    return (
        sa.select(history.quantity[begin:end])
        .where(history.run_id == run.id, history.node_id == node_id)
        .scalar_subquery()
    )


def _in_year(run: PublishedRun, node_id: sa.ColumnElement[int]) -> list[sa.ColumnElement[bool]]:
    forecast = tables.forecast.c
    return [
        forecast.run_id == run.id,
        forecast.node_id == node_id,
        forecast.month.between(run.first.first_day, _last(run).first_day),
    ]


def _last(run: PublishedRun) -> Month:
    return min(run.last, run.origin + YEAR)
