"""The room's one verb: take the snapshot of a month."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

import polars as pl

from forecasting.months import Month
from ingestion.accounts import changes, totals
from ingestion.errors import EmptySource
from ingestion.limits import check_closed_months, check_rejects, count_by_reason
from ingestion.master_config import MasterConfig
from ingestion.master_data import MasterData, gather, strangers
from ingestion.order_line import KEYS
from ingestion.pull import Pulled, pull
from ingestion.repeats import claims_of, find_repeats
from ingestion.snapshot import Manifest, MasterRecord, Place, Snapshot, SourceRecord, snapshot_id
from ingestion.snapshot_config import SnapshotConfig
from ingestion.snapshot_errors import BeyondLimits, RejectCount, SnapshotDamaged, TooManyRejects
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
        before = _before(store, order)
        master = gather([(config, read_table(config)) for config in order.master])
        seen = {each.name: each for each in store.seen(before)} if before and not order.full else {}
        pulled = [
            _pulled(
                config,
                seen.get(config.name),
                month,
                order=order,
                master=master,
                store=store,
                progress=progress,
            )
            for config in order.sources
        ]
        places = _places(pulled)
        if before and (before.month, before.places()) == (month, places):
            repeats = before.repeats
        else:
            claims = {part: found for each in pulled for part, found in each.claims.items()}
            repeats = find_repeats(places, month, claims, store.read_part)
        records = tuple(_record(each, repeats, month) for each in pulled)
        wanted = snapshot_id(month, order.demand, places, master, repeats)
        if before and before.id == wanted:
            snapshot = before
        else:
            manifest = Manifest(
                id=wanted,
                month=str(month),
                demand=order.demand,
                unit=order.demand.stored,
                sources=records,
                master=(),
                repeats=repeats.height,
                parent=before.id if before else None,
                changes=(),
                accepted=None,
                taken_at=taken_at,
                code_version=code_version,
            )
            sealed = Snapshot(wanted, month, manifest, master, repeats, store.read_part)
            snapshot = store.write(_accepted(_accounted(sealed, before), order, store))
        store.point_to(snapshot, records)
        return snapshot


def _before(store: SnapshotStore, order: Order) -> Snapshot | None:
    """The snapshot taken last; one that cannot be read is no reason not to pull everything."""
    try:
        return store.newest()
    except SnapshotDamaged:
        if order.full:
            return None
        raise


def _pulled(
    config: SourceConfig,
    seen: SourceRecord | None,
    month: Month,
    *,
    order: Order,
    master: MasterData,
    store: SnapshotStore,
    progress: Progress,
) -> Pulled:
    with open_source(config).view() as view:
        found = pull(
            view,
            month,
            order.demand,
            master.weights,
            before=seen,
            keep=store.write_part,
            claims_of=partial(claims_of, month=month, across=len(order.sources) > 1),
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


def _accounted(snapshot: Snapshot, before: Snapshot | None) -> Snapshot:
    """The same with what changed since the one before, and what its lines have that master data lacks."""
    account: dict[str, object] = {"changes": tuple(changes(before, snapshot)) if before else ()}
    master = snapshot.master
    if master.tables:
        keys = [lines.group_by(*KEYS).agg(pl.col("quantity").sum()) for lines, _ in snapshot.pieces()]
        unknown = strangers(pl.concat(keys), master)
        account["master"] = tuple(
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
    return replace(snapshot, manifest=snapshot.manifest.model_copy(update=account))


def _accepted(snapshot: Snapshot, order: Order, store: SnapshotStore) -> Snapshot:
    """The snapshot if it is within the limits, or with the reason for which a person accepts it.

    Raises what a limit finds; the lines set aside are kept for whoever has to look at them.
    """
    manifest = snapshot.manifest
    try:
        for config, record in zip(order.sources, manifest.sources, strict=True):
            _check_rejects(config, record, snapshot)
        check_closed_months(manifest.changes, snapshot.month, order.limits.max_change, manifest.unit)
    except BeyondLimits as limit:
        if order.accepted is None:
            if snapshot.rejects.height:
                limit.kept_in = store.keep_rejects(f"{snapshot.month}-{snapshot.id[:12]}", snapshot.rejects)
            raise
        return replace(snapshot, manifest=manifest.model_copy(update={"accepted": order.accepted}))
    return snapshot


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
