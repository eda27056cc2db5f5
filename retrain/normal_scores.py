"""How far what came is from what was said, by the forecast's own distribution."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from forecasting.arrays import Floats

FARTHEST = 4.0
"""No month counts for more: a single absurd month is no drift, and no tail is known further out."""

RIGHT = 0.01
"""What came within a hundredth of the middle is what was said, however sure the forecast was."""


def normal_scores(actual: Floats, probabilities: Sequence[float], quantiles: Floats) -> Floats:
    """What came as a standard normal deviate, shape as `actual`: above zero, more came than was said.

    The probability transform (Dawid 1984) on the scale of the normal distribution. `quantiles` has shape
    (levels, *actual.shape) and ascends; between two of them scores lie on a straight line, beyond the last
    the tail is normal. Where what came meets several quantiles at once, most often zero, it gets the middle
    of all their probability. What is `RIGHT` scores zero. NaN where there are not two quantiles.

    >>> said = np.array([[8.0], [10.0], [14.0]])
    >>> [float(normal_scores(np.array([came]), (0.1, 0.5, 0.9), said)[0].round(3)) for came in (10, 14, 9)]
    [0.0, 1.282, -0.641]
    """
    levels = np.asarray(probabilities, dtype=np.float64)
    if len(levels) < 2:
        return np.full(actual.shape, np.nan)
    deviates = ndtri(levels)
    under = (quantiles < actual).sum(axis=0)
    upto = (quantiles <= actual).sum(axis=0)
    low = np.where(under == 0, 0.0, levels[np.minimum(under, len(levels) - 1)])
    high = np.where(upto == len(levels), 1.0, levels[np.maximum(upto - 1, 0)])
    met = np.where(upto - under == 1, deviates[np.minimum(under, len(levels) - 1)], ndtri((low + high) / 2))
    scores = np.where(upto > under, met, _apart(actual, deviates, quantiles, under))
    middle = quantiles[int(np.argmin(np.abs(deviates)))]
    right = (np.abs(actual - middle) <= RIGHT * middle) & (middle > 0)
    found: Floats = np.where(right, 0.0, np.clip(scores, -FARTHEST, FARTHEST))
    return found


def _apart(actual: Floats, deviates: Floats, quantiles: Floats, under: np.ndarray) -> Floats:
    """The score of what meets no quantile; `under` of them are less."""
    last, middle = len(deviates) - 1, int(np.argmin(np.abs(deviates)))
    # The two quantiles that a line goes through: its neighbours, or the outermost and the middle one.
    first = np.where(under == 0, 0, np.where(under > last, min(middle, last - 1), under - 1))
    second = np.where(under == 0, max(middle, 1), np.where(under > last, last, under))
    left = np.take_along_axis(quantiles, first[None], 0)[0]
    right = np.take_along_axis(quantiles, second[None], 0)[0]
    width = right - left
    flat = np.where(actual > left, np.inf, -np.inf)
    slope = np.divide(deviates[second] - deviates[first], width, out=np.zeros(width.shape), where=width > 0)
    line = deviates[first] + (actual - left) * slope
    return np.where(width > 0, line, flat)
