"""All nodes of one level, forecast by themselves, before anything has to add up."""

from dataclasses import dataclass, replace

import numpy as np

from forecasting.arrays import Bools, Floats
from forecasting.demand_class import classify
from forecasting.fallbacks import Fallbacks
from forecasting.hindcasts import Hindcasts, hindcast
from forecasting.learned import Finish, begin_learning
from forecasting.models.boosted import Boosted
from forecasting.models.intermittent import OrdersAndSizes
from forecasting.models.protocol import SeriesBatch
from forecasting.models.two_part import TwoPart
from forecasting.recipe import Member, Recipe

# The global model is one of three members where demand is regular: it has earned no more than its share.
LEARNED_WEIGHT = 1 / 3
# It learns across series: with fewer there is nothing to learn across, with more, trees take too long.
_FEWEST, _MOST_BOOSTED = 50, 200_000
_UNBIASED: Member = "smoothing"


@dataclass(frozen=True, eq=False)
class LevelForecast:
    """Past and present forecasts of a level's nodes.

    `hindcasts` are those of the averaged members. `learned`, if any, is the distribution of the model
    that learns across series, for the nodes that ever had demand (`active`, shape (nodes,)); where
    demand is `intermittent` its quantiles stand alone. `fallback` says of each node who answered in the
    place of a member or of that model.
    """

    hindcasts: Hindcasts
    active: Bools
    learned: TwoPart | None
    intermittent: bool
    fallback: Fallbacks

    @property
    def mean(self) -> Floats:
        """What the level expects by itself, shape (nodes, horizon).

        Where demand is intermittent raw smoothing alone says so: it expects the mean, and its past errors are
        known: where leaves come and go, these tell the reconciliation to trust the levels above.
        """
        if self.learned is None or self.intermittent:
            return self.hindcasts.now
        learned = self.spread_out(self.learned.mean())
        return (1 - LEARNED_WEIGHT) * self.hindcasts.now + LEARNED_WEIGHT * learned

    def spread_out(self, values: Floats) -> Floats:
        """Values of the active nodes, shape (…, active, horizon), with zeros for all others."""
        out = np.zeros((*values.shape[:-2], len(self.active), values.shape[-1]))
        out[..., self.active, :] = values
        return out


@dataclass(frozen=True, eq=False)
class Learning:
    """A model that is learning across the series of a level; `finish`, if any, waits for it."""

    active: Bools
    intermittent: bool
    finish: Finish | None


def begin_level(recipe: Recipe, history: SeriesBatch, *, leaves: bool) -> Learning:
    """Begin to learn, for the leaves and where demand is intermittent, from each other's history."""
    active = (history.values > 0).any(axis=1)
    some = SeriesBatch(history.first, history.values[active], history.born[active])
    intermittent = (
        recipe.learned and bool(active.any()) and classify(some.values, some.born).level_is_intermittent
    )
    if not recipe.learned or active.sum() < _FEWEST or not (leaves or intermittent):
        return Learning(active, False, None)
    few_enough = len(some.values) <= _MOST_BOOSTED
    model = Boosted() if leaves and few_enough else OrdersAndSizes()
    return Learning(active, intermittent, begin_learning(model, some))


def forecast_level(
    recipe: Recipe, history: SeriesBatch, learning: Learning, origins: int, horizon: int
) -> LevelForecast:
    """Forecast the nodes of one level from their own history and by what is learned from each other's."""
    if learning.intermittent:
        # Logarithms forecast the middle, which is next to nothing; what adds up is the mean.
        recipe = replace(recipe, members=(_UNBIASED,))
    hindcasts, active = hindcast(recipe, history, origins, horizon), learning.active
    if learning.finish is None:
        return LevelForecast(hindcasts, active, None, intermittent=False, fallback=hindcasts.fallback)
    learned, fallback = learning.finish(horizon)
    fallback = hindcasts.fallback.also(fallback.spread_out(active, len(active)))
    return LevelForecast(hindcasts, active, learned, learning.intermittent and learned is not None, fallback)
