"""Reads all that one node's page shows: its history, its forecast, last year, and what was said before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.store import tables
from app.store.find_run import published_run, shown_runs
from app.store.forecasts import picked, quantile_picks
from app.store.node_id import NodeId
from app.store.nodes import find_node
from app.store.selection import PublishedRun, check_probabilities
from forecasting.months import Month, months_from

_YEAR = 12


@dataclass(frozen=True)
class SaidByRun:
    """What a run said of a node: by month its mean, then the quantiles in the order of `probabilities`."""

    run: PublishedRun
    probabilities: tuple[float, ...]
    numbers: Mapping[Month, Sequence[float]]


@dataclass(frozen=True)
class Series:
    """A node through time, as one run knows it, in the run's unit; months are in order.

    `history` is what was bought, up to the run's origin. `last_year` is, by month of the forecast, what was
    bought twelve months before, where that is known. `earlier` is what runs that were shown before said of
    months of the forecast, the latest first; a run that did not have the node is not among them.
    """

    run: PublishedRun
    node: NodeId
    history: Mapping[Month, float]
    forecast: SaidByRun
    last_year: Mapping[Month, float]
    earlier: tuple[SaidByRun, ...]


def series(
    connection: Connection,
    run: PublishedRun,
    node: NodeId,
    probabilities: Sequence[float] | None,
    *,
    history: int,
    earlier: int,
) -> Series:
    """The series of a node with so many months of history and so many earlier forecasts.

    All of it follows from the run, so it is the same whenever it is asked. Raises `UnknownLevel`,
    `NodeNotInRun` and `UnknownQuantile`. An earlier run gives those of the quantiles that it holds.
    """
    asked = check_probabilities(run, probabilities)
    number = find_node(connection, run, node)
    bought = _history(connection, run, number)
    now = connection.execute(_said(run, number).where(tables.run.c.id == run.id))
    before = connection.execute(_before(run, number).limit(earlier))
    (said,) = (_read(asked, row) for row in now)
    return Series(
        run=run,
        node=node,
        history=dict(list(bought.items())[len(bought) - min(history, len(bought)) :]),
        forecast=said,
        last_year={month: bought[month - _YEAR] for month in said.numbers if month - _YEAR in bought},
        earlier=tuple(_read(asked, row) for row in before),
    )


def _history(connection: Connection, run: PublishedRun, number: int) -> dict[Month, float]:
    """All that a node had bought; empty for runs from before version 0.3."""
    history = tables.history.c
    found = connection.execute(
        sa.select(tables.run.c.panel_first, history.quantity)
        .join(tables.history, history.run_id == tables.run.c.id)
        .where(history.run_id == run.id, history.node_id == number)
    ).one_or_none()
    if found is None:
        return {}
    months = months_from(Month.of(found.panel_first), len(found.quantity))
    return dict(zip(months, found.quantity, strict=True))


def _before(run: PublishedRun, number: int) -> sa.Select[tuple[object, ...]]:
    """What runs said of the run's months that were first shown before it was, the latest first."""
    other = tables.run.c
    shown = sa.tuple_(other.published_at, other.id) < sa.tuple_(
        sa.literal(run.published_at), sa.literal(run.id)
    )
    return _said(run, number).where(shown).order_by(other.published_at.desc(), other.id.desc())


def _said(run: PublishedRun, number: int) -> sa.Select[tuple[object, ...]]:
    """Runs that were shown, with what each said of a node in the months of a run, looked up by key."""
    forecast = tables.forecast.c
    month = sa.func.array_prepend(forecast.mean, forecast.quantiles)
    months = (
        sa.select(
            sa.func.min(forecast.month).label("begins"),
            sa.func.array_agg(aggregate_order_by(month, forecast.month)).label("numbers"),
        )
        .where(
            forecast.run_id == tables.run.c.id,
            forecast.node_id == number,
            forecast.month.between(run.first.first_day, run.last.first_day),
        )
        .lateral("months")
    )
    return (
        shown_runs()
        .add_columns(months.c.begins, months.c.numbers)
        .join(months, sa.true())
        .where(months.c.numbers.is_not(None))
    )


def _read(asked: Sequence[float], row: sa.Row[tuple[object, ...]]) -> SaidByRun:
    by = published_run(row)
    held = tuple(probability for probability in asked if probability in by.probabilities)
    months = months_from(Month.of(row.begins), len(row.numbers))
    numbers = picked(row.numbers, quantile_picks(by.probabilities, held))
    return SaidByRun(by, held, dict(zip(months, numbers, strict=True)))
