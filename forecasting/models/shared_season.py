"""Smoothing without the season that a series shares with what it is part of."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats
from forecasting.models.naive import SEASON
from forecasting.models.protocol import SeriesBatch
from forecasting.models.smoothing import Smoothing

_SMOOTHING = Smoothing("log")


@dataclass(frozen=True)
class SharedSeason:
    """Smoothing on the log scale of what is left without the shared season, which is put back after.

    A season of its own may still be found in what is left. So a small or young series has a season from
    its first month on. Past origins see the season that was known before the first of them.
    """

    def hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> Floats:
        """See `Model.hindcast`."""
        if history.shared is None:
            return _SMOOTHING.hindcast(history, origins, horizon)
        forecasts = _without(history.shared.seasons_then, history, origins, horizon)
        forecasts[:, -1:] = _without(history.shared.seasons_now, history, 0, horizon)
        return forecasts


def _without(seasons: Floats, history: SeriesBatch, origins: int, horizon: int) -> Floats:
    months = history.n_months
    factors = np.exp(seasons)
    left = history.values / factors[:, np.arange(months) % SEASON]
    forecasts = _SMOOTHING.hindcast(SeriesBatch(history.first, left, history.born), origins, horizon)
    for k in range(origins + 1):
        forecasts[:, k] *= factors[:, (months - origins + k + np.arange(horizon)) % SEASON]
    return forecasts
