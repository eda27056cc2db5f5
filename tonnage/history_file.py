"""History from a CSV or Parquet file into a panel, refusing what is not history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from forecasting.errors import BadHierarchy
from forecasting.hierarchy import Level, check_levels
from forecasting.long_table import distinct_keys, panel_from_rows
from forecasting.months import Month
from forecasting.panel import LARGEST, DemandPanel
from tonnage.errors import BadHistoryFile
from tonnage.history_rows import Faults, key_codes, ordinals, quantities, tables, tables_of

# Columns of the forecast's and the paths' files that no key may be called.
ANSWERED = ("level", "month", "mean", "quantity", "fallback", "path")

_EMPTY_KEY = "is empty; every row needs its keys"
_NO_MONTH = "is not a month; write YYYY-MM or a date"
_NO_NUMBER = "is not a number"
_INFINITE = "is infinite"
_TOO_LARGE = f"is beyond {LARGEST:g}; write it in a larger unit"


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
        for key in self.keys:
            if key in ANSWERED:
                raise BadHierarchy(
                    f"key {key!r} is what a column of the answer is called; rename the column in the history"
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
    rows, _, faults = _read_rows(path, tables(path, _wanted(columns)), columns)
    faults.refuse(_of_quantities(columns))
    return _history(rows, columns, levels)


def history_of(
    text: bytes,
    place: Path,
    columns: HistoryColumns,
    levels: Sequence[Level],
    *,
    most_series: int,
    most_months: int,
) -> History:
    """As `read_history`, of the text of a CSV and not of any size; `place` is what errors call it."""
    rows, _, faults = _read_rows(place, tables_of(text, place, _wanted(columns)), columns)
    faults.refuse(_of_quantities(columns))
    series = rows.select(columns.keys).n_unique()
    if series > most_series:
        raise BadHistoryFile(place, f"it has {series:,} series; send at most {most_series:,}")
    months = rows["ordinal"].to_numpy()
    first, last = Month.from_ordinal(int(months.min())), Month.from_ordinal(int(months.max()))
    if last - first >= most_months:
        raise BadHistoryFile(place, f"it runs from {first} to {last}; send at most {most_months} months")
    return _history(rows, columns, levels)


def read_sound_history(
    path: Path, columns: HistoryColumns, levels: Sequence[Level]
) -> tuple[History, pl.DataFrame]:
    """As `read_history`, but without the series that hold a quantity which is no number.

    Those are the second answer: the keys and `reason`. Where no series is sound, it raises.
    """
    rows, bad, faults = _read_rows(path, tables(path, _wanted(columns)), columns)
    broken = (
        bad.group_by(columns.keys)
        .agg(pl.all().first())
        .select(*columns.keys, pl.format("broken: row {} has quantity '{}'", "row", "worded").alias("reason"))
    )
    sound = rows.join(broken, on=columns.keys, how="anti", maintain_order="left")
    if sound.is_empty():
        faults.refuse(_of_quantities(columns))
    words = broken.with_columns(pl.col(columns.keys).cast(pl.String)).sort(columns.keys)
    return _history(sound, columns, levels), words


def _history(rows: pl.DataFrame, columns: HistoryColumns, levels: Sequence[Level]) -> History:
    empty = int((rows["quantity"].is_null() | rows["quantity"].is_nan()).sum())
    if empty:
        rows = rows.with_columns(pl.col("quantity").fill_null(0.0).fill_nan(0.0))
    panel = panel_from_rows(rows, columns.keys, _with_leaf_level(rows, columns.keys, levels))
    return History(panel, empty)


def _read_rows(
    path: Path, blocks: Iterable[tuple[int, pl.DataFrame]], columns: HistoryColumns
) -> tuple[pl.DataFrame, pl.DataFrame, Faults]:
    """Rows of keys, `ordinal` of the month and `quantity`, null where it is no number; the bad ones too.

    Bad rows have the keys, the number of the `row` and the quantity as `worded` in the file.
    """
    faults, rows, bad_rows = Faults(path), [], []
    for offset, table in blocks:
        block = pl.DataFrame([key_codes(table[key]).alias(key) for key in columns.keys])
        for key in columns.keys:
            faults.note(table, offset, key, block[key].is_null(), _EMPTY_KEY)
        months = ordinals(table[columns.month])
        faults.note(table, offset, columns.month, months.is_null(), _NO_MONTH)
        numbers, wrong = quantities(table[columns.quantity])
        endless = numbers.is_infinite().fill_null(False)
        huge = ((numbers.abs() > LARGEST) & numbers.is_finite()).fill_null(False)
        faults.note(table, offset, columns.quantity, wrong, _NO_NUMBER)
        faults.note(table, offset, columns.quantity, endless, _INFINITE)
        faults.note(table, offset, columns.quantity, huge, _TOO_LARGE)
        worded = table[columns.quantity].cast(pl.String).alias("worded")
        bad_rows.append(
            block.with_columns(worded).with_row_index("row", offset=offset + 1).filter(wrong | endless | huge)
        )
        rows.append(block.with_columns(months.alias("ordinal"), numbers.alias("quantity")))
    faults.refuse([*((key, _EMPTY_KEY) for key in columns.keys), (columns.month, _NO_MONTH)])
    return pl.concat(rows), pl.concat(bad_rows), faults


def _wanted(columns: HistoryColumns) -> list[tuple[str, str]]:
    return [
        *((key, "") for key in columns.keys),
        (columns.month, " (name another with --month)"),
        (columns.quantity, " (name another with --quantity)"),
    ]


def _of_quantities(columns: HistoryColumns) -> list[tuple[str, str]]:
    return [(columns.quantity, problem) for problem in (_NO_NUMBER, _INFINITE, _TOO_LARGE)]


def default_levels(keys: Sequence[str]) -> tuple[Level, ...]:
    """The total, each key by itself, and all keys together."""
    alone = [(key,) for key in keys]
    return ((), *alone) if len(keys) == 1 else ((), *alone, tuple(keys))


def _with_leaf_level(rows: pl.DataFrame, keys: Sequence[str], levels: Sequence[Level]) -> tuple[Level, ...]:
    """The levels with, last, one that tells every leaf apart."""
    check_levels(tuple(keys), tuple(levels))
    leaves = distinct_keys(rows, keys)
    for level in reversed(levels):
        named = [key for key in level if key in keys]
        if named and len(named) == len(level) and leaves.select(named).n_unique() == leaves.height:
            return (*(other for other in levels if other != level), level)
    return (*levels, tuple(keys)) if set(keys) not in map(set, levels) else tuple(levels)
