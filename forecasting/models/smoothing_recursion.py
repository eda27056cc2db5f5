"""The recursion of smoothing: one series through many combinations of parameters at once."""

import numba as nb
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.naive import SEASON


@nb.njit(cache=True)
def start_window(age: int, origins: int) -> int:
    """First months of a series that its starting state is read from: three years, if that many came before
    the first origin, so that no origin sees its future."""
    return min(age, max(SEASON, min(3 * SEASON, age - origins)))


@nb.njit(cache=True)
def mean_while_young(y: Floats, first: int, window: int, out: Floats) -> None:
    """At origins inside the window, forecast the mean so far: nothing before birth."""
    origins = out.shape[0] - 1
    for k in range(origins):
        known = len(y) - origins + k
        if known - first < window:
            out[k] = y[first:known].mean() if known > first else 0.0


@nb.njit(cache=True)
def initial_state(y: Floats, first: int, phase: int, months: int) -> Floats:
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
def begin(start: Floats, grid: Floats) -> tuple[Floats, Floats, Floats]:
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
def step(y: float, level: Floats, trend: Floats, season: Floats, grid: Floats, error: Floats) -> None:
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
def steps_of(grid: Floats) -> Floats:
    """The grid by parameter, shape (4, combinations), with the season's weight as the recursion takes it."""
    steps = np.empty((4, len(grid)))
    for p in range(len(grid)):
        steps[0, p], steps[1, p], steps[3, p] = grid[p, 0], grid[p, 1], grid[p, 3]
        steps[2, p] = max(grid[p, 2], 0.0) * (1.0 - grid[p, 0])
    return steps


@nb.njit(cache=True)
def losses_of(y: Floats, first: int, phase: int, grid: Floats, start: Floats, origins: int) -> Floats:
    """Sum of squared one-step errors up to each origin, shape (origins + 1, combinations)."""
    months, count = len(y), len(grid)
    steps = steps_of(grid)
    level, trend, season = begin(start, grid)
    error, total = np.empty(count), np.zeros(count)
    losses = np.zeros((origins + 1, count))
    counted = first + burn_in(months - first)
    for t in range(first, months):
        step(y[t], level, trend, season[(t + phase) % SEASON], steps, error)
        if t >= counted:
            for p in range(count):
                total[p] += error[p] * error[p]
        k = t + 1 - (months - origins)
        if k >= 0:
            losses[k] = total
    return losses


@nb.njit(cache=True)
def burn_in(months: int) -> int:
    """First months whose errors tell more of the start than of the parameters."""
    return min(SEASON, months // 3)


@nb.njit(cache=True)
def add_up(
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
    steps = steps_of(some)
    level, trend, season = begin(start, some)
    error = np.empty(len(chosen))
    damping, dampings = _dampings(some)
    reach = _reach(dampings, horizon)
    # At all origins before its first month a series is what it starts as.
    for k in range(max(0, first - (months - origins)) + 1):
        _add(out[k], weights[k][chosen], level, trend, season, damping, reach, first + phase)
    for t in range(first, months):
        step(y[t], level, trend, season[(t + phase) % SEASON], steps, error)
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
