"""The one place where settings become objects."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa

from app.settings import Settings as ServiceSettings
from app.store.engine import open_engine
from app.store.lineage import snapshots_of_runs
from app.store.migrate import migrate
from app.store.publish import publish
from app.store.shown import means_shown
from forecasting.hierarchy import Level
from forecasting.months import Month
from forecasting.run import ForecastRun
from ingestion.blobs import open_blobs
from ingestion.job import Order, Progress, take_snapshot
from ingestion.master_config import parse_master
from ingestion.snapshot import Manifest, Snapshot
from ingestion.snapshot_config import parse_snapshots
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import parse_demand, parse_sources
from retrain.drift_policy import parse_drift
from retrain.jumps import Shown, parse_bounds
from retrain.notify import parse_notifications
from retrain.pipeline import RetrainedMonth, retrain_month
from retrain.plan import parse_plan
from tonnage.closing import at_end
from tonnage.config import read_config
from tonnage.embedded import start_embedded
from tonnage.notifier import Notifier
from tonnage.onlooker import Onlooker
from tonnage.settings import Settings

CODE_VERSION = version("tonnage")


@dataclass(frozen=True)
class PublishedRuns:
    """The serving tables as the pipeline sees them."""

    engine: sa.Engine

    def publish(self, run: ForecastRun, published_at: dt.datetime) -> bool:
        return publish(self.engine, run, published_at)

    def shown(self, levels: Sequence[Level]) -> Shown:
        return means_shown(self.engine, levels)


@dataclass(frozen=True)
class House:
    """All rooms, furnished from settings; what a command does not touch is never made."""

    settings: Settings
    service: ServiceSettings

    @classmethod
    def from_environment(cls) -> "House":
        return cls(Settings(), ServiceSettings())

    @classmethod
    def for_command(cls) -> "House":
        """The house that a command works in; it is closed when the command ends."""
        house = cls.from_environment()
        at_end(house.close)
        return house

    @cached_property
    def database_url(self) -> str:
        """The server named by TONNAGE_DATABASE_URL, or the embedded one."""
        named = self.service.database_url
        if named is None:
            return start_embedded(self.settings.home).render_as_string(hide_password=False)
        return named.get_secret_value()

    @cached_property
    def engine(self) -> sa.Engine:
        """The serving database; the embedded one is migrated on the way."""
        engine = open_engine(self.database_url)
        if self.service.database_url is None:
            migrate(engine)
        return engine

    def close(self) -> None:
        """Give back the connections to the serving database, if there are any."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """Where sources find their URLs; the embedded database answers to its variable too."""
        return {**os.environ, "TONNAGE_DATABASE_URL": self.database_url}

    @cached_property
    def snapshots(self) -> SnapshotStore:
        return SnapshotStore(open_blobs(self.settings.snapshots or self.settings.home / "snapshots"))

    def migrate(self) -> None:
        """Bring the serving database to the schema of this version."""
        migrate(self.engine)

    def document(self, config: Path | None) -> Mapping[str, object]:
        """The configuration at a path, or where the settings say."""
        return read_config(config or self.settings.config).document

    def order(self, config: Path | None, *, full: bool = False, accepted: str | None = None) -> Order:
        """What the configuration says is to be taken."""
        document = self.document(config)
        return Order(
            parse_sources(document, self.environment),
            parse_master(document, self.environment),
            parse_demand(document),
            parse_snapshots(document),
            full,
            accepted,
        )

    def ingest(self, month: Month, order: Order, *, moment: dt.datetime, progress: Progress) -> Snapshot:
        """Take the snapshot of a month."""
        return take_snapshot(
            month,
            order,
            store=self.snapshots,
            taken_at=moment,
            code_version=CODE_VERSION,
            progress=progress,
        )

    def prune(self, months: int) -> tuple[int, int]:
        """Forget all snapshots but those of the newest months and of published runs; how many, and parts."""
        needed = snapshots_of_runs(self.engine)

        def unwanted(manifests: Sequence[Manifest]) -> set[str]:
            newest = set(sorted({each.month for each in manifests})[-months:])
            return {each.id for each in manifests if each.month not in newest} - needed

        return self.snapshots.forget(unwanted)

    def retrain(
        self,
        month: Month,
        config: Path | None,
        *,
        moment: dt.datetime,
        on_stage: Callable[[str], None],
        accepted: str | None = None,
    ) -> RetrainedMonth:
        """Run the month and publish it."""
        document = self.document(config)
        plan, bounds = parse_plan(document), parse_bounds(document)
        order = self.order(config, accepted=accepted)
        onlooker = self.onlooker(document, plan.levels)

        def run(on_stage: Callable[[str], None]) -> RetrainedMonth:
            return retrain_month(
                month,
                plan,
                take_snapshot=lambda month: self.ingest(month, order, moment=moment, progress=_quietly),
                store=PublishedRuns(self.engine),
                published_at=moment,
                code_version=CODE_VERSION,
                on_stage=on_stage,
                bounds=bounds,
                accepted=accepted,
            )

        return onlooker.watch(month, run, moment=moment, on_stage=on_stage)

    def onlooker(self, document: Mapping[str, object], levels: Sequence[Level]) -> Onlooker:
        """Who times a month, reviews it and tells people."""
        return Onlooker(
            self.engine,
            parse_drift(document, levels),
            Notifier(parse_notifications(document, self.environment)),
        )


def _quietly(source: str, rows: int) -> None:
    """A month shows its stages, not its rows."""
