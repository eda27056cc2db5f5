"""The one place where settings become objects."""

import datetime as dt
import os
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from app.absences import NeverShown
from app.settings import Settings as ServiceSettings
from app.store.engine import Patience, open_engine
from app.store.leases import Fence
from app.store.lineage import snapshots_of_runs
from app.store.migrate import migrate
from app.store.publish import roll_back
from app.store.run_records import RecordedRun, run_record
from forecasting.hierarchy import Level
from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.job import Order, Progress, take_snapshot
from ingestion.master_config import parse_master
from ingestion.snapshot import Manifest, Snapshot
from ingestion.snapshot_config import parse_snapshots
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import parse_demand, parse_sources
from retrain.drift_policy import parse_drift
from retrain.jumps import parse_bounds
from retrain.notify import parse_notifications
from retrain.pipeline import RetrainedMonth, Rules, retrain_month
from retrain.plan import parse_plan
from retrain.policy import parse_policy
from retrain.registry import CodeIdentity, Registry
from retrain.schedule import parse_schedule
from tonnage.closing import at_end
from tonnage.code_identity import code_identity
from tonnage.config import read_config
from tonnage.embedded import start_embedded
from tonnage.notifier import Notifier
from tonnage.onlooker import Onlooker
from tonnage.serving_tables import KeptFolds, PublishedRuns
from tonnage.settings import Settings
from tonnage.tracking import find_tracking, open_tracking
from tonnage.worker import Worker


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
    def name(self) -> str:
        """What this process is called beside its peers: its machine, its number, and what no other has."""
        return f"{socket.gethostname()[:30]}/{os.getpid()}/{secrets.token_hex(3)}"

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
        engine = open_engine(self.database_url, self.name)
        if self.service.database_url is None:
            migrate(engine)
        return engine

    def open_for_service(self, patience: Patience) -> sa.Engine:
        """The serving database as the service may use it: with limits; the embedded one is migrated."""
        if self.service.database_url is None:
            _ = self.engine
        return open_engine(self.database_url, self.name, patience)

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
        place = self.settings.snapshots or self.settings.home / "snapshots"
        return SnapshotStore(open_blobs(place, self.name))

    @cached_property
    def code(self) -> CodeIdentity:
        """Which code this is; kept with every run."""
        return code_identity(self.settings.commit)

    @cached_property
    def registry(self) -> Registry:
        """The record of all models; opening it takes seconds, for MLflow is imported and sets itself up."""
        return open_tracking(find_tracking(self.settings, self.engine), self.engine)

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
            code_version=self.code.version,
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
        fence: Fence | None = None,
    ) -> RetrainedMonth:
        """Run the month and publish it, unless the fence objects."""
        order = self.order(config, accepted=accepted)
        rules = self.rules(config)

        def run(on_stage: Callable[[str], None]) -> RetrainedMonth:
            return retrain_month(
                month,
                rules,
                take_snapshot=lambda month: self.ingest(month, order, moment=moment, progress=_quietly),
                registry=self.registry,
                store=PublishedRuns(self.engine, fence),
                folds=KeptFolds(self.engine),
                published_at=moment,
                code=self.code,
                on_stage=on_stage,
                accepted=accepted,
            )

        onlooker = self.onlooker(config, rules.plan.levels)
        return onlooker.watch(month, run, moment=moment, on_stage=on_stage)

    def onlooker(self, config: Path | None, levels: Sequence[Level]) -> Onlooker:
        """Who times a month, reviews it and tells people."""
        return Onlooker(self.engine, parse_drift(self.document(config), levels), self.notifier(config))

    def notifier(self, config: Path | None) -> Notifier:
        """Who tells people what happened."""
        return Notifier(parse_notifications(self.document(config), self.environment))

    def rules(self, config: Path | None) -> Rules:
        """What the configuration says of a month."""
        document = self.document(config)
        plan = parse_plan(document)
        return Rules(plan, parse_policy(document, plan.levels), parse_bounds(document))

    def roll_back(self, beginning: str, *, moment: dt.datetime) -> tuple[RecordedRun, str]:
        """Show a run again, and make its recipe champion; that run, and the id of what was shown before.

        Raises `NeverShown`, `UnknownRun` and `AmbiguousRun`, and then changes nothing.
        """
        run = run_record(self.engine, beginning)
        if run.published_at is None:
            raise NeverShown(run.id)
        # In the order in which a month does it: the record first, what people see last.
        self.registry.promote(run.id)
        return run, roll_back(self.engine, run.id, moment)

    def worker(self, config: Path | None, now: Callable[[], dt.datetime]) -> Worker:
        """Who runs the months that are due, and the jobs that were asked for."""
        return Worker(
            engine=self.engine,
            name=self.name,
            schedule=lambda: parse_schedule(self.document(config)),
            retrain=lambda month, **how: self.retrain(month, config, **how).run.id,
            ingest=lambda month, *, accepted, full, moment, progress: (
                self.ingest(
                    month,
                    self.order(config, full=full, accepted=accepted),
                    moment=moment,
                    progress=progress,
                ).id
            ),
            evict=self.snapshots.evict,
            now=now,
            tell=self.notifier(config).tell,
        )


def _quietly(source: str, rows: int) -> None:
    """A month shows its stages, not its rows."""
