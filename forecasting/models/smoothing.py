"""Exponential smoothing with averaged parameters, all series of a batch in one compiled pass."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numba as nb
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.akaike import akaike_weights
from forecasting.models.protocol import SeriesBatch
from forecasting.models.smoothing_recursion import (
    add_up,
    burn_in,
    initial_state,
    losses_of,
    mean_while_young,
    start_window,
)
from forecasting.models.training_rows import typical_rows

_LEVEL = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8)
# Weight of the trend relative to the level's, and damping; zero damping is no trend at all.
_TREND = (
    (0.0, 0.0),
    (0.02, 0.98),
    (0.02, 0.995),
    (0.05, 0.9),
    (0.05, 0.98),
    (0.1, 0.95),
    (0.1, 0.98),
    (0.2, 0.9),
)
_SEASONAL = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.6)
_NO_SEASON = -1.0
# What a season costs in the information criterion: its twelve values are shared information, not free ones.
_SEASON_PARAMETERS = 6.0
_LOG_OFFSET = 0.05


# Beyond this many series a coarser grid does: an eighth of the combinations.
_MANY = 5_000
# How likely each combination is, is learned from this many series, in as many rounds, starting from this
# many that know nothing.
_TEACHERS, _ROUNDS, _IGNORANT = 64, 3, 5.0


def parameter_grid(series: int) -> Floats:
    """Combinations of level, trend and season weights and damping, shape (combinations, 4)."""
    if series > _MANY:
        rows = product(_LEVEL[1::2], _TREND[::2], (_NO_SEASON, *_SEASONAL[::2]))
    else:
        rows = product(_LEVEL, _TREND, (_NO_SEASON, *_SEASONAL))
    return np.array([(alpha, alpha * beta, gamma, phi) for alpha, (beta, phi), gamma in rows])


@dataclass(frozen=True)
class Smoothing:
    """Level, damped trend and season of twelve months, additive on a scale.

    Every combination of a fixed grid of parameters runs through each series; forecasts are averaged with
    Akaike weights (Burnham & Anderson 2002; Kolassa 2011), at each origin from the errors up to there. The
    recursion is that of Hyndman, Koehler, Ord & Snyder (2008), ETS(A,Ad,A). Before a series has shown
    itself, a combination is as likely as it has been for the others of the batch (empirical Bayes: Efron &
    Morris 1975). On the log scale, of demand plus 5 % of its mean, season and trend act in proportion.

    Who teaches is drawn by a hash of all history, and the offset of the log scale is read from all of it:
    that much a past origin sees of its future.
    """

    scale: Literal["raw", "log"] = "raw"

    def hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> Floats:
        """See `Model.hindcast`."""
        phase = history.first.month - 1
        grid = parameter_grid(len(history.values))
        teachers = typical_rows(history.values, history.born, _TEACHERS)
        if self.scale == "raw":
            prices = _learned_prices(history.values[teachers], history.born[teachers], phase, grid, origins)
            return _hindcast(history.values, history.born, phase, grid, prices, horizon)
        offset = _LOG_OFFSET * _mean_alive(history)[:, None]
        shifted = np.maximum(history.values, 0.0) + offset
        logs = np.log(np.where(offset > 0, shifted, 1.0))
        prices = _learned_prices(logs[teachers], history.born[teachers], phase, grid, origins)
        forecasts = _hindcast(logs, history.born, phase, grid, prices, horizon)
        known = history.n_months - origins + np.arange(origins + 1)
        # Beyond e^3 times the largest value seen until then, a log-scale trend has run away.
        largest = np.maximum.accumulate(logs, axis=1)[:, np.maximum(known - 1, 0)]
        np.minimum(forecasts, (largest + 3.0)[:, :, None], out=forecasts)
        np.exp(forecasts, out=forecasts)
        forecasts -= offset[:, :, None]
        forecasts[offset[:, 0] <= 0] = 0.0
        # Before its first month a series has no logarithms: their mean, zero, would be one unit.
        forecasts[known <= history.born[:, None]] = 0.0
        return forecasts


def _mean_alive(history: SeriesBatch) -> Floats:
    alive = history.n_months - history.born
    mean: Floats = np.maximum(history.values, 0.0).sum(axis=1) / alive
    return mean


def _learned_prices(values: Floats, born: Ints, phase: int, grid: Floats, origins: int) -> Floats:
    """What each combination costs at each origin, shape (origins + 1, combinations), learned from series."""
    own = _prices(grid)
    prices = np.tile(own, (origins + 1, 1))
    losses = _all_losses(values, born, phase, grid, origins)
    ages = values.shape[1] - born
    observed = np.array([age - burn_in(age) for age in ages], dtype=np.int64)
    for _ in range(_ROUNDS):
        weights = _all_weights(losses, observed, prices).sum(axis=0)
        likely = (weights + _IGNORANT / len(grid)) / (len(values) + _IGNORANT)
        prices = own * likely
    return prices


@nb.njit(parallel=True, cache=True)
def _all_losses(values: Floats, born: Ints, phase: int, grid: Floats, origins: int) -> Floats:
    """Shape (series, origins + 1, combinations)."""
    series, months = values.shape
    losses = np.empty((series, origins + 1, len(grid)))
    for i in nb.prange(series):
        start = initial_state(values[i], born[i], phase, start_window(months - born[i], origins))
        losses[i] = losses_of(values[i], born[i], phase, grid, start, origins)
    return losses


@nb.njit(parallel=True, cache=True)
def _all_weights(losses: Floats, observed: Ints, prices: Floats) -> Floats:
    """Shape (series, origins + 1, combinations)."""
    weights = np.empty(losses.shape)
    for i in nb.prange(len(losses)):
        weights[i] = akaike_weights(losses[i], observed[i], prices)
    return weights


@nb.njit(parallel=True, cache=True)
def _hindcast(values: Floats, born: Ints, phase: int, grid: Floats, prices: Floats, horizon: int) -> Floats:
    """Shape (series, origins + 1, horizon); each series by itself, so threads cannot change a bit."""
    series, months = values.shape
    origins = len(prices) - 1
    out = np.zeros((series, origins + 1, horizon))
    for i in nb.prange(series):
        first = born[i]
        window = start_window(months - first, origins)
        start = initial_state(values[i], first, phase, window)
        losses = losses_of(values[i], first, phase, grid, start, origins)
        weights = akaike_weights(losses, months - first - burn_in(months - first), prices)
        add_up(values[i], first, phase, grid, start, weights, out[i])
        mean_while_young(values[i], first, window, out[i])
    return out


@nb.njit(cache=True)
def _prices(grid: Floats) -> Floats:
    """What each combination's parameters cost, shape (combinations,)."""
    prices = np.empty(len(grid))
    for p in range(len(grid)):
        parameters = (2.0 if grid[p, 3] > 0 else 0.0) + (_SEASON_PARAMETERS if grid[p, 2] >= 0 else 0.0)
        prices[p] = np.exp(-parameters)
    return prices
