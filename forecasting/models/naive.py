"""The naive forecasts: the yardsticks that every other model has to beat."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats
from forecasting.models.protocol import SeriesBatch

SEASON = 12


@dataclass(frozen=True)
class Naive:
    """Each month repeats what came `lag` months before: 12 is the seasonal naive, 1 the last value.

    Where history is shorter than the lag, the last value is repeated.
    """

    lag: int = SEASON

    def hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> Floats:
        """See `Model.hindcast`."""
        known = history.n_months - origins + np.arange(origins + 1)
        lag = self.lag if known[0] >= self.lag else 1
        month = known[:, None] - lag + np.arange(horizon)[None, :] % lag
        return np.ascontiguousarray(history.values[:, month])
