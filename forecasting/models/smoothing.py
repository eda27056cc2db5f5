"""Exponential smoothing with averaged parameters, all series of a batch in one compiled pass."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numba as nb
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.akaike import akaike_weights
from forecasting.models.naive import SEASON
from forecasting.models.protocol import SeriesBatch
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


# Beyond this many series a coarser grid does: a sixth of the combinations.
_MANY = 5_000
# How likely each combination is, is learned from this many series, in as many rounds, starting from this
# many that know nothing.
_TEACHERS, _ROUNDS, _IGNORANT = 128, 3, 5.0


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
        # Beyond e^3 times the largest value seen, a log-scale trend has run away.
        np.minimum(forecasts, (logs.max(axis=1) + 3.0)[:, None, None], out=forecasts)
        np.exp(forecasts, out=forecasts)
        forecasts -= offset[:, :, None]
        forecasts[offset[:, 0] <= 0] = 0.0
        # Before its first month a series has no logarithms: their mean, zero, would be one unit.
        known = history.n_months - origins + np.arange(origins + 1)
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
    observed = np.array([age - _burn_in(age) for age in ages], dtype=np.int64)
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
        start = _initial_state(values[i], born[i], phase, _start_window(months - born[i], origins))
        losses[i] = _losses(values[i], born[i], phase, grid, start, origins)
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
        window = _start_window(months - first, origins)
        start = _initial_state(values[i], first, phase, window)
        losses = _losses(values[i], first, phase, grid, start, origins)
        weights = akaike_weights(losses, months - first - _burn_in(months - first), prices)
        _average(values[i], first, phase, grid, start, weights, out[i])
        _mean_while_young(values[i], first, window, out[i])
    return out


@nb.njit(cache=True)
def _start_window(age: int, origins: int) -> int:
    """First months of a series that its starting state is read from: three years, if that many came before
    the first origin, so that no origin sees its future."""
    return min(age, max(SEASON, min(3 * SEASON, age - origins)))


@nb.njit(cache=True)
def _mean_while_young(y: Floats, first: int, window: int, out: Floats) -> None:
    """At origins inside the window, forecast the mean so far: nothing before birth."""
    origins = out.shape[0] - 1
    for k in range(origins):
        known = len(y) - origins + k
        if known - first < window:
            out[k] = y[first:known].mean() if known > first else 0.0


@nb.njit(cache=True)
def _initial_state(y: Floats, first: int, phase: int, months: int) -> Floats:
    """Level before the first month, trend per month, and season by calendar month: shape (14,).

    From the first `months` months of the series.
    """
    state = np.zeros(2 + SEASON)
    years = months // SEASON
    level = y[first : first + min(months, SEASON)].mean()
    trend = 0.0
    if years >= 2:
        last = y[first + SEASON * (years - 1) : first + SEASON * years].mean()
        trend = (last - level) / (SEASON * (years - 1))
    if years >= 1:
        for year in range(years):
            begin = first + SEASON * year
            mean = y[begin : begin + SEASON].mean()
            for t in range(begin, begin + SEASON):
                # Half a year more in the divisor shrinks the season of a short start toward none.
                state[2 + (t + phase) % SEASON] += (y[t] - mean) / (years + 0.5)
    state[0] = level - trend * (SEASON - 1) / 2
    state[1] = trend
    return state


@nb.njit(cache=True)
def _begin(start: Floats, grid: Floats) -> tuple[Floats, Floats, Floats]:
    """Level (combinations,), trend (combinations,) and season (12, combinations) before the first month."""
    count = len(grid)
    level = np.full(count, start[0])
    trend = np.empty(count)
    season = np.empty((SEASON, count))
    for p in range(count):
        trend[p] = start[1] if grid[p, 3] > 0 else 0.0
        if grid[p, 3] == 0:
            level[p] += start[1] * (SEASON - 1) / 2
        for m in range(SEASON):
            season[m, p] = start[2 + m] if grid[p, 2] >= 0 else 0.0
    return level, trend, season


@nb.njit(cache=True)
def _step(y: float, level: Floats, trend: Floats, season: Floats, grid: Floats, error: Floats) -> None:
    """One month of the recursion for every combination: innermost and free of branches, so it vectorises."""
    alpha, beta, gamma, phi = grid[0], grid[1], grid[2], grid[3]
    for p in range(len(level)):
        damped = phi[p] * trend[p]
        e = y - (level[p] + damped + season[p])
        level[p] += damped + alpha[p] * e
        trend[p] = damped + beta[p] * e
        season[p] += gamma[p] * e
        error[p] = e


@nb.njit(cache=True)
def _steps_of(grid: Floats) -> Floats:
    """The grid by parameter, shape (4, combinations), with the season's weight as the recursion takes it."""
    steps = np.empty((4, len(grid)))
    for p in range(len(grid)):
        steps[0, p], steps[1, p], steps[3, p] = grid[p, 0], grid[p, 1], grid[p, 3]
        steps[2, p] = max(grid[p, 2], 0.0) * (1.0 - grid[p, 0])
    return steps


