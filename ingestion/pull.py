"""One source's part of a snapshot: see what changed, pull that, prove that all of it came."""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
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
from ingestion.snapshot import SliceRecord, SourceRecord, months_of, tallies
from ingestion.source_config import SourceConfig
from ingestion.sources.source import SourceView
from ingestion.spool import Spool, ahead
from ingestion.units import FACTORS, DemandUnit, factors, spelled_plainly

_THREADS = 3

READING = 1
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

    Each new part is given to `keep`. Raises `SourceMoved` where lines or kilograms read are not those that
    the source itself counts.
    """
    weights = weights if _may_count_pieces(view.config, demand) else None
    reading = _reading(view, demand, weights)
    now = view.fingerprints()
    wanted = {
        name: found for name, found in now.items() if not is_later(name, month, exact=view.exact_slices)
    }
    known = {each.slice: each for each in before.slices} if before and before.reading == reading else {}
    stale = changed(wanted, {name: each.fingerprint for name, each in known.items()})
    slices = {name: wanted[name] for name in stale}
    fresh, claims = _read(view, slices, demand, weights, keep=keep, claims_of=claims_of, progress=progress)
    return Pulled(
        view.config,
        reading,
        view.consistency,
        tuple({**known, **fresh}[name] for name in sorted(wanted)),
        sum(found.lines for name, found in now.items() if name not in wanted),
        claims,
    )


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


def _read(
    view: SourceView,
    slices: Mapping[str, Fingerprint],
    demand: DemandUnit,
    weights: pl.DataFrame | None,
    *,
    keep: Callable[[Part], None],
    claims_of: Callable[[Part], pl.DataFrame],
    progress: Callable[[str, int], None],
) -> tuple[dict[str, SliceRecord], dict[str, pl.DataFrame]]:
    """Pull some slices as parts, and compare what came with what the source says it has."""
    counts: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    units: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="tonnage-") as folder:
        lines, rejects = Spool(Path(folder), "lines"), Spool(Path(folder), "rejects")
        for batch in ahead(view.lines(sorted(slices))):
            read = read_lines(batch, view.config, demand, weights)
            lines.add(read.lines)
            rejects.add(read.rejects)
            counts.update(dict(batch.group_by("slice").len().iter_rows()))
            sums.update(dict(read.sums.iter_rows()))
            units.update(batch["unit"].drop_nulls().unique())
            progress(view.config.name, counts.total())
        _compare(view.config.name, "lines", {name: each.lines for name, each in slices.items()}, counts)
        lines.close()
        rejects.close()

        def seal(name: str) -> tuple[SliceRecord, pl.DataFrame]:
            settled = settle(lines.take(name, PART_LINES), rejects.take(name, PART_REJECTS))
            part = part_of(settled.lines, settled.rejects)
            keep(part)
            return slice_record(name, slices[name], part), claims_of(part)

        # While the source adds up, the slices are sealed; if it then disagrees, the store forgets them.
        with ThreadPoolExecutor(_THREADS) as workers:
            added = workers.submit(view.sums, sorted(slices), _factors(view.config, units, demand))
            sealed = list(workers.map(seal, sorted(slices)))
            if (theirs := added.result()) is not None:
                _compare(view.config.name, demand.stored, theirs, sums)
        added_up = {"added_up": theirs is not None}
        records = {record.slice: record.model_copy(update=added_up) for record, _ in sealed}
        return records, {record.part: claims for record, claims in sealed}


def slice_record(name: str, fingerprint: Fingerprint, part: Part) -> SliceRecord:
    """The account of a slice that is now a part, before the source has added it up."""
    return SliceRecord(
        slice=name,
        lines=fingerprint.lines,
        checksum=fingerprint.checksum,
        part=part.id,
        added_up=False,
        months=months_of(part.lines),
        set_aside=tallies(part.rejects, pl.col("reason")),
    )


def _compare(source: str, measure: str, theirs: Mapping[str, int], ours: Mapping[str, int]) -> None:
    """The source's own figures of each slice against ours."""
    differing = [
        (name, total, ours.get(name, 0))
        for name, total in sorted(theirs.items())
        if total != ours.get(name, 0)
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
