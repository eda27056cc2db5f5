"""Pure: Arrow columns as ODBC clients give them, to the text that raw lines are made of."""

import hashlib
from collections.abc import Collection

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from ingestion.fingerprint import Fingerprint
from ingestion.sources.sql_server_sql import Column, Kind

OFFSET_TIME = "date and time with an offset"

_KINDS = {
    pa.types.is_integer: Column(Kind.INTEGER, "integer", 19),
    pa.types.is_timestamp: Column(Kind.TIME, "date and time"),
    pa.types.is_date: Column(Kind.DAY, "date"),
    pa.types.is_floating: Column(Kind.FLOAT, "float"),
    pa.types.is_string: Column(Kind.TEXT, "text"),
    pa.types.is_large_string: Column(Kind.TEXT, "text"),
}
_FRACTION = r"\.?0*$"


def column_of(field: pa.Field) -> Column:
    """What a column holds, by its Arrow type; a time with an offset looks like text, and is told apart later.

    >>> column_of(pa.field("qty", pa.decimal128(14, 3)))
    Column(kind=<Kind.DECIMAL: 'decimal'>, words='decimal(14, 3)', precision=14, scale=3)
    """
    kind = field.type
    if pa.types.is_decimal(kind):
        return Column(Kind.DECIMAL, f"decimal({kind.precision}, {kind.scale})", kind.precision, kind.scale)
    if pa.types.is_timestamp(kind) and kind.tz:
        return Column(Kind.MOMENT, OFFSET_TIME)
    found = next((column for holds, column in _KINDS.items() if holds(kind)), None)
    return found or Column(Kind.OTHER, str(kind))


def text_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as text: digits exactly as they are, dates as 2026-10-31 or 2026-10-31 23:59:59.

    >>> from datetime import datetime
    >>> text_of(pl.DataFrame({"a": [datetime(2026, 10, 31)], "b": [b"ab"]})).row(0)
    ('2026-10-31 00:00:00', '0x6162')
    """
    return frame.select(_text(pl.col(name), kind) for name, kind in frame.schema.items())


def checksum_fingerprints(rows: pl.DataFrame) -> dict[str, Fingerprint]:
    """Slices with their count and checksum; a missing date and an empty one are the same slice."""
    slices = _with_slice_names(rows).group_by("slice").agg(pl.col("lines", "checksum").sum())
    counted = slices.select("slice", pl.col("lines").cast(pl.Int64), pl.col("checksum").cast(pl.Int128))
    return {name: Fingerprint(lines, str(checksum)) for name, lines, checksum in counted.iter_rows()}


def cell_fingerprints(rows: pl.DataFrame) -> dict[str, Fingerprint]:
    """Slices with their count, and a checksum over the text of their cells in the order of that text."""
    named = _with_slice_names(rows)
    cell = pl.concat_str(
        (pl.col(name).str.len_bytes().fill_null(-1).cast(pl.String) + ":" + pl.col(name).fill_null(""))
        for name in rows.columns
        if name != "slice"
    )
    texts = named.select("slice", "lines").with_columns(text_of(named).select(cell.alias("cell")))
    slices = texts.sort("cell").group_by("slice").agg(pl.col("lines").sum().cast(pl.Int64), pl.col("cell"))
    return {name: Fingerprint(lines, _digest(cells)) for name, lines, cells in slices.iter_rows()}


def totals_by_slice(rows: pl.DataFrame, slices: Collection[str]) -> dict[str, int]:
    """Kilograms of these slices; others may have come with them, and are left out."""
    named = _with_slice_names(rows).filter(pl.col("slice").is_in(list(slices)))
    totals = named.group_by("slice").agg(pl.col("kilograms").sum().cast(pl.Int64))
    return dict(totals.iter_rows())


def _with_slice_names(rows: pl.DataFrame) -> pl.DataFrame:
    """The slice by its name: the month of a day, or a text without the blanks that fill its column."""
    if rows.schema["slice"] == pl.String:
        name = pl.col("slice").str.strip_chars_end(" ")
    else:
        name = pl.col("slice").cast(pl.Date).dt.strftime("%Y-%m")
    return rows.with_columns(name.fill_null("").alias("slice"))


def _digest(cells: list[str]) -> str:
    """The first 63 bits of a SHA-256, as a decimal number like other checksums."""
    digest = hashlib.sha256("\n".join(cells).encode()).digest()
    return str(int.from_bytes(digest[:8], "big") >> 1)


def _text(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        # Year 1 is written with four digits, and a fraction of a second only where there is one.
        return column.dt.strftime("%Y-%m-%d %H:%M:%S%.6f").str.replace(_FRACTION, "")
    if kind == pl.Binary:
        return pl.lit("0x") + column.bin.encode("hex")
    return column.cast(pl.String)
