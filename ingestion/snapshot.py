"""`Snapshot`: the order lines that a month's forecast learns from, named by the hash of their content."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from forecasting.months import Month
from ingestion.fingerprint import Fingerprint
from ingestion.master_data import MasterData
from ingestion.order_line import LINES, REJECTS
from ingestion.part import Part, content_hash
from ingestion.units import DemandUnit


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tally(_Record):
    """Lines, and what they add up to in the snapshot's unit as far as their quantities can be read.

    `gross` leaves out the signs, so that a return does not hide a delivery.
    """

    lines: int = 0
    quantity: int = 0
    gross: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            lines=self.lines + other.lines,
            quantity=self.quantity + other.quantity,
            gross=self.gross + other.gross,
        )

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            lines=self.lines - other.lines,
            quantity=self.quantity - other.quantity,
            gross=self.gross - other.gross,
        )


def tallies(rows: pl.DataFrame, group: pl.Expr) -> dict[str, Tally]:
    """What the rows of each group, by its name, come to; `rows` have a `quantity`."""
    totals = rows.group_by(group.alias("group")).agg(
        pl.len().alias("lines"), pl.col("quantity").sum(), pl.col("quantity").abs().sum().alias("gross")
    )
    return {str(row.pop("group")): Tally(**row) for row in totals.sort("group").iter_rows(named=True)}


def months_of(rows: pl.DataFrame) -> dict[str, Tally]:
    """What the rows of each month come to; `rows` have a `date` and a `quantity`."""
    days = tallies(rows, pl.col("date").dt.month_start())
    return {day[:7]: each for day, each in days.items()}


class SliceRecord(_Record):
    """One slice of a source: what the source says of it, the part that holds it, and what is in it.

    `months` are the lines kept, by the month that they are dated in; `set_aside` is by reason. `added_up`
    tells whether the source itself came to the same quantity; where it could not, lines were only counted.
    """

    slice: str
    lines: int
    checksum: str
    part: str
    added_up: bool
    months: dict[str, Tally]
    set_aside: dict[str, Tally]

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self.lines, self.checksum)


class SourceRecord(_Record):
    """What one source gave: lines kept, lines set aside by reason, and how many are dated after the month.

    `reading` is the hash of everything that decides what a line of it means: statement, columns, unit,
    zone, weights. `consistency` tells how far all of it was read from one state of the source.
    """

    name: str
    dialect: str
    reading: str
    consistency: str
    slices: tuple[SliceRecord, ...]
    kept: Tally
    later: int
    set_aside: dict[str, Tally]

    @property
    def rows_in(self) -> int:
        """How many lines it has up to the month."""
        return self.kept.lines + sum(each.lines for each in self.set_aside.values())


class MonthChange(_Record):
    """A month of a source that is not what it was in the snapshot before, in the snapshot's unit."""

    source: str
    month: str
    before: Tally
    after: Tally


class MasterRecord(_Record):
    """Master data of one key: how many rows, and what the lines have that it does not know."""

    key: str
    attributes: tuple[str, ...]
    rows: int
    conflicts: int
    unknown_keys: int
    unknown_quantity: int


class Manifest(_Record):
    """A snapshot's own account of itself, stored beside it as JSON.

    `unit` is the unit of the stored integers. What follows `repeats` tells how this id was first taken,
    and is no part of it: equal lines have an equal id, by whatever way they came.
    """

    format: Literal[2] = 2
    id: str
    month: str
    demand: DemandUnit
    unit: Literal["kg", "piece"]
    sources: tuple[SourceRecord, ...]
    master: tuple[MasterRecord, ...]
    repeats: int
    parent: str | None
    changes: tuple[MonthChange, ...]
    accepted: str | None
    taken_at: AwareDatetime
    code_version: str

    def source(self, name: str) -> SourceRecord | None:
        """The record of the source with this name, if it had one."""
        return next((each for each in self.sources if each.name == name), None)


class LastTaken(_Record):
    """Which snapshot was taken last, and what the sources then said of themselves.

    A change that leaves every line as it is makes no new snapshot, but sources need not be read for it twice.
    """

    id: str
    sources: tuple[SourceRecord, ...]


class Place(NamedTuple):
    """A slice of a source, and the hash of the part that holds it."""

    source: str
    slice: str
    part: str


REPEATS = pl.Schema({**REJECTS, "slice": pl.String(), "date": pl.Date()})
"""Lines that one part keeps and another contradicts or repeats, each with its slice and its day there."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Lines, rejects and master data of a month's history, sealed; its tables are read when asked for."""

    id: str
    month: Month
    manifest: Manifest
    master: MasterData
    repeats: pl.DataFrame
    read_part: Callable[[str], Part]

    @property
    def demand(self) -> DemandUnit:
        return self.manifest.demand

    def places(self) -> list[Place]:
        """Every slice of every source, in the order of the configuration."""
        return [
            Place(each.name, part.slice, part.part) for each in self.manifest.sources for part in each.slices
        ]

    def pieces(self, places: Sequence[Place] | None = None) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Lines, `LINES`, and rejects, `REJECTS`, slice by slice: little is in memory at once."""
        for place in self.places() if places is None else places:
            again = self.repeats.filter(pl.col("source") == place.source, pl.col("slice") == place.slice)
            lines, rejects = counted(self.read_part(place.part), self.month, again)
            name = pl.lit(place.source).alias("source")
            yield (
                lines.with_columns(name).select(LINES.names()),
                pl.concat(
                    [rejects.with_columns(name).select(REJECTS.names()), again.select(REJECTS.names())]
                ),
            )

    @cached_property
    def lines(self) -> pl.DataFrame:
        """All lines that count, sorted, of the schema `LINES`."""
        return pl.concat([LINES.to_frame(), *(lines for lines, _ in self.pieces())]).sort("source", "line")

    @cached_property
    def rejects(self) -> pl.DataFrame:
        """All lines set aside, sorted, of the schema `REJECTS`."""
        return pl.concat([REJECTS.to_frame(), *(rejects for _, rejects in self.pieces())]).sort(
            REJECTS.names()
        )


def counted(part: Part, month: Month, repeats: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What counts of a part up to the end of `month`, and its rejects, without the slice's repeats."""
    lines = part.lines.filter(pl.col("date") < (month + 1).first_day)
    if repeats.height:
        lines = lines.filter(~pl.col("line").is_in(repeats["line"].implode()))
    return lines, part.rejects


def snapshot_id(
    month: Month,
    demand: DemandUnit,
    places: Sequence[Place],
    master: MasterData,
    repeats: pl.DataFrame,
) -> str:
    """SHA-256 over the month, the unit, each source's slices with the hashes of their parts, and the rest.

    The order of the sources leaves no trace, unless a line of two sources stays with the first.
    """
    content = {
        "format": "tonnage snapshot 2",
        "month": str(month),
        "demand": demand.value,
        "parts": sorted(places),
        "master": master.id,
        "repeats": content_hash({"repeats": repeats.sort(REPEATS.names())}),
    }
    return hashlib.sha256(json.dumps(content, separators=(",", ":"), sort_keys=True).encode()).hexdigest()
