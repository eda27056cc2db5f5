"""The seasonal naive forecast: the yardstick that every other model has to beat."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats
from forecasting.models.protocol import SeriesBatch

SEASON = 12


@dataclass(frozen=True, eq=False)
class FittedSeasonalNaive:
    """The last year of each series, shape (series, 12)."""

    last_year: Floats
    residuals: Floats

    def forecast(self, horizon: int) -> Floats:
        repeats = -(-horizon // self.last_year.shape[1])
        return np.tile(self.last_year, repeats)[:, :horizon]


class SeasonalNaive:
    """Each month repeats the same month of the year before; with less than a year, the last value."""

    def fit(self, history: SeriesBatch) -> FittedSeasonalNaive:
        lag = SEASON if history.n_months > SEASON else 1
        residuals = np.zeros_like(history.values)
        residuals[:, lag:] = history.values[:, lag:] - history.values[:, :-lag]
        unknown = np.arange(history.n_months)[None, :] < history.born[:, None] + lag
        residuals[unknown] = 0.0
        return FittedSeasonalNaive(history.values[:, -lag:], residuals)
