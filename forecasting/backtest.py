"""Rolling origins: what a forecaster would have said in the past, against what came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forecasting.arrays import Bools, Floats, Ints
from forecasting.backtest_report import BacktestReport, Sums
from forecasting.errors import BadForecast, TooFewOrigins
from forecasting.forecast import Forecast, check_probabilities
from forecasting.hierarchy import Level
from forecasting.metrics import inside, pinball, ratio, seasonal_scale, squared_scale
from forecasting.models.naive import SEASON, Naive
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month
from forecasting.panel import DemandPanel

type Forecaster = Callable[[DemandPanel, int, tuple[float, ...]], Forecast]
"""From a panel, a horizon and probabilities to a forecast of the months after the panel's end."""

MONTHS_TO_LEARN = SEASON + 1
"""Before the first origin: with fewer months no series has a seasonal scale."""


def origins(panel: DemandPanel, count: int, step: int, horizon: int) -> tuple[Month, ...]:
    """`count` past origins, `step` months apart, the last one `horizon` months before the panel's end.

    Raises `TooFewOrigins` where the first would have fewer than `MONTHS_TO_LEARN` months behind it.
    """
    spare = panel.n_months - horizon - MONTHS_TO_LEARN
    fit = spare // step + 1 if spare >= 0 else 0
    if count > fit:
        needed = MONTHS_TO_LEARN + (count - 1) * step + horizon
        raise TooFewOrigins(panel.n_months, count, fit, needed)
    last = panel.origin - horizon
    return tuple(last - step * back for back in range(count - 1, -1, -1))


def backtest(
    panel: DemandPanel,
    forecaster: Forecaster,
    origins: Sequence[Month],
    horizon: int,
    probabilities: tuple[float, ...],
    *,
    levels: Sequence[Level] | None = None,
    on_origin: Callable[[Month], None] = lambda origin: None,
) -> BacktestReport:
    """Forecast from each origin with what was known then, and score it on the nodes of the whole panel.

    A node none of whose leaves was born by an origin has a forecast of zero there. `levels` are those to
    score, by default all.
    """
    check_probabilities(probabilities)
    levels = tuple(panel.hierarchy.levels if levels is None else levels)
    truth = _Truth(panel, panel.nodes(), panel.node_born)
    sums = Sums.zeros(len(origins), len(levels), horizon, len(probabilities))
    by_node = np.zeros((4, panel.hierarchy.n_nodes))
    for at, origin in enumerate(origins):
        on_origin(origin)
        known = panel.until(origin)
        forecast = forecaster(known, horizon, probabilities)
        _check(forecast, known, horizon, probabilities)
        row = _rows_in(panel, known)
        for place, level in enumerate(levels):
            number = panel.hierarchy.levels.index(level)
            cells = _cells(truth, forecast, row, number, known.n_months)
            _add_up(sums, (at, place), cells, probabilities)
            by_node[:, panel.hierarchy.slices[number]] += _node_sums(cells)
    return BacktestReport(
        levels=levels,
        origins=tuple(origins),
        horizon=horizon,
        probabilities=probabilities,
        sums=sums,
        nodes=_node_table(panel, levels, by_node),
        left_out=_left_out(panel, origins, horizon),
    )


@dataclass(frozen=True, eq=False)
class _Truth:
    """The whole panel, with the history of its nodes, shape (nodes, months), and their births."""

    panel: DemandPanel
    nodes: Floats
    born: Ints


@dataclass(frozen=True, eq=False)
class _Cells:
    """One level from one origin, all of shape (nodes of the level, horizon) unless stated.

    `history` has shape (nodes, months before); `quantiles` (levels, nodes, horizon). Where a node did
    not exist yet, `actual` and `history` are NaN.
    """

    history: Floats
    actual: Floats
    mean: Floats
    median: Floats
    quantiles: Floats
    seasonal: Floats
    last: Floats

    @property
    def exists(self) -> Bools:
        return ~np.isnan(self.actual)


def _cells(truth: _Truth, forecast: Forecast, row: Ints, number: int, months: int) -> _Cells:
    """What was forecast for a level and what came; `row` places the forecast's nodes among the panel's."""
    part = truth.panel.hierarchy.slices[number]
    theirs = forecast.hierarchy.slices[number]
    places = row[theirs] - part.start
    until = months + forecast.horizon
    values = truth.nodes[part, :until]
    living = np.where(np.arange(until) >= truth.born[part, None], values, np.nan)

    def placed(predicted: Floats) -> Floats:
        full = np.zeros((*predicted.shape[:-2], part.stop - part.start, forecast.horizon))
        full[..., places, :] = predicted
        return full

    mean = placed(forecast.mean[theirs])
    quantiles = placed(forecast.quantiles[:, theirs])
    middle = 0.5 in forecast.probabilities
    history = SeriesBatch(truth.panel.first, values[:, :months], truth.born[part])
    return _Cells(
        history=living[:, :months],
        actual=living[:, months:],
        mean=mean,
        median=quantiles[forecast.probabilities.index(0.5)] if middle else mean,
        quantiles=quantiles,
        seasonal=Naive(SEASON).hindcast(history, 0, forecast.horizon)[:, 0],
        last=Naive(1).hindcast(history, 0, forecast.horizon)[:, 0],
    )


