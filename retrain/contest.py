"""Champion, challengers and a yardstick forecast from the same past origins: what each of them lost there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats
from forecasting.backtest import origins
from forecasting.errors import TooFewOrigins
from forecasting.forecast import Forecast
from forecasting.forecaster import fit
from forecasting.hierarchy import Level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from retrain.folds import ByRecipe, FoldFailed, Folds, Memory, Question
from retrain.recipes import shipped_recipes

YARDSTICK = "seasonal-naive"


@dataclass(frozen=True, eq=False)
class Losses:
    """What a recipe lost, shape (origins, levels, horizon), in the panel's unit.

    Both are sums over the nodes of a level, so a node weighs what it buys. `absolute` are errors of the
    median; `pinball` is twice the pinball loss, mean over quantiles, zero without any.
    """

    absolute: Floats
    pinball: Floats


@dataclass(frozen=True, eq=False)
class Entry:
    """One recipe in a contest: its losses, or the reason why there are none."""

    recipe: Recipe
    losses: Losses | None
    failure: str = ""


@dataclass(frozen=True, eq=False)
class Contest:
    """What was found on one panel, from the same origins for all.

    `demand` has shape (origins, levels, horizon): absolute demand of what is scored. Every entry is scored
    on the same nodes, origins and leads, so differences of sums are sums of paired differences.
    """

    levels: tuple[Level, ...]
    origins: tuple[Month, ...]
    horizon: int
    probabilities: tuple[float, ...]
    demand: Floats
    entries: tuple[Entry, ...]
    yardstick: Recipe

    def entry(self, recipe: Recipe) -> Entry:
        """That recipe's entry; one without losses where it did not take part."""
        for entry in self.entries:
            if entry.recipe == recipe:
                return entry
        return Entry(recipe, None, "it took no part")


@dataclass(frozen=True)
class Progress:
    """The recipe that is about to forecast from an origin; `done` of `total` forecasts are made."""

    recipe: str
    origin: Month
    done: int
    total: int


def contest_origins(panel: DemandPanel, count: int, step: int, horizon: int) -> tuple[Month, ...]:
    """Up to `count` past origins, `step` months apart: as many as history has room for, perhaps none."""
    try:
        return origins(panel, count, step, horizon)
    except TooFewOrigins as error:
        return origins(panel, error.fit, step, horizon) if error.fit else ()


def yardstick() -> Recipe:
    """The same month of the last year: what every recipe is compared with."""
    return shipped_recipes().pick(YARDSTICK)


def fit_and_forecast(
    recipe: Recipe, panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]
) -> Forecast:
    """What a recipe says of the months after a panel's end."""
    return fit(recipe, panel, horizon).forecast(probabilities)


def hold_contest(
    recipes: Sequence[Recipe],
    panel: DemandPanel,
    horizon: int,
    origins: Sequence[Month],
    probabilities: tuple[float, ...],
    *,
    levels: Sequence[Level] | None = None,
    forecast: ByRecipe = fit_and_forecast,
    memory: Memory | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Contest:
    """Backtest every recipe once, and the yardstick with them, from the same origins of one panel.

    A recipe that raises, or whose losses are not finite on some fold, has no losses but a reason. What
    `on_progress` or the memory raises ends the contest: whoever lost the right to go on must not be taken
    for a bad recipe. With or without a memory the contest is the same, to the last bit.
    """
    measure = yardstick()
    entrants = tuple(dict.fromkeys([*recipes, measure]))
    question = Question(tuple(panel.hierarchy.levels if levels is None else levels), horizon, probabilities)
    total = len(entrants) * len(origins)
    demand = np.zeros((len(origins), len(question.levels), horizon))
    if not origins:
        nothing = f"none of the {panel.n_months} months of history has room for a past origin"
        entries = tuple(Entry(recipe, None, nothing) for recipe in entrants)
        return Contest(question.levels, (), horizon, probabilities, demand, entries, measure)
    folds, found = Folds(panel, question, forecast, memory), []
    for place, recipe in enumerate(entrants):
        own = []
        try:
            for at, origin in enumerate(origins):
                on_progress(Progress(recipe.name, origin, place * len(origins) + at, total))
                own.append(folds.of(recipe, origin))
        except FoldFailed as failed:
            found.append(Entry(recipe, None, str(failed)))
            continue
        demand = np.stack([fold.demand for fold in own])
        losses = Losses(np.stack([fold.absolute for fold in own]), np.stack([fold.pinball for fold in own]))
        found.append(Entry(recipe, losses))
    return Contest(question.levels, tuple(origins), horizon, probabilities, demand, tuple(found), measure)
