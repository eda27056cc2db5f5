"""The serving tables as the conductor sees them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from app.store.folds import keep_fold, read_fold
from app.store.lineage import Lineage
from app.store.publish import publish, record
from app.store.run_records import accepted_before, champion_before
from app.store.shown import means_shown
from forecasting.hierarchy import Level
from forecasting.months import Month
from forecasting.recipe import Recipe
from forecasting.run import ForecastRun
from retrain.folds import Fold
from retrain.jumps import Shown
from retrain.recipes import recipe_of
from retrain.registry import Candidate


@dataclass(frozen=True)
class PublishedRuns:
    """Where runs are recorded and shown."""

    engine: Engine

    def publish(self, run: ForecastRun, published_at: dt.datetime, lineage: Lineage) -> bool:
        return publish(self.engine, run, published_at, lineage)

    def record(self, run: ForecastRun, recorded_at: dt.datetime, lineage: Lineage) -> bool:
        return record(self.engine, run, recorded_at, lineage)

    def shown(self, levels: Sequence[Level]) -> Shown:
        return means_shown(self.engine, levels)

    def accepted(self, run_id: str) -> str | None:
        return accepted_before(self.engine, run_id)


@dataclass(frozen=True)
class KeptFolds:
    """Where folds are kept between months."""

    engine: Engine

    def find(self, key: str) -> Fold | None:
        found = read_fold(self.engine, key)
        return None if found is None else Fold(*found)

    def keep(self, key: str, recipe: str, origin: Month, fold: Fold) -> None:
        keep_fold(self.engine, key, recipe, origin, (fold.absolute, fold.pinball, fold.demand))


@dataclass(frozen=True)
class ShownChampions:
    """A registry that keeps nothing of its own: the champion is the recipe of the run that was shown."""

    engine: Engine

    def champion(self, before: Month) -> Recipe | None:
        content = champion_before(self.engine, before)
        return None if content is None else recipe_of(content)

    def record(self, candidate: Candidate) -> None:
        """Nothing: the store records a run when it shows it."""

    def promote(self, run: str) -> None:
        """Nothing: the store's pointer is what says who is champion."""
