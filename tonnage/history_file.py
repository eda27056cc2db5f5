"""History from a CSV or Parquet file into a panel, refusing what is not history."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from forecasting.errors import BadHierarchy
from forecasting.hierarchy import Level
from forecasting.long_table import panel_from_rows
from forecasting.panel import DemandPanel
from tonnage.errors import BadHistoryFile

_MONTH = r"^(\d{4})-(\d{2})(?:-\d{2}(?:[T ].*)?)?$"


@dataclass(frozen=True)
class HistoryColumns:
    """Which columns of a file are the keys, the month and the quantity."""

    keys: tuple[str, ...]
    month: str = "month"
    quantity: str = "quantity"

    def __post_init__(self) -> None:
        named = [*self.keys, self.month, self.quantity]
        for name in named:
            if named.count(name) > 1:
                raise BadHierarchy(
                    f"column {name!r} is named twice among keys, month and quantity; name each column once"
                )


@dataclass(frozen=True, eq=False)
class History:
    """A panel read from a file, and how many of its rows had an empty quantity (taken as zero)."""

    panel: DemandPanel
    empty_quantities: int


def read_history(path: Path, columns: HistoryColumns, levels: Sequence[Level]) -> History:
    """The panel in a file; raises `BadHistoryFile` naming the first row that is not history.

    An empty or NaN quantity is a month without demand. A level with all keys is added at the end
    where no level tells the leaves apart.
    """
    table, rows = _read_rows(path, columns)
    _refuse_quantities(path, table, rows, columns)
    return _history(rows, columns, levels)


def read_sound_history(
    path: Path, columns: HistoryColumns, levels: Sequence[Level]
) -> tuple[History, pl.DataFrame]:
    """As `read_history`, but without the series that hold a quantity which is no number.

    Those are the second answer: the keys and `reason`. Where no series is sound, it raises.
    """
    table, rows = _read_rows(path, columns)
    worded = pl.Series("worded", table[columns.quantity]).cast(pl.String)
    bad = _not_a_number(table, rows, columns) | rows["quantity"].is_infinite().fill_null(False)
    broken = (
        rows.with_row_index("row", offset=1)
        .with_columns(worded)
        .filter(bad)
        .group_by(columns.keys)
        .agg(pl.all().first())
        .select(*columns.keys, pl.format("broken: row {} has quantity '{}'", "row", "worded").alias("reason"))
        .sort(columns.keys)
    )
    sound = rows.join(broken, on=columns.keys, how="anti", maintain_order="left")
    if sound.is_empty():
        _refuse_quantities(path, table, rows, columns)
    return _history(sound, columns, levels), broken


def _history(rows: pl.DataFrame, columns: HistoryColumns, levels: Sequence[Level]) -> History:
    empty = rows["quantity"].is_null() | rows["quantity"].is_nan()
    rows = rows.with_columns(pl.col("quantity").fill_null(0.0).fill_nan(0.0))
    panel = panel_from_rows(rows, columns.keys, _with_leaf_level(rows, columns.keys, levels))
    return History(panel, int(empty.sum()))


def _read_rows(path: Path, columns: HistoryColumns) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The file as it is, and its keys, `ordinal` of the month and `quantity`, null where it is no number."""
    table = _read_table(path)
    _check_columns(path, table, columns)
    rows = table.select(
        *(pl.col(key).cast(pl.String).str.strip_chars() for key in columns.keys),
        _ordinal(table, columns.month).alias("ordinal"),
        _quantity(table, columns.quantity).alias("quantity"),
    )
    for key in columns.keys:
        _refuse(
            path, table, key, rows[key].is_null() | (rows[key] == ""), "is empty; every row needs its keys"
        )
    _refuse(path, table, columns.month, rows["ordinal"].is_null(), "is not a month; write YYYY-MM or a date")
    return table, rows


def default_levels(keys: Sequence[str]) -> tuple[Level, ...]:
    """The total, each key by itself, and all keys together."""
    alone = [(key,) for key in keys]
    return ((), *alone) if len(keys) == 1 else ((), *alone, tuple(keys))


def _read_table(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise BadHistoryFile(path, "there is no such file")
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".parquet"}:
        raise BadHistoryFile(path, f"its ending {suffix!r} is neither .csv nor .parquet")
    try:
        # A CSV is read as text throughout, so that 007 stays a key and a bad number can be named.
        table = pl.read_parquet(path) if suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadHistoryFile(path, f"it cannot be read as {suffix[1:].upper()} ({reason})") from error
    if table.is_empty():
        raise BadHistoryFile(path, "it has no rows")
    return table


def _check_columns(path: Path, table: pl.DataFrame, columns: HistoryColumns) -> None:
    options = {
        columns.month: " (name another with --month)",
        columns.quantity: " (name another with --quantity)",
    }
    for name in (*columns.keys, columns.month, columns.quantity):
        if name not in table.columns:
            there = ", ".join(table.columns[:20])
            raise BadHistoryFile(path, f"it has no column {name!r}{options.get(name, '')}; it has {there}")


def _ordinal(table: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    kind = table.schema[name]
    if kind in (pl.Date, pl.Datetime):
        return column.dt.year() * 12 + column.dt.month() - 1
    parts = column.cast(pl.String).str.strip_chars().str.extract_groups(_MONTH)
    year = parts.struct.field("1").cast(pl.Int32)
    month = parts.struct.field("2").cast(pl.Int32)
    return pl.when(month.is_between(1, 12) & (year >= 1)).then(year * 12 + month - 1)


def _quantity(table: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    if table.schema[name] == pl.String:
        text = column.str.strip_chars()
        return pl.when(text != "").then(text).cast(pl.Float64, strict=False)
    return column.cast(pl.Float64, strict=False)


def _not_a_number(table: pl.DataFrame, rows: pl.DataFrame, columns: HistoryColumns) -> pl.Series:
    given = table[columns.quantity]
    filled = given.is_not_null()
    if given.dtype == pl.String:
        filled &= given.str.strip_chars() != ""
    return filled & rows["quantity"].is_null()


def _refuse_quantities(path: Path, table: pl.DataFrame, rows: pl.DataFrame, columns: HistoryColumns) -> None:
    _refuse(path, table, columns.quantity, _not_a_number(table, rows, columns), "is not a number")
    _refuse(path, table, columns.quantity, rows["quantity"].is_infinite().fill_null(False), "is infinite")


def _refuse(path: Path, table: pl.DataFrame, column: str, bad: pl.Series, problem: str) -> None:
    if bad.any():
        row = int(bad.arg_max() or 0)
        others = int(bad.sum()) - 1
        more = f" (and {others} more rows like it)" if others else ""
        value = table[column][row]
        raise BadHistoryFile(path, f"row {row + 1}: {column} {value!r} {problem}{more}")


def _with_leaf_level(rows: pl.DataFrame, keys: Sequence[str], levels: Sequence[Level]) -> tuple[Level, ...]:
    """The levels with, last, one that tells every leaf apart."""
    n_leaves = rows.select(keys).n_unique()
    for level in reversed(levels):
        named = [key for key in level if key in keys]
        if named and len(named) == len(level) and rows.select(named).n_unique() == n_leaves:
            return (*(other for other in levels if other != level), level)
    return (*levels, tuple(keys)) if set(keys) not in map(set, levels) else tuple(levels)
