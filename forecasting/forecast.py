"""A forecast: mean and quantiles of every node for every month ahead."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecasting.arrays import Floats
from forecasting.errors import BadForecast
from forecasting.fallbacks import Fallbacks
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month


@dataclass(frozen=True, eq=False)
class Forecast:
    """Mean and quantiles, in the panel's unit.

    `mean` has shape (nodes, horizon); `quantiles` has shape (levels, nodes, horizon), one slice for
    each probability in `probabilities`, which ascend. `fallback`, where somebody kept it, says of each
    node why another model than the recipe's answered.
    """

    hierarchy: Hierarchy
    first: Month
    mean: Floats
    probabilities: tuple[float, ...]
    quantiles: Floats
    fallback: Fallbacks | None = None

    def __post_init__(self) -> None:
        if self.mean.ndim != 2 or self.mean.shape[0] != self.hierarchy.n_nodes:
            raise BadForecast(
                f"mean has shape {self.mean.shape}, the hierarchy has {self.hierarchy.n_nodes} nodes"
            )
        check_probabilities(self.probabilities)
        if self.quantiles.shape != (len(self.probabilities), *self.mean.shape):
            raise BadForecast(
                f"quantiles have shape {self.quantiles.shape}, "
                f"expected {(len(self.probabilities), *self.mean.shape)}"
            )
        if self.fallback is not None and len(self.fallback) != self.hierarchy.n_nodes:
            raise BadForecast(
                f"there are {len(self.fallback)} reasons, the hierarchy has {self.hierarchy.n_nodes} nodes"
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.quantiles).all()):
            raise BadForecast("the forecast holds NaN or infinite values")
        if (self.mean < 0).any() or (self.quantiles < 0).any():
            raise BadForecast("the forecast holds negative values")
        if (np.diff(self.quantiles, axis=0) < 0).any():
            raise BadForecast("quantiles are out of order")

    @property
    def origin(self) -> Month:
        """The last month of history behind the forecast."""
        return self.first - 1

    @property
    def horizon(self) -> int:
        return int(self.mean.shape[1])

    def incoherence(self) -> float:
        """Largest gap between a node's mean and the sum of its leaves, relative to the node."""
        part = self.hierarchy.slices[-1]
        summed = self.hierarchy.aggregate(self.mean[part])
        scale = np.maximum(np.abs(summed), np.finfo(np.float64).tiny)
        return float(np.max(np.where(summed == self.mean, 0.0, np.abs(summed - self.mean) / scale)))


def check_probabilities(probabilities: tuple[float, ...]) -> None:
    """Refuse probabilities that are not strictly ascending inside (0, 1)."""
    if any(not 0 < p < 1 for p in probabilities):
        raise BadForecast(f"quantiles must lie between 0 and 1, got {list(probabilities)}")
    if any(low >= high for low, high in pairwise(probabilities)):
        raise BadForecast(f"quantiles must ascend without repeats, got {list(probabilities)}")


def quantile_name(probability: float) -> str:
    """Column name of a quantile.

    >>> [quantile_name(p) for p in (0.05, 0.5, 0.9, 0.975)]
    ['p05', 'p50', 'p90', 'p97_5']
    """
    percent = f"{probability * 100:.10g}"
    whole, _, fraction = percent.partition(".")
    return f"p{whole.zfill(2)}" + (f"_{fraction}" if fraction else "")