def _add_up(sums: Sums, at: tuple[int, int], cells: _Cells, probabilities: tuple[float, ...]) -> None:
    """Fill in the sums of one origin and level."""
    actual = cells.actual
    error = np.abs(cells.median - actual)
    sums.cells[at] = cells.exists.sum(axis=0)
    sums.abs_actual[at] = _down(np.abs(actual))
    sums.abs_error[at] = _down(error)
    sums.error[at] = _down(cells.mean - actual)
    sums.seasonal_error[at] = _down(np.abs(cells.seasonal - actual))
    sums.last_error[at] = _down(np.abs(cells.last - actual))
    scaled = error / seasonal_scale(cells.history)[:, None]
    sums.scaled[at] = _down(scaled)
    sums.scaled_cells[at] = (~np.isnan(scaled)).sum(axis=0)
    squared = np.square(cells.mean - actual) / squared_scale(cells.history)[:, None]
    over_leads = np.sqrt(ratio(np.nansum(squared, axis=1), (~np.isnan(squared)).sum(axis=1).astype(float)))
    roots = np.column_stack([over_leads, np.sqrt(squared)])
    sums.root_scaled[at] = _down(roots)
    sums.root_series[at] = (~np.isnan(roots)).sum(axis=0)
    for place, probability in enumerate(probabilities):
        sums.pinball[(*at, slice(None), place)] = _down(pinball(actual, cells.quantiles[place], probability))
    if probabilities:
        sums.inside[at] = inside(actual, cells.quantiles[0], cells.quantiles[-1]).sum(axis=0)


def _node_sums(cells: _Cells) -> Floats:
    """Demand, absolute and signed error and the seasonal naive's, shape (4, nodes of the level)."""
    actual = cells.actual
    seasonal = np.abs(cells.seasonal - actual)
    parts = (np.abs(actual), np.abs(cells.median - actual), cells.mean - actual, seasonal)
    return np.stack([np.nansum(part, axis=1) for part in parts])


def _down(values: Floats) -> Floats:
    summed: Floats = np.nansum(values, axis=0)
    return summed


def _rows_in(panel: DemandPanel, known: DemandPanel) -> Ints:
    """For each node of what was known, its row among the nodes of the whole panel."""
    leaves = panel.born < known.n_months
    row = np.empty(known.hierarchy.n_nodes, dtype=np.int64)
    levels = zip(
        panel.hierarchy.codes,
        panel.hierarchy.slices,
        known.hierarchy.codes,
        known.hierarchy.slices,
        strict=True,
    )
    for codes, part, known_codes, known_part in levels:
        row[known_part.start + known_codes] = part.start + codes[leaves]
    return row


def _check(forecast: Forecast, known: DemandPanel, horizon: int, probabilities: tuple[float, ...]) -> None:
    """Refuse an answer to another question than the one asked."""
    if forecast.origin != known.origin or forecast.horizon != horizon:
        raise BadForecast(
            f"asked for {horizon} months after {known.origin}, "
            f"the forecaster gave {forecast.horizon} after {forecast.origin}"
        )
    if forecast.probabilities != probabilities or forecast.hierarchy.n_nodes != known.hierarchy.n_nodes:
        raise BadForecast("the forecaster answered for other quantiles or nodes than it was asked for")


def _node_table(panel: DemandPanel, levels: tuple[Level, ...], by_node: Floats) -> pl.DataFrame:
    parts = [panel.hierarchy.slices[panel.hierarchy.levels.index(level)] for level in levels]
    chosen = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    names = ("actual", "error", "signed_error", "seasonal_error")
    return panel.hierarchy.nodes[chosen].with_columns(
        pl.Series(name, values[chosen]) for name, values in zip(names, by_node, strict=True)
    )


def _left_out(panel: DemandPanel, origins: Sequence[Month], horizon: int) -> pl.DataFrame:
    """Leaves that some measure says nothing about, each with the first reason that holds."""
    ends = np.array([origin - panel.first + 1 for origin in origins], dtype=np.int64)
    unseen = (panel.born[:, None] >= ends[None, :]).sum(axis=1)
    age = ends[0] - panel.born
    scored = np.zeros(panel.n_months, dtype=np.bool_)
    for end in ends:
        scored[end : end + horizon] = True
    history = np.where(np.arange(ends[-1]) >= panel.born[:, None], panel.quantity[:, : ends[-1]], np.nan)
    first = [str(panel.first + int(born)) for born in panel.born]
    facts = pl.DataFrame(
        {
            "first": first,
            "unseen": unseen,
            "age": age,
            "idle": (panel.quantity[:, scored] == 0).all(axis=1),
            "no_scale": np.isnan(seasonal_scale(history)),
        }
    )
    reason = (
        pl.when(pl.col("unseen") == len(ends))
        .then(pl.format("too short: begins in {}, after the last origin", "first"))
        .when(pl.col("unseen") > 0)
        .then(
            pl.format(
                f"too short: begins in {{}}, forecast as zero at {{}} of {len(ends)} origins",
                "first",
                "unseen",
            )
        )
        .when(pl.col("idle"))
        .then(pl.lit("no demand in any month that was scored"))
        .when(pl.col("age") <= SEASON)
        .then(pl.format("too short: {} months before the first origin, so no MASE there", "age"))
        .when(pl.col("no_scale"))
        .then(pl.lit("repeats itself every year, so MASE has no scale"))
    )
    return panel.hierarchy.leaves.with_columns(facts.select(reason.alias("reason"))).drop_nulls("reason")
