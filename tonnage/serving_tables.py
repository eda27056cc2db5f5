"""The serving tables as the conductor sees them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from app.store.folds import keep_fold, read_fold
from app.store.leases import Fence
from app.store.lineage import Lineage
from app.store.publish import publish, record
from app.store.run_records import accepted_before
from app.store.shown import means_shown
from forecasting.hierarchy import Level
from forecasting.months import Month
from forecasting.run import ForecastRun
from retrain.folds import Fold
from retrain.jumps import Shown


@dataclass(frozen=True)
class PublishedRuns:
    """Where runs are recorded and shown."""

    engine: Engine
    fence: Fence | None = None

    def publish(self, run: ForecastRun, published_at: dt.datetime, lineage: Lineage) -> bool:
        return publish(self.engine, run, published_at, lineage, self.fence)

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
