"""What a recipe loses from one past origin, found out once and then kept."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from forecasting.arrays import Floats
from forecasting.backtest import backtest
from forecasting.checksum import panel_checksum
from forecasting.forecast import Forecast
from forecasting.hierarchy import Level, level_name
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe

type ByRecipe = Callable[[Recipe, DemandPanel, int, tuple[float, ...]], Forecast]
"""From a recipe, a panel, a horizon and probabilities to a forecast of the months after the panel's end."""


@dataclass(frozen=True)
class Question:
    """What is asked of every recipe at every origin."""

    levels: tuple[Level, ...]
    horizon: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Fold:
    """What a recipe lost from one origin, and the demand there, each of shape (levels, horizon).

    Sums over the nodes of a level, in the panel's unit; what they are is said at `Losses` and `Contest`.
    """

    absolute: Floats
    pinball: Floats
    demand: Floats


class FoldStore(Protocol):
    """Where folds are kept between months."""

    def find(self, key: str) -> Fold | None:
        """The fold of that key, to the last bit; None where it is not kept."""
        ...

    def keep(self, key: str, recipe: str, origin: Month, fold: Fold) -> None:
        """Keep a fold; what is kept already stays."""
        ...


@dataclass(frozen=True)
class Memory:
    """Folds of earlier contests, and the code that runs now: what other code found out does not count."""

    store: FoldStore
    code: str


class FoldFailed(Exception):
    """A recipe has no losses from an origin, apart from what is raised around it."""

    def __init__(self, origin: Month, what: str) -> None:
        super().__init__(f"from {origin}: {what}".rstrip(": "))


def fold_panel(panel: DemandPanel, origin: Month, horizon: int) -> DemandPanel:
    """All that the losses from an origin can follow from: what was bought up to the end of its horizon.

    Leaves that bought nothing until then add nothing and are left out, so that what they are called, and
    whether they are there at all, leaves no trace.
    """
    until = panel.until(origin + horizon)
    bought = until.quantity.any(axis=1)
    # Where nothing was bought by the origin, some leaf has to be there to be forecast.
    known = bought & (until.born < until.n_months - horizon)
    return until.keep(bought) if known.any() and not bought.all() else until


def fold_key(recipe: Recipe, origin: Month, question: Question, panel: str, code: str) -> str:
    """SHA-256 over everything that a fold follows from; `panel` is the checksum of its `fold_panel`."""
    content = {
        "format": "tonnage fold 1",
        "recipe": recipe.key,
        "origin": str(origin),
        "levels": [level_name(level) for level in question.levels],
        "horizon": question.horizon,
        "probabilities": question.probabilities,
        "panel": panel,
        "code": code,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Folds:
    """The folds of one panel: those that are remembered, and those that `forecast` has to be asked for."""

    panel: DemandPanel
    question: Question
    forecast: ByRecipe
    memory: Memory | None = None
    _checksums: dict[Month, str] = field(default_factory=dict)

    def of(self, recipe: Recipe, origin: Month) -> Fold:
        """What the recipe loses from an origin; raises `FoldFailed` for whatever it does wrong.

        What fails is not remembered: it may have been the machine's fault.
        """
        if self.memory is None:
            return self._find_out(recipe, origin)
        if origin not in self._checksums:
            self._checksums[origin] = panel_checksum(self._panel(origin))
        key = fold_key(recipe, origin, self.question, self._checksums[origin], self.memory.code)
        found = self.memory.store.find(key)
        if found is None:
            found = self._find_out(recipe, origin)
            self.memory.store.keep(key, recipe.name, origin, found)
        return found

    def _panel(self, origin: Month) -> DemandPanel:
        return fold_panel(self.panel, origin, self.question.horizon)

    def _find_out(self, recipe: Recipe, origin: Month) -> Fold:
        def forecaster(known: DemandPanel, months: int, asked: tuple[float, ...]) -> Forecast:
            try:
                return self.forecast(recipe, known, months, asked)
            except Exception as error:
                raise FoldFailed(origin, f"{type(error).__name__}: {error}") from error

        asked = self.question
        report = backtest(
            self._panel(origin),
            forecaster,
            [origin],
            asked.horizon,
            asked.probabilities,
            levels=asked.levels,
        )
        absolute, demand = report.sums.abs_error[0], report.sums.abs_actual[0]
        pinball = np.zeros_like(absolute)
        if asked.probabilities:
            pinball = 2 * report.sums.pinball[0].mean(axis=2)
        if not (np.isfinite(absolute).all() and np.isfinite(pinball).all()):
            raise FoldFailed(origin, "its losses are not finite")
        return Fold(absolute, pinball, demand)
