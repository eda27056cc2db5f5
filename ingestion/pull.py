"""One source's part of a snapshot: see what changed, pull that, prove that all of it came."""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from forecasting.months import Month
from ingestion.clean import read_lines, settle
from ingestion.errors import SourceMoved
from ingestion.fingerprint import Fingerprint, changed, is_later
from ingestion.order_line import PART_LINES, PART_REJECTS
from ingestion.part import Part, content_hash, part_of
from ingestion.raw_lines import RawLines
from ingestion.snapshot import SliceRecord, SourceRecord, months_of, tallies
from ingestion.source_config import SourceConfig
from ingestion.sources.source import SourceView
from ingestion.spool import Spool, ahead
from ingestion.units import FACTORS, DemandUnit, factors, spelled_plainly

_THREADS = 3

READING = 2
"""Raise it when cleaning comes to mean something else: slices are then pulled anew, and not taken over."""


@dataclass(frozen=True)
class Pulled:
    """The slices of one source up to a month, each with a part that is in the store, and how it was read.

    `claims` are those of the parts that were not there before; see `ingestion.repeats`.
    """

    config: SourceConfig
    reading: str
    consistency: str
    slices: tuple[SliceRecord, ...]
    later: int
    claims: Mapping[str, pl.DataFrame]


def pull(
    view: SourceView,
    month: Month,
    demand: DemandUnit,
    weights: pl.DataFrame | None,
    *,
    before: SourceRecord | None,
    keep: Callable[[Part], None],
    claims_of: Callable[[Part], pl.DataFrame],
    progress: Callable[[str, int], None],
) -> Pulled:
    """Pull the slices that are not as they were, and take over the others.

    The first time all lines are read, and the source counts and adds up afterwards, both in one pass. Each
    new part is given to `keep`. Raises `SourceMoved` where lines or kilograms read are not those that the
    source itself counts.
    """
    weights = weights if _may_count_pieces(view.config, demand) else None
    reading = _reading(view, demand, weights)
    known = {each.slice: each for each in before.slices} if before and before.reading == reading else {}
    now, stale = None, None
    if known:
        now = view.fingerprints()
        wanted = {name: now[name] for name in _up_to(month, now, view)}
        stale = changed(wanted, {name: each.fingerprint for name, each in known.items()})

    def seal(name: str) -> tuple[str, Part, pl.DataFrame]:
        part = read.part(name)
        keep(part)
        return name, part, claims_of(part)

    with tempfile.TemporaryDirectory(prefix="tonnage-") as folder:
        read = _Read(Path(folder))
        for batch in ahead(view.lines(stale)):
            read.add(batch, view, month, demand, weights)
            progress(view.config.name, read.counts.total())
        read.close()
        factors = _factors(view.config, read.units, demand)
        # While the source adds up, the slices are sealed; if it then disagrees, the store forgets them.
        with ThreadPoolExecutor(_THREADS) as workers:
            account = workers.submit(_account, view, now, stale, factors)
            sealed = list(workers.map(seal, sorted(read.counts)))
            now, sums = account.result()

    wanted = {name: now[name] for name in _up_to(month, now, view)}
    proven = wanted if stale is None else {name: wanted[name] for name in stale}
    _compare(view.config.name, "lines", {name: each.lines for name, each in proven.items()}, read.counts)
    if sums is not None:
        _compare(view.config.name, demand.stored, {name: sums.get(name, 0) for name in proven}, read.sums)
    fresh = {
        name: slice_record(name, wanted[name], part, added_up=sums is not None) for name, part, _ in sealed
    }
    return Pulled(
        view.config,
        reading,
        view.consistency,
        tuple({**known, **fresh}[name] for name in sorted(wanted)),
        sum(found.lines for name, found in now.items() if name not in wanted),
        {part.id: claims for _, part, claims in sealed},
    )


def _up_to(month: Month, slices: Iterable[str], view: SourceView) -> list[str]:
    return [name for name in slices if not is_later(name, month, exact=view.exact_slices)]


