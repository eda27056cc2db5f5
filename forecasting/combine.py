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


def weigh_by_lead(errors: Floats, sizes: Floats, origins: int) -> Floats:
    """Weights of candidates at each lead, shape (candidates, leads); at each lead they sum to one.

    `errors` and `sizes`, of the same shape, are the sums of `sums_by_lead`. Who is best a month ahead need
    not be so a year ahead, but few errors are behind each lead: weights are the geometric mean of those by
    the errors at that lead and those by the errors at all leads.
    """
    whole = _ratio(errors.sum(axis=1), sizes.sum(axis=1))
    at_all = weigh(whole.tolist(), origins)
    each = _ratio(errors, sizes)
    # A lead that no past origin has seen is judged as all of them together.
    each = np.where(np.isfinite(each), each, whole[:, None])
    at_each = np.array([weigh(at.tolist(), origins) for at in each.T]).T
    both = np.sqrt(at_each * at_all[:, None])
    return np.asarray(both / both.sum(axis=0))


def relative_error(errors: Floats, level: Floats) -> float:
    """Mean absolute error, shape (series, …) with NaN where none exists, over the series' level (series,).

    One number for many series: each counts by its size, as demand does in a WAPE.
    """
    total, size = sums_by_lead(errors.reshape(len(errors), -1, 1), level)
    return float(_ratio(total, size)[0])


def sums_by_lead(errors: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Sums of absolute errors (series, origins, leads), and of the level (series,) behind each, by lead.

    Their ratio is a relative error; both add up over parts of the series.
    """
    return _sums(errors, np.abs(level))


def _ratio(total: Floats, size: Floats) -> Floats:
    ratio: Floats = np.where(size > 0, total / np.where(size > 0, size, 1.0), np.nan)
    return ratio


@nb.njit(cache=True)
def _sums(errors: Floats, level: Floats) -> tuple[Floats, Floats]:
    series, origins, leads = errors.shape
    total, size = np.zeros(leads), np.zeros(leads)
    row, seen = np.empty(leads), np.empty(leads)
    for i in range(series):
        row[:], seen[:] = 0.0, 0.0
        for k in range(origins):
            for h in range(leads):
                if np.isfinite(errors[i, k, h]):
                    row[h] += abs(errors[i, k, h])
                    seen[h] += 1.0
        for h in range(leads):
            total[h] += row[h]
            size[h] += level[i] * seen[h]
    return total, size
