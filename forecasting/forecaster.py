"""From a recipe and history to a coherent forecast."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats
from forecasting.errors import TooLittleHistory
from forecasting.forecast import Forecast, check_probabilities
from forecasting.models.naive import SeasonalNaive
from forecasting.models.protocol import Fitted, Model, SeriesBatch
from forecasting.models.smoothing import Smoothing
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe

MONTHS_NEEDED = 2

_MODELS: dict[str, Model] = {"seasonal_naive": SeasonalNaive(), "smoothing": Smoothing()}


@dataclass(frozen=True, eq=False)
class FittedForecaster:
    """A recipe that has learned from a panel."""

    recipe: Recipe
    panel: DemandPanel
    leaves: Fitted

    def forecast(self, horizon: int, probabilities: tuple[float, ...]) -> Forecast:
        """Coherent means and ordered quantiles for the `horizon` months after the panel's origin."""
        check_probabilities(probabilities)
        mean = self.panel.hierarchy.aggregate(np.maximum(self.leaves.forecast(horizon), 0.0))
        spread = self._spread(probabilities)
        quantiles = np.maximum(mean[None] + spread[:, :, None], 0.0)
        return Forecast(self.panel.hierarchy, self.panel.origin + 1, mean, probabilities, quantiles)

    def _spread(self, probabilities: tuple[float, ...]) -> Floats:
        """Quantiles of each node's past errors, shape (levels, nodes); leaves' errors add up per month."""
        errors = self.panel.hierarchy.aggregate(self.leaves.residuals)
        centred = errors - errors.mean(axis=1, keepdims=True)
        spread: Floats = np.quantile(centred, probabilities, axis=1)
        return spread


def fit(recipe: Recipe, panel: DemandPanel) -> FittedForecaster:
    """Learn from all of the panel; raises `TooLittleHistory` below two months."""
    if panel.n_months < MONTHS_NEEDED:
        raise TooLittleHistory(panel.n_months, MONTHS_NEEDED)
    batch = SeriesBatch(panel.first, panel.quantity, panel.born)
    return FittedForecaster(recipe, panel, _MODELS[recipe.model].fit(batch))
