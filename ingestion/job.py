"""The room's one verb: take the snapshot of a month."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import polars as pl

from forecasting.months import Month
from ingestion.accounts import changes, month_totals, totals
from ingestion.errors import EmptySource
from ingestion.limits import check_closed_months, check_rejects, count_by_reason
from ingestion.master_config import MasterConfig
from ingestion.master_data import MasterData, gather, strangers
from ingestion.order_line import KEYS
from ingestion.pull import Pulled, pull
from ingestion.repeats import find_repeats
from ingestion.snapshot import Manifest, MasterRecord, MonthChange, Place, Snapshot, SourceRecord, snapshot_id
from ingestion.snapshot_config import SnapshotConfig
from ingestion.snapshot_errors import BeyondLimits, RejectCount, TooManyRejects
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig
from ingestion.sources.source import open_source, read_table
from ingestion.units import DemandUnit


class Progress(Protocol):
    """Told after each batch how many rows a source has given so far."""

    def __call__(self, source: str, rows: int, /) -> None: ...


@dataclass(frozen=True)
class Order:
    """What to take: the sources in the order of the file, their master data, the unit, the limits.

    `full` pulls every slice, changed or not. `accepted` is the reason for which a person lets the limits
    be passed.
    """

    sources: Sequence[SourceConfig]
    master: Sequence[MasterConfig] = ()
    demand: DemandUnit = DemandUnit.TONNE
    limits: SnapshotConfig = field(default_factory=SnapshotConfig)
    full: bool = False
    accepted: str | None = None


def take_snapshot(
    month: Month,
    order: Order,
    *,
    store: SnapshotStore,
    taken_at: datetime,
    code_version: str,
    progress: Progress,
) -> Snapshot:
    """Bring the lines up to the end of `month` into the store: what changed is pulled, the rest taken over.

    There is no snapshot before all sources are read, proven complete and within the limits. While the
    sources say the same, a repeat gives the same id and changes nothing. Raises the errors of
    `ingestion.errors`.
    """
    with store.writing():
        before = store.newest()
        master = gather([(config, read_table(config)) for config in order.master])
        pulled = [
            _pulled(config, month, order=order, master=master, before=before, store=store, progress=progress)
            for config in order.sources
        ]
        places = _places(pulled)
        if before and places == before.places():
            repeats = before.repeats
            if (before.month, before.demand, before.master.id) == (month, order.demand, master.id):
                return before
        else:
            claims = {part: found for each in pulled for part, found in each.claims.items()}
            repeats = find_repeats(places, claims, store.read_part)
        records = tuple(_record(each, repeats, month) for each in pulled)
        manifest = Manifest(
            id=snapshot_id(month, order.demand, places, master, repeats),
            month=str(month),
            demand=order.demand,
            unit=order.demand.stored,
            sources=records,
            master=(),
            repeats=repeats.height,
            parent=before.id if before else None,
            changes=_changes(records, before, month),
            accepted=order.accepted,
            taken_at=taken_at,
            code_version=code_version,
        )
        snapshot = Snapshot(manifest.id, month, manifest, master, repeats, store.read_part)
        snapshot = _with_master_records(snapshot)
        if order.accepted is None:
            _refuse_beyond_limits(snapshot, before, order, store)
        return store.write(snapshot)


def _pulled(
    config: SourceConfig,
    month: Month,
    *,
    order: Order,
    master: MasterData,
    before: Snapshot | None,
    store: SnapshotStore,
    progress: Progress,
) -> Pulled:
    known = before.manifest.source(config.name) if before and not order.full else None
    with open_source(config).view() as view:
        found = pull(
            view,
            month,
            order.demand,
            master.weights,
            before=known,
            keep=store.write_part,
            progress=progress,
        )
    if not found.slices:
        raise EmptySource(config.name, month)
    return found


def _places(pulled: Sequence[Pulled]) -> list[Place]:
    return [Place(each.config.name, part.slice, part.part) for each in pulled for part in each.slices]


def _record(pulled: Pulled, repeats: pl.DataFrame, month: Month) -> SourceRecord:
    name = pulled.config.name
    kept, later, set_aside = totals(pulled.slices, repeats.filter(pl.col("source") == name), month)
    return SourceRecord(
        name=name,
        dialect=pulled.config.dialect,
        reading=pulled.reading,
        consistency=pulled.consistency,
        slices=pulled.slices,
        kept=kept,
        later=pulled.later + later.lines,
        set_aside=set_aside,
    )


def _changes(
    records: Sequence[SourceRecord], before: Snapshot | None, month: Month
) -> tuple[MonthChange, ...]:
    known = [(before.manifest.source(each.name), each) for each in records] if before else []
    return tuple(change for was, now in known if was for change in changes(was, now, month))


def _with_master_records(snapshot: Snapshot) -> Snapshot:
    """The same with an account of its master data, and of what its lines have that master data lacks."""
    master = snapshot.master
    if not master.tables:
        return snapshot
    keys = [lines.group_by(*KEYS).agg(pl.col("quantity").sum()) for lines, _ in snapshot.pieces()]
    unknown = strangers(pl.concat(keys), master)
    records = tuple(
        MasterRecord(
            key=key,
            attributes=tuple(name for name, owner in master.attributes.items() if owner == key),
            rows=table.height,
            conflicts=master.conflicts[key],
            unknown_keys=unknown[key].keys,
            unknown_quantity=unknown[key].quantity,
        )
        for key, table in master.tables.items()
    )
    return replace(snapshot, manifest=snapshot.manifest.model_copy(update={"master": records}))


def _refuse_beyond_limits(
    snapshot: Snapshot, before: Snapshot | None, order: Order, store: SnapshotStore
) -> None:
    """Raise what a limit finds; the lines set aside are kept for whoever has to look at them."""
    manifest = snapshot.manifest
    try:
        for config, record in zip(order.sources, manifest.sources, strict=True):
            _check_rejects(config, record, snapshot)
        if before:
            check_closed_months(
                _by_month(before.manifest),
                _by_month(manifest),
                snapshot.month,
                order.limits.max_change,
                snapshot.demand,
            )
    except BeyondLimits as limit:
        if snapshot.rejects.height:
            limit.kept_in = store.keep_rejects(f"{snapshot.month}-{snapshot.id[:12]}", snapshot.rejects)
        raise


def _check_rejects(config: SourceConfig, record: SourceRecord, snapshot: Snapshot) -> None:
    counts = [
        RejectCount(reason, each.lines, each.gross, None, "line", None)
        for reason, each in record.set_aside.items()
    ]
    try:
        check_rejects(config, snapshot.demand, record.kept.lines, record.kept.gross, counts)
    except TooManyRejects:
        # Only now are the lines themselves read, for examples to show.
        rejects = snapshot.rejects.filter(pl.col("source") == config.name)
        check_rejects(config, snapshot.demand, record.kept.lines, record.kept.gross, count_by_reason(rejects))


def _by_month(manifest: Manifest) -> dict[tuple[str, Month], int]:
    return {
        (source.name, Month.parse(month)): tally.quantity
        for source in manifest.sources
        for month, tally in month_totals(source).items()
    }
