"""How good a forecast was: each measure one small function over arrays (series, months).

A month whose actual value is NaN is not scored; forecasts must be finite. What has no meaning, such as
a share of no demand or a scale of zero, is NaN and never a warning.
"""

from collections.abc import Sequence

import numpy as np

from forecasting.arrays import Bools, Floats
from forecasting.models.naive import SEASON

CRPS_GRID = tuple(round(0.05 * step, 2) for step in range(1, 20))


def ratio(part: Floats | float, whole: Floats | float) -> Floats:
    """Part by whole, NaN where the whole is not above zero.

    >>> ratio(np.array([1.0, 1.0]), np.array([4.0, 0.0])).tolist()
    [0.25, nan]
    """
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    quotient: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return quotient


def wape(actual: Floats, forecast: Floats) -> float:
    """Sum of absolute errors as a share of demand, a median's measure (Kolassa & Schütz 2007)."""
    return float(ratio(_sum(np.abs(forecast - actual)), _sum(np.abs(actual))))


def bias(actual: Floats, forecast: Floats) -> float:
    """Sum of forecast less actual as a share of demand: above zero means too much was forecast."""
    return float(ratio(_sum(forecast - actual), _sum(np.abs(actual))))


def seasonal_scale(history: Floats, lag: int = SEASON) -> Floats:
    """Mean absolute difference to `lag` months before, shape (series,); NaN without a difference or if zero.

    The denominator of MASE (Hyndman & Koehler 2006): the seasonal naive's mean error in history.
    `history` has shape (series, months), NaN before a series was born.
    """
    return _positive(_mean(np.abs(history[:, lag:] - history[:, :-lag])))


def squared_scale(history: Floats, lag: int = 1) -> Floats:
    """Mean squared difference to `lag` months before, shape (series,); NaN without a difference or if zero.

    The denominator of RMSSE (Makridakis, Spiliotis & Assimakopoulos 2022, M5), which has a lag of one.
    """
    return _positive(_mean(np.square(history[:, lag:] - history[:, :-lag])))


def mase(actual: Floats, forecast: Floats, history: Floats, lag: int = SEASON) -> Floats:
    """Mean absolute error by the seasonal naive's in history, shape (series,) (Hyndman & Koehler 2006)."""
    return ratio(_mean(np.abs(forecast - actual)), seasonal_scale(history, lag))


def rmsse(actual: Floats, forecast: Floats, history: Floats, lag: int = 1) -> Floats:
    """Root of mean squared error by the naive's in history, shape (series,) (Makridakis et al. 2022, M5)."""
    return np.sqrt(ratio(_mean(np.square(forecast - actual)), squared_scale(history, lag)))


def pinball(actual: Floats, quantile: Floats, probability: float) -> Floats:
    """What a quantile loses in each month, shape as given (Koenker & Bassett 1978)."""
    over = quantile - actual
    return np.where(over >= 0, (1 - probability) * over, -probability * over)


def weighted_quantile_loss(actual: Floats, quantiles: Floats, probabilities: Sequence[float]) -> float:
    """Twice the pinball loss, mean over quantiles, as a share of demand.

    `quantiles` has shape (levels, series, months). On a dense even grid it tends to the continuous
    ranked probability score as a share of demand (Gneiting & Raftery 2007).
    """
    losses = [
        _sum(2 * pinball(actual, quantile, probability))
        for quantile, probability in zip(quantiles, probabilities, strict=True)
    ]
    return float(ratio(sum(losses) / len(losses), _sum(np.abs(actual)))) if losses else np.nan


def grouped_crps(actual: Floats, quantiles: Floats, parts: Sequence[slice]) -> Floats:
    """The score of the Tourism-L tables for each level, shape (levels,); its mean is the overall score.

    `quantiles` are those of `CRPS_GRID`; each of `parts` is a level's rows (Rangapuram et al. 2021).
    """
    return np.array([weighted_quantile_loss(actual[part], quantiles[:, part], CRPS_GRID) for part in parts])


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of scored months with low <= actual <= high; compare with the interval's probability."""
    return float(ratio(float(inside(actual, low, high).sum()), float((~np.isnan(actual)).sum())))


def inside(actual: Floats, low: Floats, high: Floats) -> Bools:
    """Which months fell within the interval, its ends included; an unscored month did not."""
    return (low <= actual) & (actual <= high)


def _sum(values: Floats) -> float:
    return float(np.nansum(values))


def _mean(values: Floats) -> Floats:
    """Mean of the known values of each row, NaN where none is known."""
    return ratio(np.nansum(values, axis=1), (~np.isnan(values)).sum(axis=1).astype(np.float64))


def _positive(scale: Floats) -> Floats:
    return np.where(scale > 0, scale, np.nan)
