"""Repeated fields that arrive as one text, taken apart once for all lines that say the same."""

from collections.abc import Sequence

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from ingestion.raw_lines import RawLines


def unpacked(rows: pa.RecordBatch, fields: Sequence[str], ends: str) -> tuple[RawLines, int]:
    """Raw lines from rows whose column `said` has `fields`, and how many rows are left out.

    The first character of `ends` ends a field, the second stands for one that is missing. A row in whose
    fields one of them occurs cannot be taken apart.
    """
    said = rows.column("said").dictionary_encode()
    distinct = pl.DataFrame({"said": pl.from_arrow(said.dictionary)})
    one = f"(?:([^{ends}]*){ends[0]}|{ends[1]})"
    sayings = distinct.select(
        pl.col("said").str.extract_groups(f"^{one * len(fields)}$").struct.rename_fields(list(fields)),
        pl.col("said").str.count_matches(f"[{ends}]").alias("ends"),
    ).unnest("said")
    at = pl.Series("saying", pl.from_arrow(said.indices), pl.UInt32)
    lines = pl.DataFrame(pl.from_arrow(rows.drop_columns("said"))).with_columns(at)
    muddled = sayings["ends"] != len(fields)
    if muddled.any():
        lines = lines.filter(~muddled.gather(at))
    return RawLines(lines, sayings.drop("ends")), rows.num_rows - lines.height
