"""Months are not alike from year to year: working days and Easter, estimated and taken out."""

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np

from forecasting.arrays import Floats
from forecasting.models.naive import SEASON
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month, months_from

_NORMAL_YEARS = range(1990, 2030)
_MONTHS_FOR_WORKING_DAYS = 48
# Easter falls in March about once in five years: with fewer of them, one odd March would pass for it.
_MONTHS_FOR_EASTER = 120
# No calendar effect of an Easter or a working day is larger than this, as a logarithm.
_LARGEST = 0.7
# The logarithm needs an offset where a month may be zero: five percent of the mean.
_OFFSET = 0.05


def calendar_factors(history: SeriesBatch, origins: int, horizon: int) -> tuple[Floats, Floats]:
    """What the calendar multiplies each month's demand by, shape (series, months + horizon), about 1.

    Two regressors, shrunk twice by empirical Bayes (Efron & Morris 1975): each series towards all, all
    towards no effect. With less than four years of history there is none, with less than ten none of Easter.
    Second, shape (series, origins), the same of the last `origins` months, each by what all other months
    teach: what is forecast for the past must not know how it came.
    """
    months = history.n_months
    regressors = calendar_regressors(history.first, months + horizon)
    if months < _MONTHS_FOR_WORKING_DAYS:
        factors = np.ones((len(history.values), len(regressors)))
        return factors, factors[:, :origins].copy()
    if months < _MONTHS_FOR_EASTER:
        regressors = regressors[:, 1:]
    fit = _fit(history, regressors[:months])
    factors = _factors(_shrunk(fit.slopes, fit.noise), regressors)
    unseen = factors[:, months - origins : months].copy()
    for place in range(len(fit.x)):
        past = place + SEASON // 2 - (months - origins)
        if past >= 0:
            regressor = regressors[None, months - origins + past]
            unseen[:, past] = _factors(_shrunk(fit.without(place), fit.noise), regressor)[:, 0]
    return factors, unseen


def _factors(slopes: Floats, regressors: Floats) -> Floats:
    """Shape (series, months), from effects (series, regressors) and regressors (months, regressors)."""
    factors: Floats = np.exp(np.clip(slopes @ regressors.T, -_LARGEST, _LARGEST))
    return factors


def calendar_regressors(first: Month, months: int) -> Floats:
    """Share of Easter and number of working days, less what is normal for the month, (months, 2)."""
    return np.array([_regressors(month) - _normal(month.month) for month in months_from(first, months)])


@cache
def _normal(month: int) -> Floats:
    return np.mean([_regressors(Month(year, month)) for year in _NORMAL_YEARS], axis=0)


@cache
def _regressors(month: Month) -> Floats:
    days = ((month + 1).first_day - month.first_day).days
    working = sum((month.first_day + dt.timedelta(day)).weekday() < 5 for day in range(days))
    sunday = easter_sunday(month.year)
    holidays = [sunday + dt.timedelta(day) for day in (-2, -1, 0, 1)]
    return np.array([sum(Month.of(day) == month for day in holidays) / len(holidays), float(working)])


def easter_sunday(year: int) -> dt.date:
    """The anonymous Gregorian computus (Meeus 1991).

    >>> easter_sunday(2026)
    datetime.date(2026, 4, 5)
    """
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    moon = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * moon) // 451
    month, day = divmod(h + moon - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Effects on the logarithm by least squares, and what each month had to do with them.

    `slopes` and `noise`, their error variances, have shape (series, regressors); `noise` is infinite, and
    slopes are zero, for the young. `unexplained`, shape (series, months), is what they leave of all but the
    first and the last half year; `x`, shape (months, regressors), is what they were learned from, `inverse`
    that of x'x, and `leverage`, shape (months,), how much each month draws the fit to itself.
    """

    slopes: Floats
    noise: Floats
    unexplained: Floats
    x: Floats
    inverse: Floats
    leverage: Floats

    def without(self, month: int) -> Floats:
        """The slopes had this month not been there: no need to fit anew (Belsley, Kuh & Welsch 1980)."""
        missed = self.unexplained[:, month] / (1.0 - self.leverage[month])
        slopes: Floats = self.slopes - missed[:, None] * (self.inverse @ self.x[month])
        return slopes


def _fit(history: SeriesBatch, regressors: Floats) -> _Fit:
    size = np.abs(history.values).mean(axis=1, keepdims=True)
    logs = np.log(np.maximum(history.values, 0.0) / np.where(size > 0, size, 1.0) + _OFFSET)
    inner = slice(SEASON // 2, history.n_months - SEASON // 2)
    months = np.arange(history.n_months)[inner] % SEASON
    seasons = np.eye(SEASON)[months]
    # Deviations from the year around them, with the mean of each calendar month taken out as well.
    project = np.eye(len(months)) - seasons @ np.linalg.pinv(seasons)
    y = (logs[:, inner] - _year_around(logs)) @ project
    x = project @ (regressors[inner] - _year_around(regressors.T).T)
    inverse = np.linalg.pinv(x.T @ x)
    slopes = y @ x @ inverse
    unexplained = y - slopes @ x.T
    spread = (unexplained**2).sum(axis=1) / (len(months) - SEASON - x.shape[1])
    noise = spread[:, None] * np.diag(inverse)[None, :]
    # A series must have lived through all of it; a constant one says nothing about the calendar.
    mute = (history.born > 0) | (spread <= 1e-12) | (history.values <= 0).all(axis=1)
    slopes[mute], unexplained[mute], noise[mute] = 0.0, 0.0, np.inf
    leverage = 1.0 / np.bincount(months)[months] + ((x @ inverse) * x).sum(axis=1)
    return _Fit(slopes, noise, unexplained, x, inverse, leverage)


def _year_around(values: Floats) -> Floats:
    """Centred mean over a year, shape (series, months - 12)."""
    kernel = np.full(SEASON + 1, 1.0 / SEASON)
    kernel[[0, -1]] /= 2
    windows = np.lib.stride_tricks.sliding_window_view(values, SEASON + 1, axis=1)
    around: Floats = windows @ kernel
    return around


def _shrunk(slopes: Floats, noise: Floats) -> Floats:
    """Effects of one group, shape (series, 2), each column on its own."""
    precision = 1.0 / noise
    total = precision.sum(axis=0)
    if not total.all():
        return np.zeros_like(slopes)
    mean = (precision * slopes).sum(axis=0) / total
    mean *= np.maximum(0.0, 1.0 - 1.0 / np.maximum(total * mean**2, 1e-300))
    known = np.isfinite(noise)
    excess = np.where(known, (slopes - mean) ** 2 - np.where(known, noise, 0.0), 0.0)
    between = np.maximum(excess.sum(axis=0) / known.sum(axis=0), 0.0)
    # A group of one has nobody to be compared with: it is its own mean.
    if known[:, 0].sum() < 2:
        between = np.zeros_like(between)
    shrunk: Floats = mean + np.where(known, between / (between + noise), 0.0) * (slopes - mean)
    return shrunk
