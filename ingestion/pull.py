"""One source's part of a snapshot: see what changed, pull that, prove that all of it came."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from forecasting.months import Month
from ingestion.clean import Cleaned, Weights, read_lines, settle
from ingestion.errors import SourceMoved
from ingestion.fingerprint import Fingerprint, changed, is_later
from ingestion.part import Part, part_of
from ingestion.snapshot import SliceRecord, SourceRecord, Tally
from ingestion.source_config import SourceConfig
from ingestion.sources.source import SourceView
from ingestion.spool import Spool, ahead
from ingestion.units import FACTORS, DemandUnit, spelled_plainly

READING = 1
"""Raise it when cleaning comes to mean something else: slices are then pulled anew, and not taken over."""


@dataclass(frozen=True)
class Pulled:
    """The slices of one source up to a month, each with a part that is in the store, and how it was read."""

    config: SourceConfig
    reading: str
    consistency: str
    slices: tuple[SliceRecord, ...]
    rows_later: int
    n_changed: int


def pull(
    view: SourceView,
    month: Month,
    demand: DemandUnit,
    weights: Weights,
    *,
    before: SourceRecord | None,
    keep: Callable[[Part], None],
    progress: Callable[[str, int], None],
) -> Pulled:
    """Pull the slices that are not as they were, and take over the others.

    Each new part is given to `keep`. Raises `SourceMoved` where lines or kilograms read are not those that
    the source itself counts.
    """
    reading = _reading(view, demand, weights)
    now = view.fingerprints()
    wanted = {name: found for name, found in now.items() if not is_later(name, month, exact=view.exact_slices)}
    known = {each.slice: each for each in before.slices} if before and before.reading == reading else {}
    stale = changed(wanted, {name: each.fingerprint for name, each in known.items()})
    fresh = _read(view, {name: wanted[name] for name in stale}, demand, weights, keep, progress)
    return Pulled(
        view.config,
        reading,
        view.consistency,
        tuple({**known, **fresh}[name] for name in sorted(wanted)),
        sum(found.lines for name, found in now.items() if name not in wanted),
        len(stale),
    )


def _reading(view: SourceView, demand: DemandUnit, weights: Weights) -> str:
    config = view.config
    meaning = [
        READING,
        view.statement(),
        dict(config.columns),
        config.constant_unit,
        config.time_zone,
        demand.value,
        weights.content_hash,
    ]
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def _read(
    view: SourceView,
    slices: Mapping[str, Fingerprint],
    demand: DemandUnit,
    weights: Weights,
    keep: Callable[[Part], None],
    progress: Callable[[str, int], None],
) -> dict[str, SliceRecord]:
    """Pull some slices as parts, and compare what came with what the source says it has."""
    with tempfile.TemporaryDirectory(prefix="tonnage-") as folder:
        lines, rejects = Spool(Path(folder) / "lines"), Spool(Path(folder) / "rejects")
        tallies = []
        for cleaned in _cleaned(view, slices, demand, weights, progress):
            lines.add(cleaned.lines)
            rejects.add(cleaned.rejects)
            tallies.append(cleaned.tally)
        _compare(view, slices, pl.concat(tallies) if tallies else None, demand)
        records = {}
        for name, fingerprint in slices.items():
            settled = settle(lines.take(name), rejects.take(name))
            part = part_of(settled.lines, settled.rejects)
            keep(part)
            records[name] = _record(name, fingerprint, part)
    return records


def _cleaned(
    view: SourceView,
    slices: Mapping[str, Fingerprint],
    demand: DemandUnit,
    weights: Weights,
    progress: Callable[[str, int], None],
) -> Iterator[Cleaned]:
    rows = 0
    for batch in ahead(view.lines(list(slices))):
        rows += batch.height
        progress(view.config.name, rows)
        yield read_lines(batch, view.config, demand, weights)


def _compare(
    view: SourceView, slices: Mapping[str, Fingerprint], tally: pl.DataFrame | None, demand: DemandUnit
) -> None:
    """Lines counted by the source against lines read, then kilograms added up by it against ours."""
    if tally is None:
        tally = Cleaned.no_tally()
    read = dict(tally.group_by("slice").agg(pl.col("lines").sum()).iter_rows())
    _refuse(view.config.name, "lines", {name: each.lines for name, each in slices.items()}, read)
    factors = _factors(view.config, tally, demand)
    theirs = view.sums(list(slices), factors)
    if theirs is None:
        return
    added = tally.filter(pl.col("unit").is_in(list(factors), nulls_equal=True))
    ours = dict(added.group_by("slice").agg(pl.col("quantity").sum()).iter_rows())
    _refuse(view.config.name, demand.stored, theirs, ours)


def _factors(config: SourceConfig, tally: pl.DataFrame, demand: DemandUnit) -> dict[str | None, Decimal]:
    """What the units, as they are written in these lines, are worth; those of no fixed worth are not there."""
    if config.constant_unit is not None:
        worth = FACTORS[demand].get(spelled_plainly(config.constant_unit))
        return {} if worth is None else {None: worth}
    written = tally["unit"].drop_nulls().unique().sort()
    worths = {unit: FACTORS[demand].get(spelled_plainly(unit.strip())) for unit in written}
    return {unit: worth for unit, worth in worths.items() if worth is not None}


def _refuse(source: str, measure: str, theirs: Mapping[str, int], ours: Mapping[str, int]) -> None:
    differing = [
        (name, total, ours.get(name, 0)) for name, total in sorted(theirs.items()) if total != ours.get(name, 0)
    ]
    if differing:
        raise SourceMoved(source, measure, differing)


def _record(name: str, fingerprint: Fingerprint, part: Part) -> SliceRecord:
    month = pl.col("date").dt.strftime("%Y-%m")
    kept = _tallies(part.lines, month)
    return SliceRecord(
        slice=name,
        lines=fingerprint.lines,
        checksum=fingerprint.checksum,
        part=part.id,
        months=kept,
        set_aside=_tallies(part.rejects, pl.col("reason")),
    )


def _tallies(rows: pl.DataFrame, group: pl.Expr) -> dict[str, Tally]:
    totals = rows.group_by(group.alias("group")).agg(pl.len(), pl.col("quantity").sum()).sort("group")
    return {name: Tally(lines=lines, quantity=quantity) for name, lines, quantity in totals.iter_rows()}
