"""`Snapshot`: the order lines that a month's forecast learns from, named by the hash of their content."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from forecasting.months import Month
from ingestion.order_line import LINES, REJECTS
from ingestion.units import DemandUnit

_ROWS_AT_A_TIME = 100_000


class SourceRecord(BaseModel):
    """What one source gave: rows in are rows kept plus rows set aside.

    Quantities are in the snapshot's unit; of lines set aside, as far as theirs could be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dialect: str
    query_sha256: str
    rows_in: int
    rows_kept: int
    quantity_kept: int
    quantity_set_aside: int
    set_aside: dict[str, int]


class Manifest(BaseModel):
    """A snapshot's own account of itself, stored beside it as JSON.

    `unit` is the unit of the stored integers. `taken_at` and `code_version` tell who took it first and
    when; they are no part of its id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    id: str
    month: str
    demand: DemandUnit
    unit: Literal["kg", "piece"]
    sources: tuple[SourceRecord, ...]
    taken_at: AwareDatetime
    code_version: str


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Lines and rejects of a month's history, sealed: build one with `seal`, never change it."""

    id: str
    month: Month
    lines: pl.DataFrame
    rejects: pl.DataFrame
    manifest: Manifest

    @property
    def demand(self) -> DemandUnit:
        return self.manifest.demand


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a source's lines came from: its name, its kind of database, its statement."""

    name: str
    dialect: str
    sql: str


def seal(
    month: Month,
    demand: DemandUnit,
    lines: pl.DataFrame,
    rejects: pl.DataFrame,
    *,
    sources: Sequence[Provenance],
    taken_at: datetime,
    code_version: str,
) -> Snapshot:
    """The snapshot of these lines and rejects; equal content gives an equal id, in whatever order."""
    lines = lines.sort("source", "line")
    rejects = rejects.sort(REJECTS.names())
    snapshot_id = content_id(month, demand, lines, rejects)
    manifest = Manifest(
        id=snapshot_id,
        month=str(month),
        demand=demand,
        unit=demand.stored,
        sources=tuple(_record(source, lines, rejects) for source in sources),
        taken_at=taken_at,
        code_version=code_version,
    )
    return Snapshot(snapshot_id, month, lines, rejects, manifest)


def content_id(month: Month, demand: DemandUnit, lines: pl.DataFrame, rejects: pl.DataFrame) -> str:
    """SHA-256 over the sorted rows in a form of our own, which no library's version can move.

    A header, then each table: its name, its columns, its rows. A value is `<bytes of text>:<text>`, a
    missing one `~`; integers are written in decimal, dates as days since 1970-01-01; a row ends with a
    line feed. Lengths come first, so no text can pretend to be two values.
    """
    digest = hashlib.sha256(f"tonnage snapshot 1\n{month}\n{demand.value}\n".encode())
    for name, table, schema in (("lines", lines, LINES), ("rejects", rejects, REJECTS)):
        digest.update(f"{name} {','.join(schema.names())}\n".encode())
        values = [pl.col(column).to_physical().cast(pl.String) for column in schema.names()]
        row = pl.concat_str(*(_written(value) for value in values), pl.lit("\n")).alias("row")
        for part in table.iter_slices(_ROWS_AT_A_TIME):
            digest.update(part.select(row.str.join("")).item().encode())
    return digest.hexdigest()


def _written(value: pl.Expr) -> pl.Expr:
    length = value.str.len_bytes().cast(pl.String)
    return pl.concat_str(length, pl.lit(":"), value).fill_null("~")


def _record(source: Provenance, lines: pl.DataFrame, rejects: pl.DataFrame) -> SourceRecord:
    kept = lines.filter(pl.col("source") == source.name)
    aside = rejects.filter(pl.col("source") == source.name)
    reasons = aside["reason"].value_counts().sort("reason")
    return SourceRecord(
        name=source.name,
        dialect=source.dialect,
        query_sha256=hashlib.sha256(source.sql.encode()).hexdigest(),
        rows_in=kept.height + aside.height,
        rows_kept=kept.height,
        quantity_kept=int(kept["quantity"].sum()),
        quantity_set_aside=int(aside["quantity"].sum()),
        set_aside=dict(reasons.iter_rows()),
    )
