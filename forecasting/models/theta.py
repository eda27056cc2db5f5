"""The Theta method for all series of a batch in one compiled pass."""

from dataclasses import dataclass
from typing import Literal

import numba as nb
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.naive import SEASON
from forecasting.models.protocol import SeriesBatch

_ALPHAS = np.array([0.02, 0.05, *np.arange(0.1, 0.96, 0.05), 0.99])
# The line through fewer months than these is noise.
_MONTHS_FOR_SLOPE = 6
# One-sided 95 % point of the normal distribution: the season has to show in the autocorrelation.
_SEASON_SHOWS = 1.6448536269514722
# A season that divides by less than this is added instead.
_LEAST_FACTOR = 0.01


@dataclass(frozen=True)
class Theta:
    """Half the line through the series, half exponential smoothing: a drift of half the slope.

    Assimakopoulos & Nikolopoulos (2000), written as smoothing with drift after Hyndman & Billah (2003). A
    season of twelve months, where autocorrelation shows one, is taken out by classical decomposition and
    put back after; it is added where the series or a factor is not positive. The smoothing weight is the best
    of a grid, the starting level is that of least squares; each origin estimates everything anew.
    """

    season: Literal["additive", "multiplicative"] = "multiplicative"

    def hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> Floats:
        """See `Model.hindcast`; before a series is born, zero is forecast."""
        out = np.zeros((len(history.values), origins + 1, horizon))
        _hindcast(history.values, history.born, self.season == "multiplicative", out)
        return out


@nb.njit(parallel=True, cache=True)
def _hindcast(values: Floats, born: Ints, multiply: bool, out: Floats) -> None:
    """Fill `out` (series, origins + 1, horizon); each series by itself, so threads cannot change a bit."""
    months = values.shape[1]
    origins = out.shape[1] - 1
    for i in nb.prange(len(values)):
        for k in range(origins + 1):
            known = months - origins + k
            if known > born[i]:
                _forecast(values[i, born[i] : known], multiply, out[i, k])


@nb.njit(cache=True)
def _forecast(y: Floats, multiply: bool, out: Floats) -> None:
    """The months after `y`, into `out` (horizon,)."""
    months = len(y)
    season, multiplied = _season(y, multiply)
    flat = np.empty(months)
    for t in range(months):
        flat[t] = y[t] / season[t % SEASON] if multiplied else y[t] - season[t % SEASON]
    intercept, slope = _line(flat)
    alpha, level = _fit(flat, intercept, slope)
    for t in range(months):
        level = alpha * flat[t] + (1.0 - alpha) * level
    decay = (1.0 - alpha) ** months
    base = level + 0.5 * (decay * intercept + (1.0 - decay * (1.0 - alpha)) / alpha * slope)
    for h in range(len(out)):
        factor = season[(months + h) % SEASON]
        ahead = base + 0.5 * h * slope
        out[h] = ahead * factor if multiplied else ahead + factor


@nb.njit(cache=True)
def _season(y: Floats, multiply: bool) -> tuple[Floats, bool]:
    """Season by month since the first, shape (12,), and whether it multiplies; zeros where none shows."""
    if len(y) < 2 * SEASON or not _season_shows(y):
        return np.zeros(SEASON), False
    if multiply and y.min() > 0:
        season = _decompose(y, True)
        if season.min() >= _LEAST_FACTOR:
            return season, True
    return _decompose(y, False), False


@nb.njit(cache=True)
def _season_shows(y: Floats) -> bool:
    """Bartlett's test of the autocorrelation at lag twelve."""
    months = len(y)
    centred = y - y.mean()
    variance = (centred * centred).sum()
    if variance <= 0:
        return False
    squares, last = 0.0, 0.0
    for lag in range(1, SEASON + 1):
        squares += last * last
        last = (centred[lag:] * centred[:-lag]).sum() / variance
    return bool(abs(last) > _SEASON_SHOWS * np.sqrt((1.0 + 2.0 * squares) / months))


@nb.njit(cache=True)
def _decompose(y: Floats, multiply: bool) -> Floats:
    """Classical decomposition: mean distance of each calendar month from the centred moving average."""
    total, count = np.zeros(SEASON), np.zeros(SEASON)
    half = SEASON // 2
    for t in range(half, len(y) - half):
        around = y[t - half : t + half + 1]
        average = (around.sum() - 0.5 * (around[0] + around[-1])) / SEASON
        total[t % SEASON] += y[t] / average if multiply else y[t] - average
        count[t % SEASON] += 1.0
    season = total / count
    return season / season.mean() if multiply else season - season.mean()


@nb.njit(cache=True)
def _line(y: Floats) -> tuple[float, float]:
    """Intercept, one month before the first, and slope of the least-squares line."""
    months = len(y)
    mean = y.mean()
    if months < _MONTHS_FOR_SLOPE:
        return mean, 0.0
    middle = (months + 1) / 2
    slope = 0.0
    for t in range(months):
        slope += (t + 1 - middle) * (y[t] - mean)
    slope *= 12.0 / (months * (months * months - 1.0))
    return mean - slope * middle, slope


@nb.njit(cache=True)
def _fit(y: Floats, intercept: float, slope: float) -> tuple[float, float]:
    """Weight and starting level with the least squared one-step errors.

    Errors are linear in the starting level, so its best value for a weight needs no search.
    """
    count = len(_ALPHAS)
    level, decay = np.full(count, y[0]), np.ones(count)
    loss, cross, square = np.zeros(count), np.zeros(count), np.zeros(count)
    for t in range(len(y)):
        for p in range(count):
            alpha = _ALPHAS[p]
            left = decay[p] * (1.0 - alpha)
            error = y[t] - level[p] - 0.5 * (decay[p] * intercept + (1.0 - left) / alpha * slope)
            loss[p] += error * error
            cross[p] += error * decay[p]
            square[p] += decay[p] * decay[p]
            level[p] = alpha * y[t] + (1.0 - alpha) * level[p]
            decay[p] = left
    best = np.argmin(loss - cross * cross / square)
    return _ALPHAS[best], y[0] + cross[best] / square[best]
