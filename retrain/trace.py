"""Where a number comes from: from a row of a run back to the order lines behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from app.absences import UnknownNode
from app.store.read import reading
from app.store.run_records import RecordedRun, as_published, run_record
from app.store.selection import select_from
from forecasting.hierarchy import Level, level_name
from forecasting.months import Month
from ingestion.node_lines import NodeLines, node_lines
from ingestion.snapshot import Manifest
from ingestion.snapshot_store import SnapshotStore
from ingestion.units import DemandUnit

_KILOGRAMS_PER_TONNE = 1000


@dataclass(frozen=True, eq=False)
class Trace:
    """A number of a run, and what it comes from.

    `where` names the node: values of the keys and attributes of its `level`. `mean` and `quantiles` are what
    was forecast, in the run's unit; `mean` is None where the month was history already, and then `lines` are
    those of that month. Otherwise they are all that the forecast learned from.
    """

    run: RecordedRun
    level: Level
    where: Mapping[str, str]
    month: Month
    mean: float | None
    quantiles: tuple[float, ...]
    snapshot: Manifest
    lines: NodeLines

    @property
    def bought(self) -> float:
        """What the lines add up to, in the run's unit: the nearest float to the exact amount."""
        return in_unit(self.lines.quantity, self.snapshot)


def in_unit(quantity: int, snapshot: Manifest) -> float:
    """A snapshot's integers in the unit of its forecasts."""
    return quantity / (_KILOGRAMS_PER_TONNE if snapshot.demand is DemandUnit.TONNE else 1)


def trace(
    engine: Engine,
    snapshots: SnapshotStore,
    run: str,
    where: Mapping[str, str],
    month: Month,
    *,
    most_lines: int,
) -> Trace:
    """Walk the number of a node and a month back to its lines; `where` without anything is the total.

    `run` is a run's id, or how it begins, and may never have been shown. Raises `UnknownRun`,
    `AmbiguousRun`, `UnknownLevel`, `UnknownNode`, `OutsideRun`, or what is wrong with the snapshot.
    """
    record = run_record(engine, run)
    held = as_published(record)
    forecast = month > record.origin
    at = month if forecast else None
    selection = select_from(held, level=level_name(tuple(where)), where=where, first=at, last=at)
    with reading(engine) as reader:
        rows = reader.forecasts(selection, 1).rows
    if not rows:
        key = next(iter(where))
        raise UnknownNode(key, where[key], level_name(selection.level))
    mean, *quantiles = rows[0].numbers[0] if forecast else (None,)
    snapshot = snapshots.read(record.snapshot)
    lines = node_lines(snapshot, where, month=None if forecast else month, most=most_lines)
    return Trace(
        record, selection.level, dict(where), month, mean, tuple(quantiles), snapshot.manifest, lines
    )
