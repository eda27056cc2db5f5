"""Additive exponential smoothing of level and season, all series of a batch in one pass."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from forecasting.arrays import Bools, Floats
from forecasting.models.naive import SEASON
from forecasting.models.protocol import SeriesBatch

_LEVEL_WEIGHTS = (0.05, 0.15, 0.3, 0.5)
_SEASON_WEIGHTS = (0.0, 0.1, 0.25)


@dataclass(frozen=True, eq=False)
class FittedSmoothing:
    """Level (series,) and the season of the next twelve months (series, 12)."""

    level: Floats
    season: Floats
    residuals: Floats

    def forecast(self, horizon: int) -> Floats:
        ahead = np.arange(horizon) % SEASON
        return np.maximum(self.level[:, None] + self.season[:, ahead], 0.0)


class Smoothing:
    """Level and season of twelve months (Hyndman & Athanasopoulos, FPP3, chapter 8).

    Each series takes the pair of smoothing weights with the least squared one-step error.
    """

    def fit(self, history: SeriesBatch) -> FittedSmoothing:
        candidates = (_smooth(history, *weights) for weights in product(_LEVEL_WEIGHTS, _SEASON_WEIGHTS))
        best = next(candidates)
        for fitted in candidates:
            better = np.square(fitted.residuals).sum(axis=1) < np.square(best.residuals).sum(axis=1)
            best = _choose(better, fitted, best)
        return best


def _smooth(history: SeriesBatch, alpha: float, gamma: float) -> FittedSmoothing:
    """Run the recursion from each series' first month; the season starts flat."""
    level = _first_year_mean(history)
    season = np.zeros((len(history.values), SEASON))
    residuals = np.zeros_like(history.values)
    for month in range(history.n_months):
        alive = history.born <= month
        phase = month % SEASON
        error = np.where(alive, history.values[:, month] - level - season[:, phase], 0.0)
        level = level + alpha * error
        season[:, phase] += gamma * error
        residuals[:, month] = error
    ahead = (history.n_months + np.arange(SEASON)) % SEASON
    return FittedSmoothing(level, season[:, ahead], residuals)


def _first_year_mean(history: SeriesBatch) -> Floats:
    age = np.arange(history.n_months)[None, :] - history.born[:, None]
    first_year = (age >= 0) & (age < SEASON)
    total = np.where(first_year, history.values, 0.0).sum(axis=1)
    mean: Floats = total / np.maximum(first_year.sum(axis=1), 1)
    return mean


def _choose(better: Bools, new: FittedSmoothing, old: FittedSmoothing) -> FittedSmoothing:
    return FittedSmoothing(
        np.where(better, new.level, old.level),
        np.where(better[:, None], new.season, old.season),
        np.where(better[:, None], new.residuals, old.residuals),
    )