def _account(
    view: SourceView,
    now: Mapping[str, Fingerprint] | None,
    stale: Sequence[str] | None,
    factors: Mapping[str | None, Decimal],
) -> tuple[Mapping[str, Fingerprint], Mapping[str, int] | None]:
    """What the source counts in each slice, and what it adds up to in those that were read."""
    if now is None or stale is None:
        return view.account(factors)
    return now, view.sums(stale, factors)


def _may_count_pieces(config: SourceConfig, demand: DemandUnit) -> bool:
    """Whether weights per piece can matter to a source; else another weight would pull all of it again."""
    unit = config.constant_unit
    return demand is DemandUnit.TONNE and (unit is None or spelled_plainly(unit) in FACTORS[DemandUnit.PIECE])


def _reading(view: SourceView, demand: DemandUnit, weights: pl.DataFrame | None) -> str:
    config = view.config
    meaning = [
        READING,
        view.statement(),
        dict(config.columns),
        config.constant_unit,
        config.time_zone,
        demand.value,
        None if weights is None else content_hash({"weights": weights.cast(pl.String)}),
    ]
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


class _Read:
    """What has been read of a source: lines by slice, and what the source's own account must agree with."""

    def __init__(self, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.sums: Counter[str] = Counter()
        self.units: set[str] = set()
        self._lines = Spool(folder, "lines")
        self._rejects = Spool(folder, "rejects")

    def add(
        self,
        batch: RawLines,
        view: SourceView,
        month: Month,
        demand: DemandUnit,
        weights: pl.DataFrame | None,
    ) -> None:
        counts = dict(batch.lines.group_by("slice").len().iter_rows())
        wanted = _up_to(month, counts, view)
        if len(wanted) < len(counts):
            batch = batch.where(pl.col("slice").is_in(wanted))
        read = read_lines(batch, view.config, demand, weights)
        self._lines.add(read.lines)
        self._rejects.add(read.rejects)
        self.counts.update({name: counts[name] for name in wanted})
        self.sums.update(dict(read.sums.iter_rows()))
        self.units.update(batch.sayings["unit"].drop_nulls().unique())

    def close(self) -> None:
        """No more lines will come; from now on parts can be made, by several threads at once."""
        self._lines.close()
        self._rejects.close()

    def part(self, name: str) -> Part:
        """The part of a slice, whose lines are then forgotten."""
        settled = settle(self._lines.take(name, PART_LINES), self._rejects.take(name, PART_REJECTS))
        return part_of(settled.lines, settled.rejects)


def slice_record(name: str, fingerprint: Fingerprint, part: Part, *, added_up: bool) -> SliceRecord:
    """The account of a slice that is now a part, and whether the source has added it up as well."""
    return SliceRecord(
        slice=name,
        lines=fingerprint.lines,
        checksum=fingerprint.checksum,
        part=part.id,
        added_up=added_up,
        months=months_of(part.lines),
        set_aside=tallies(part.rejects, pl.col("reason")),
    )


def _compare(source: str, measure: str, theirs: Mapping[str, int], ours: Mapping[str, int]) -> None:
    """The source's own figures of each slice against ours."""
    differing = [
        (name, theirs.get(name, 0), ours.get(name, 0))
        for name in sorted({*theirs, *ours})
        if theirs.get(name, 0) != ours.get(name, 0)
    ]
    if differing:
        raise SourceMoved(source, measure, differing)


def _factors(config: SourceConfig, written: set[str], demand: DemandUnit) -> dict[str | None, Decimal]:
    """What the units, as they are written, are worth; those that alone say nothing of it are not there."""
    if config.constant_unit is not None:
        worth = FACTORS[demand].get(spelled_plainly(config.constant_unit))
        return {} if worth is None else {None: worth}
    units = pl.Series(sorted(written), dtype=pl.String)
    worths = zip(units, factors(units.str.strip_chars(), demand), strict=True)
    return {unit: worth for unit, worth in worths if worth is not None}
