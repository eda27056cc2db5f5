"""Rows of history from a CSV or Parquet file, block by block, and what is wrong with them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tonnage.errors import BadHistoryFile

_MONTH = r"^(\d{4})-(\d{2})(?:-\d{2}(?:[T ].*)?)?$"
# As text a row takes a hundred bytes, as codes and numbers twenty.
_BLOCK = 4_000_000


@dataclass
class Faults:
    """What is not history in a file: for each problem the first row and how many there are."""

    path: Path
    found: dict[tuple[str, str], tuple[int, object, int]] = field(default_factory=dict)

    def note(self, table: pl.DataFrame, offset: int, column: str, bad: pl.Series, problem: str) -> None:
        """Keep in mind the `bad` rows of a block that begins at row `offset`."""
        if bad.any():
            place = int(bad.arg_max() or 0)
            row, value, count = self.found.get((column, problem), (offset + place, table[column][place], 0))
            self.found[column, problem] = (row, value, count + int(bad.sum()))

    def refuse(self, problems: Sequence[tuple[str, str]]) -> None:
        """Raise `BadHistoryFile` with the first of these problems that was found."""
        for column, problem in problems:
            if (column, problem) in self.found:
                row, value, count = self.found[column, problem]
                more = f" (and {count - 1} more rows like it)" if count > 1 else ""
                raise BadHistoryFile(self.path, f"row {row + 1}: {column} {value!r} {problem}{more}")


def tables(path: Path, wanted: Sequence[tuple[str, str]]) -> Iterator[tuple[int, pl.DataFrame]]:
    """The file's wanted columns as they are, in blocks of rows, each with the number of its first row.

    Each wanted column comes with how to name another one.
    """
    if not path.is_file():
        raise BadHistoryFile(path, "there is no such file")
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".parquet"}:
        raise BadHistoryFile(path, f"its ending {suffix!r} is neither .csv nor .parquet")
    with _read_as(path, suffix[1:].upper()):
        # A CSV is read as text throughout, so that 007 stays a key and a bad number can be named.
        whole = (
            pl.scan_parquet(path) if suffix == ".parquet" else pl.read_csv(path, infer_schema=False).lazy()
        )
        yield from _blocks(path, whole, wanted)


def tables_of(
    text: bytes, place: Path, wanted: Sequence[tuple[str, str]]
) -> Iterator[tuple[int, pl.DataFrame]]:
    """As `tables`, of the text of a CSV; `place` is what errors call it."""
    with _read_as(place, "CSV"):
        yield from _blocks(place, pl.read_csv(text, infer_schema=False).lazy(), wanted)


@contextmanager
def _read_as(place: Path, form: str) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadHistoryFile(place, f"it cannot be read as {form} ({reason})") from error


def _blocks(
    path: Path, whole: pl.LazyFrame, wanted: Sequence[tuple[str, str]]
) -> Iterator[tuple[int, pl.DataFrame]]:
    there = whole.collect_schema().names()
    height = whole.select(pl.len()).collect().item()
    _check_columns(path, there, wanted)
    if height == 0:
        raise BadHistoryFile(path, "it has no rows")
    chosen = whole.select(name for name, _ in wanted)
    for start in range(0, height, _BLOCK):
        yield start, chosen.slice(start, _BLOCK).collect()


def _check_columns(path: Path, there: Sequence[str], wanted: Sequence[tuple[str, str]]) -> None:
    for name, remedy in wanted:
        if name not in there:
            raise BadHistoryFile(path, f"it has no column {name!r}{remedy}; it has {', '.join(there[:20])}")


def key_codes(column: pl.Series) -> pl.Series:
    """Keys without blanks around them, as codes of their text; null where there is none."""
    codes = column.cast(pl.String).cast(pl.Categorical)
    texts = codes.unique().cast(pl.String)
    if (texts == texts.str.strip_chars()).all() and not (texts == "").any():
        return codes
    text = column.cast(pl.String).str.strip_chars()
    return text.set(text == "", None).cast(pl.Categorical)


def ordinals(column: pl.Series) -> pl.Series:
    """Months since January of year 0, null where the value is no month."""
    # A file has few months and many rows.
    distinct = column.unique().to_frame("month")
    found = distinct.select("month", _ordinal(distinct["month"].dtype).alias("ordinal"))
    return column.to_frame("month").join(
        found, on="month", how="left", maintain_order="left", nulls_equal=True
    )["ordinal"]


def _ordinal(kind: pl.DataType) -> pl.Expr:
    column = pl.col("month")
    if kind in (pl.Date, pl.Datetime):
        return column.dt.year() * 12 + column.dt.month() - 1
    parts = column.cast(pl.String).str.strip_chars().str.extract_groups(_MONTH)
    year = parts.struct.field("1").cast(pl.Int32)
    month = parts.struct.field("2").cast(pl.Int32)
    return pl.when(month.is_between(1, 12) & (year >= 1)).then(year * 12 + month - 1)


def quantities(given: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Numbers, null where there is none, and whether something is given that is no number."""
    filled = given.is_not_null()
    if given.dtype == pl.String:
        text = given.str.strip_chars()
        filled &= text != ""
        given = text.set(text == "", None)
    numbers = given.cast(pl.Float64, strict=False)
    return numbers, filled & numbers.is_null()
