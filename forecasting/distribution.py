"""Quantiles of a level's nodes around their reconciled means."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats
from forecasting.level_forecast import LEARNED_WEIGHT, LevelForecast
from forecasting.spread import Spread


@dataclass(frozen=True, eq=False)
class LevelDistribution:
    """What each node of a level may turn out to be.

    Where demand is intermittent, the model of orders and sizes says so alone: around a mean of half a
    coil lie no symmetric errors, but nothing or a coil. Elsewhere past errors around the reconciled mean
    say so, averaged quantile by quantile with the learned model where there is one (Lichtendahl,
    Grushka-Cockayne & Winkler 2013).
    """

    level: LevelForecast
    spread: Spread

    def quantiles(self, probabilities: tuple[float, ...]) -> Floats:
        """Shape (levels, nodes, horizon), ordered and non-negative."""
        learned = self.level.learned
        if learned is None:
            return self.spread.quantiles(probabilities)
        own = self.level.spread_out(learned.quantiles(probabilities))
        if self.level.intermittent:
            return own
        around = self.spread.quantiles(probabilities)
        moved = np.maximum(own + (self.spread.mean - self.level.spread_out(learned.mean())), 0.0)
        mixed: Floats = (1 - LEARNED_WEIGHT) * around + LEARNED_WEIGHT * moved
        return mixed
