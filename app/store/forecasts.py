"""Reads the forecasts of a selection, by page or in one stream, with no arithmetic but for sorting."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, aggregate_order_by
from sqlalchemy.sql.selectable import LateralFromClause

from app.store import tables
from app.store.node_id import Node
from app.store.nodes import Place, following, node_of, nodes_question, serving_order
from app.store.selection import Selection


@dataclass(frozen=True, slots=True)
class NodeForecast:
    """The months of one node, in the order of `Selection.months`.

    Each row of `numbers` is a month: its mean, then the quantiles in the order asked for.
    """

    node: Node
    numbers: Sequence[Sequence[float]]


def forecasts_question(
    selection: Selection, after: Place | None = None, limit: int | None = None
) -> sa.Select[tuple[object, ...]]:
    """The nodes with an array of their months, looked up by key node for node, so that it streams."""
    if selection.sort != "nodes":
        return _sorted(selection, after, limit)
    months = _months(selection, tables.node.c.id)
    return (
        nodes_question(selection, None if after is None else after.key)
        .add_columns(months.c.numbers)
        .join(months, sa.true())
        .where(months.c.numbers.is_not(None))
        .limit(limit)
    )


def read_forecasts(selection: Selection, rows: Iterable[Row[tuple[object, ...]]]) -> Iterator[NodeForecast]:
    """The rows of `forecasts_question`, with the quantiles that were asked for."""
    picks = quantile_picks(selection.run.probabilities, selection.probabilities)
    for row in rows:
        yield NodeForecast(node_of(row), picked(row.numbers, picks))


def quantile_picks(held: Sequence[float], asked: Sequence[float]) -> list[int] | None:
    """Where the mean and the quantiles asked for are in a month's numbers; None where nothing moves."""
    return None if held == asked else [0, *(1 + held.index(probability) for probability in asked)]


def picked(numbers: Sequence[Sequence[float]], picks: Sequence[int] | None) -> Sequence[Sequence[float]]:
    """These of the numbers of each month."""
    return numbers if picks is None else [[month[pick] for pick in picks] for month in numbers]


def ranked_question(
    selection: Selection, after: Place | None = None, limit: int | None = None
) -> sa.Select[tuple[object, ...]]:
    """The nodes with their number and total, sorted by it: all of the selection are added up for each page.

    Months are added in order, so that a node's total is the same double on every page.
    """
    forecast = tables.forecast.c
    total = (
        sa.select(sa.func.sum(aggregate_order_by(forecast.mean, forecast.month)).label("total"))
        .where(*_of(selection, tables.node.c.id))
        .lateral("total")
    )
    ranked = (
        nodes_question(selection)
        .add_columns(tables.node.c.id, total.c.total)
        .join(total, sa.true())
        .where(total.c.total.is_not(None))
    )
    if after is not None and after.total is not None:
        last = sa.cast(sa.literal(after.total), DOUBLE_PRECISION)
        beyond = total.c.total < last if selection.sort == "-mean" else total.c.total > last
        tied = sa.and_(total.c.total == last, following(tables.node, selection.level, after.key))
        ranked = ranked.where(sa.or_(beyond, tied))
    order = total.c.total.desc() if selection.sort == "-mean" else total.c.total
    return ranked.order_by(None).order_by(order, *serving_order(tables.node)).limit(limit)


def _sorted(selection: Selection, after: Place | None, limit: int | None) -> sa.Select[tuple[object, ...]]:
    """Only the nodes of the page get their months."""
    page = ranked_question(selection, after, limit).subquery("page")
    months = _months(selection, page.c.id)
    order = page.c.total.desc() if selection.sort == "-mean" else page.c.total
    return sa.select(page, months.c.numbers).join(months, sa.true()).order_by(order, *serving_order(page))


def _months(selection: Selection, node_id: sa.ColumnElement[int]) -> LateralFromClause:
    forecast = tables.forecast.c
    month = sa.func.array_prepend(forecast.mean, forecast.quantiles)
    return (
        sa.select(sa.func.array_agg(aggregate_order_by(month, forecast.month)).label("numbers"))
        .where(*_of(selection, node_id))
        .lateral("months")
    )


def _of(selection: Selection, node_id: sa.ColumnElement[int]) -> list[sa.ColumnElement[bool]]:
    forecast = tables.forecast.c
    return [
        forecast.run_id == selection.run.id,
        forecast.node_id == node_id,
        forecast.month.between(selection.first.first_day, selection.last.first_day),
    ]