@nb.njit(cache=True)
def _losses(y: Floats, first: int, phase: int, grid: Floats, start: Floats, origins: int) -> Floats:
    """Sum of squared one-step errors up to each origin, shape (origins + 1, combinations)."""
    months, count = len(y), len(grid)
    steps = _steps_of(grid)
    level, trend, season = _begin(start, grid)
    error, total = np.empty(count), np.zeros(count)
    losses = np.zeros((origins + 1, count))
    counted = first + _burn_in(months - first)
    for t in range(first, months):
        _step(y[t], level, trend, season[(t + phase) % SEASON], steps, error)
        if t >= counted:
            for p in range(count):
                total[p] += error[p] * error[p]
        k = t + 1 - (months - origins)
        if k >= 0:
            losses[k] = total
    return losses


@nb.njit(cache=True)
def _burn_in(months: int) -> int:
    """First months whose errors tell more of the start than of the parameters."""
    return min(SEASON, months // 3)


@nb.njit(cache=True)
def _prices(grid: Floats) -> Floats:
    """What each combination's parameters cost, shape (combinations,)."""
    prices = np.empty(len(grid))
    for p in range(len(grid)):
        parameters = (2.0 if grid[p, 3] > 0 else 0.0) + (_SEASON_PARAMETERS if grid[p, 2] >= 0 else 0.0)
        prices[p] = np.exp(-parameters)
    return prices


@nb.njit(cache=True)
def _average(
    y: Floats, first: int, phase: int, grid: Floats, start: Floats, weights: Floats, out: Floats
) -> None:
    """Add up the weighted forecasts of the combinations that count, into (origins + 1, horizon)."""
    months = len(y)
    origins, horizon = out.shape[0] - 1, out.shape[1]
    used = np.zeros(len(grid), dtype=np.bool_)
    for k in range(origins + 1):
        for p in range(len(grid)):
            used[p] |= weights[k, p] > 0
    chosen = np.nonzero(used)[0]
    some = grid[chosen]
    steps = _steps_of(some)
    level, trend, season = _begin(start, some)
    error = np.empty(len(chosen))
    damping, dampings = _dampings(some)
    reach = _reach(dampings, horizon)
    # At all origins before its first month a series is what it starts as.
    for k in range(max(0, first - (months - origins)) + 1):
        _add(out[k], weights[k][chosen], level, trend, season, damping, reach, first + phase)
    for t in range(first, months):
        _step(y[t], level, trend, season[(t + phase) % SEASON], steps, error)
        k = t + 1 - (months - origins)
        if k >= 0:
            _add(out[k], weights[k][chosen], level, trend, season, damping, reach, t + 1 + phase)


@nb.njit(cache=True)
def _dampings(grid: Floats) -> tuple[Ints, Floats]:
    """Which damping each combination has, and the few there are."""
    found = np.unique(grid[:, 3])
    return np.searchsorted(found, grid[:, 3]), found


@nb.njit(cache=True)
def _reach(dampings: Floats, horizon: int) -> Floats:
    """How many months' trend each damping adds by each lead, shape (dampings, horizon)."""
    reach = np.zeros((len(dampings), horizon))
    for d in range(len(dampings)):
        power, total = 1.0, 0.0
        for h in range(horizon):
            power *= dampings[d]
            total += power
            reach[d, h] = total
    return reach


@nb.njit(cache=True, fastmath={"reassoc", "contract"})
def _add(
    out: Floats,
    weight: Floats,
    level: Floats,
    trend: Floats,
    season: Floats,
    damping: Ints,
    reach: Floats,
    month: int,
) -> None:
    """The weighted forecast, shape (horizon,): a sum over combinations for the level, for each damping's
    trend and for each calendar month, not for each lead."""
    height = 0.0
    for q in range(len(weight)):
        height += weight[q] * level[q]
    slope = np.zeros(len(reach))
    for q in range(len(weight)):
        slope[damping[q]] += weight[q] * trend[q]
    seasons = np.zeros(SEASON)
    for m in range(SEASON):
        value = 0.0
        for q in range(len(weight)):
            value += weight[q] * season[m, q]
        seasons[m] = value
    for h in range(len(out)):
        out[h] = height + seasons[(month + h) % SEASON]
        for d in range(len(reach)):
            out[h] += reach[d, h] * slope[d]
