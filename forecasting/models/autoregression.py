"""How months follow from the year before them, learned across all series of a hierarchy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numba as nb
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.naive import SEASON
from forecasting.models.protocol import SeriesBatch
from forecasting.models.training_rows import typical_rows

# A year of months without their season, a constant, and the season of the month asked for.
_COLUMNS = SEASON + 2
_CONSTANT, _SEASON = SEASON, SEASON + 1
_OFFSET = 0.05
# A year weighs less by this much than the one after it when seasons are averaged.
_FADE = 0.85
# Years of seasons needed before half of what they say is believed.
_DOUBT = 0.5
_TEACHERS = 1_000
_RIDGE = 0.01
# As logarithms: no month tells more than this, and beyond this above its largest month a series runs away.
_MOST_TOLD, _MOST_ABOVE = 5.0, 1.0


def learn_coefficients(levels: Sequence[SeriesBatch], origins: int, horizon: int) -> Floats:
    """Coefficients that hold for all series of a hierarchy, shape (origins + 1, horizon, columns).

    Those of an origin are learned from the months up to it, each level counting the same: one linear model
    for all series and one for each lead, by ridge regression (Montero-Manso & Hyndman 2021). It sees
    logarithms, relative to the year before, without their season, of which a part comes back.
    """
    last_known = levels[0].n_months - origins + np.arange(origins + 1) - 1
    gram = np.zeros((origins + 1, horizon, _COLUMNS, _COLUMNS))
    cross = np.zeros((origins + 1, horizon, _COLUMNS))
    for level in levels:
        rows = typical_rows(level.values, level.born, _TEACHERS)
        values, born = np.maximum(level.values[rows], 0.0), level.born[rows]
        told = _moments(values, *_views(values, born), horizon)
        within, border, answers = (np.cumsum(each, axis=0) for each in told)
        for k, h in np.ndindex(origins + 1, horizon):
            # The last origin whose answer at this lead is known.
            last = last_known[k] - 1 - h
            if last < 0 or within[last, _CONSTANT, _CONSTANT] <= 0:
                continue
            count = within[last, _CONSTANT, _CONSTANT]
            gram[k, h, :_SEASON, :_SEASON] += within[last] / count
            gram[k, h, _SEASON, :] += border[last, h] / count
            cross[k, h] += answers[last, h] / count
    gram[..., :_SEASON, _SEASON] = gram[..., _SEASON, :_SEASON]
    ridge = _RIDGE * np.trace(gram, axis1=2, axis2=3) / _COLUMNS
    ridge = np.where(ridge > 0, ridge, 1.0)
    solved = np.linalg.solve(gram + ridge[:, :, None, None] * np.eye(_COLUMNS), cross[..., None])
    coefficients: Floats = solved[..., 0]
    return coefficients


@dataclass(frozen=True)
class Autoregression:
    """Each month ahead from the last twelve, by coefficients learned across series.

    They are those that the batch shares with its hierarchy; alone, it learns its own. In its first year a
    series is forecast as its mean so far, and after a year of nothing as nothing.
    """

    def hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> Floats:
        """See `Model.hindcast`."""
        if history.shared is None:
            coefficients = learn_coefficients([history], origins, horizon)
        else:
            coefficients = history.shared.coefficients
        out = np.zeros((len(history.values), origins + 1, horizon))
        _hindcast(np.maximum(history.values, 0.0), history.born, coefficients, out)
        return out


@nb.njit(cache=True)
def _log(ratio: float) -> float:
    """Zero for a month like the mean of its year."""
    value: float = np.log(ratio + _OFFSET) - np.log(1.0 + _OFFSET)
    return value


@nb.njit(cache=True)
def _look(
    y: Floats, first: int, t: int, years: Floats, weights: Floats, view: Floats, season: Floats
) -> float:
    """What is seen at the end of month `t`: the mean of the last year, with `view` and `season` (12,) filled.

    `view` holds the last twelve months as logarithms without their season, the oldest first; `season` that
    of the next twelve. `years`, shape (12, 12), and `weights`, shape (12,), keep the sums of seasons by
    calendar month and are brought up to date: months must be looked at one after the other.
    """
    scale = 0.0
    for j in range(SEASON):
        scale += y[t - SEASON + 1 + j] / SEASON
    whole = t - SEASON + 1 >= first and scale > 0.0
    total, weight = years[t % SEASON], weights[t % SEASON] * _FADE
    for j in range(SEASON):
        view[j] = _log(y[t - SEASON + 1 + j] / scale) if scale > 0.0 else 0.0
        total[j] = _FADE * total[j] + (view[j] if whole else 0.0)
    weight += 1.0 if whole else 0.0
    weights[t % SEASON] = weight
    for j in range(SEASON):
        season[j] = total[j] / (weight + _DOUBT) if weight > 0.0 else 0.0
        view[j] -= season[j]
    return scale if whole else 0.0


@nb.njit(parallel=True, cache=True)
def _views(values: Floats, born: Ints) -> tuple[Floats, Floats, Floats]:
    """What is seen of each series at each month: (series, months, 12) twice, and the scale (series, months).

    A scale of zero says that a year has not been seen, or that it was empty.
    """
    series, months = values.shape
    views, seasons = np.zeros((series, months, SEASON)), np.zeros((series, months, SEASON))
    scales = np.zeros((series, months))
    for i in nb.prange(series):
        years, weights = np.zeros((SEASON, SEASON)), np.zeros(SEASON)
        for t in range(SEASON - 1, months):
            scales[i, t] = _look(values[i], born[i], t, years, weights, views[i, t], seasons[i, t])
    return views, seasons, scales


@nb.njit(parallel=True, cache=True)
def _moments(
    values: Floats, views: Floats, seasons: Floats, scales: Floats, horizon: int
) -> tuple[Floats, Floats, Floats]:
    """Sums over series of the products of columns by month of origin, each by one thread alone.

    Among the columns that are the same at all leads, (months, 13, 13); of the season's with all, and of the
    answer with all, (months, horizon, 14).
    """
    series, months = values.shape
    within = np.zeros((months, _SEASON, _SEASON))
    border, answers = np.zeros((months, horizon, _COLUMNS)), np.zeros((months, horizon, _COLUMNS))
    for t in nb.prange(months):
        x = np.ones(_COLUMNS)
        for i in range(series):
            if scales[i, t] <= 0.0:
                continue
            x[:SEASON] = views[i, t]
            for a in range(_SEASON):
                for b in range(_SEASON):
                    within[t, a, b] += x[a] * x[b]
            for h in range(min(horizon, months - 1 - t)):
                season = seasons[i, t, h % SEASON]
                x[_SEASON] = season
                told = _log(values[i, t + 1 + h] / scales[i, t]) - season
                told = min(max(told, -_MOST_TOLD), _MOST_TOLD)
                for a in range(_COLUMNS):
                    border[t, h, a] += x[a] * season
                    answers[t, h, a] += x[a] * told
    return within, border, answers


@nb.njit(parallel=True, cache=True)
def _hindcast(values: Floats, born: Ints, coefficients: Floats, out: Floats) -> None:
    """Fill `out` (series, origins + 1, horizon); each series by itself, so threads cannot change a bit."""
    months = values.shape[1]
    origins = out.shape[1] - 1
    for i in nb.prange(len(values)):
        years, weights = np.zeros((SEASON, SEASON)), np.zeros(SEASON)
        view, season = np.zeros(SEASON), np.zeros(SEASON)
        largest, total = 0.0, 0.0
        for t in range(months):
            largest = max(largest, values[i, t])
            total += values[i, t]
            scale = _look(values[i], born[i], t, years, weights, view, season) if t >= SEASON - 1 else 0.0
            k = t + 1 - (months - origins)
            if k < 0 or t < born[i]:
                continue
            if scale > 0.0:
                _predict(view, season, scale, largest, coefficients[k], out[i, k])
            elif t - born[i] < SEASON - 1:
                out[i, k] = total / (t + 1 - born[i])


@nb.njit(cache=True)
def _predict(
    view: Floats, season: Floats, scale: float, largest: float, coefficients: Floats, out: Floats
) -> None:
    most = _log(largest / scale) + _MOST_ABOVE
    for h in range(len(out)):
        told = season[h % SEASON] * (1.0 + coefficients[h, _SEASON]) + coefficients[h, _CONSTANT]
        for j in range(SEASON):
            told += coefficients[h, j] * view[j]
        ahead = np.exp(min(told, most)) * (1.0 + _OFFSET) - _OFFSET
        out[h] = max(ahead, 0.0) * scale
