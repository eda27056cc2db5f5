"""Whether paired losses differ by more than chance would have it, from few overlapping origins."""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtr

from forecasting.arrays import Floats
from forecasting.months import Month

FEWEST_ORIGINS = 12
"""Below this the test has not been tried (benchmarks/contest.py)."""
_COSINES = 8


def by_target(values: Floats, origins: Sequence[Month]) -> Floats:
    """Sums over the origins that forecast the same month, shape (months,), from shape (origins, horizon).

    Months that nobody forecast are left out.
    """
    horizon = values.shape[1]
    first = min(origins)
    at = np.array([origin - first for origin in origins])[:, None] + np.arange(horizon)
    forecast = np.bincount(at.ravel()) > 0
    summed: Floats = np.bincount(at.ravel(), weights=values.ravel())[forecast]
    return summed


def p_of_gain(saved: Floats, lost: Floats, origins: Sequence[Month]) -> float:
    """Probability of saving as much by chance alone, one-sided; 1 where nothing differs or origins are few.

    `saved`, shape (origins, horizon), is what one recipe lost more than the other; `lost`, same shape,
    what it lost. The statistic of Diebold & Mariano (1995) on sums by target month, for errors of the same
    month hang together whatever their origin. What is saved varies around its share of what was lost; its
    long-run variance comes from slow cosines, and t has as many degrees of freedom as there are of them
    (Lazarus, Lewis, Stock & Watson 2018; Coroneo & Iacone 2020). The correction of Harvey, Leybourne &
    Newbold (1997) is no choice: it asks for more origins than months ahead.
    """
    gains, losses = by_target(saved, origins), by_target(lost, origins)
    months = len(gains)
    # Sums of demand near the largest float must not overflow when squared.
    scale = float(np.abs(losses).max(initial=0.0))
    if len(set(origins)) < FEWEST_ORIGINS or not (np.isfinite(gains).all() and 0 < scale < np.inf):
        return 1.0
    gains, losses = gains / scale, losses / scale
    share = gains.sum() / losses.sum()
    apart = gains - share * losses
    turns = np.arange(1, _COSINES + 1)[:, None] * (np.arange(months) + 0.5) / months
    waves = np.sqrt(2 / months) * np.cos(np.pi * turns) @ apart
    spread = np.sqrt(months * np.square(waves).mean())
    if spread <= 1e-12 * np.abs(gains).sum():
        return 0.0 if share > 0 else 1.0
    return float(stdtr(_COSINES, -gains.sum() / spread))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The same probabilities, corrected for how many comparisons were made (Holm 1979), in the same order.

    >>> holm([0.25, 0.125, 0.5])
    (0.5, 0.375, 0.5)
    """
    corrected, least = [1.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[at]))
        corrected[at] = least
    return tuple(corrected)
