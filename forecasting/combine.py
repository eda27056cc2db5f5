"""Weights of candidates from their past errors, shrunk towards equal ones."""

from collections.abc import Sequence

import numba as nb
import numpy as np

from forecasting.arrays import Floats

# With all evidence, a candidate whose past error is 3 % larger than the best one's weighs two fifths as much.
_SHARPNESS = 30.0
# Errors of this many origins are believed by half.
_DOUBT = 6.0


def weigh(errors: Sequence[float], origins: int) -> Floats:
    """Weights that sum to one, from one past error per candidate; equal errors weigh the same.

    Weights in proportion to past performance rather than the best alone, the nearer to equal ones the
    fewer `origins` the errors come from: the forecast combination puzzle of Stock & Watson (2004). A
    candidate without a finite error gets none, unless all are so.
    """
    scores = np.asarray(errors, dtype=np.float64)
    usable = np.isfinite(scores)
    if not usable.any() or scores[usable].min() <= 0:
        perfect = usable & (scores <= 0) if usable.any() else np.ones(len(scores), dtype=bool)
        return perfect / perfect.sum()
    relative = np.where(usable, scores, np.inf) / scores[usable].min() - 1.0
    weights = np.exp(-_SHARPNESS * origins / (origins + _DOUBT) * relative)
    return np.asarray(weights / weights.sum())


def relative_error(errors: Floats, level: Floats) -> float:
    """Mean absolute error, shape (series, …) with NaN where none exists, over the series' level (series,).

    One number for many series: each counts by its size, as demand does in a WAPE.
    """
    total, scale = error_and_scale(errors, level)
    return total / scale if scale > 0 else float("nan")


def error_and_scale(errors: Floats, level: Floats) -> tuple[float, float]:
    """The two sums of `relative_error`, which add up over parts of the series."""
    return _sums(errors.reshape(len(errors), -1), np.abs(level))


@nb.njit(cache=True)
def _sums(errors: Floats, level: Floats) -> tuple[float, float]:
    total, scale = 0.0, 0.0
    for i in range(len(errors)):
        row, seen = 0.0, 0
        for error in errors[i]:
            if np.isfinite(error):
                row += abs(error)
                seen += 1
        total += row
        scale += level[i] * seen
    return total, scale
