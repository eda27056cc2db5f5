"""`Part`: the lines of one slice of one source, cleaned, named by the hash of what they say.

A slice that did not change is the same part in every snapshot, so it is stored once, and taking it over
costs nothing.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from ingestion.order_line import PART_LINES, PART_REJECTS

_MISSING = -1


@dataclass(frozen=True, eq=False)
class Part:
    """Lines and rejects of a slice, sorted; build one with `part_of`, never change it."""

    id: str
    lines: pl.DataFrame
    rejects: pl.DataFrame


def part_of(lines: pl.DataFrame, rejects: pl.DataFrame) -> Part:
    """The part of these lines, each with an id of its own, and of these rejects, in any order.

    Their schemas are `PART_LINES` and `PART_REJECTS`.
    """
    lines = lines.select(PART_LINES.names()).sort("line")
    rejects = rejects.select(PART_REJECTS.names()).sort(PART_REJECTS.names())
    return Part(content_hash({"lines": lines, "rejects": rejects}), lines, rejects)


def content_hash(tables: dict[str, pl.DataFrame]) -> str:
    """SHA-256 over tables in a form of our own, which no library's version can move.

    For each table its name and number of rows; for each column its name, then, of texts, the length of
    each in bytes as a 64-bit integer (-1 where it is missing) and all their bytes of UTF-8; of integers
    and dates (days since 1970-01-01) a byte that tells whether each is there, and each as a 64-bit
    integer, 0 where it is not. Integers are little-endian.
    """
    digest = hashlib.sha256(b"tonnage tables 2\n")
    for name, table in tables.items():
        digest.update(f"{name} {table.height}\n".encode())
        for column in table:
            digest.update(f"{column.name}\n".encode())
            for piece in _texts(column) if column.dtype == pl.String else _integers(column):
                digest.update(piece)
    return digest.hexdigest()


def _texts(column: pl.Series) -> tuple[memoryview, memoryview]:
    lengths = column.str.len_bytes().cast(pl.Int64).fill_null(_MISSING).to_numpy()
    # A missing text has no bytes of its own, whatever its place in a buffer holds.
    texts = column.fill_null("").rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    texts = texts if isinstance(texts, pa.Array) else texts.combine_chunks()
    _, offsets, data = texts.buffers()
    at = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    first, last = (int(at[0]), int(at[-1])) if len(texts) else (0, 0)
    letters = memoryview(data)[first:last] if data is not None else memoryview(b"")
    return memoryview(np.ascontiguousarray(lengths, "<i8")).cast("B"), letters


def _integers(column: pl.Series) -> tuple[memoryview, memoryview]:
    there = np.ascontiguousarray(column.is_not_null().to_numpy(), np.uint8)
    values = column.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
    return memoryview(there), memoryview(np.ascontiguousarray(values, "<i8")).cast("B")
