"""History from a table whose columns have been named: the text that `/v1/predict` takes, and its sums."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from app.reading.amounts import LARGEST, amounts_of
from app.reading.dates import dates_of
from app.reading.errors import UnreadableFile, more, quoted
from app.reading.roles import MOST_KEYS
from app.reading.table import Cell, Table
from forecasting.months import Month

MONTH, QUANTITY = "month", "quantity"
# What the answer calls columns of its own.
_TAKEN = frozenset({MONTH, QUANTITY, "level", "mean", "fallback", "path"})


@dataclass(frozen=True)
class Choice:
    """Which columns of a table are which, by their place; None where nobody said which of two ways counts."""

    keys: tuple[int, ...]
    month: int
    quantity: int
    day_first: bool | None = None
    decimal_comma: bool | None = None


@dataclass(frozen=True)
class Limits:
    """How many series and months are taken."""

    series: int
    months: int


@dataclass(frozen=True)
class History:
    """Rows of keys, month (counted from year 0) and quantity, None where it was empty."""

    keys: tuple[str, ...]
    rows: Sequence[tuple[tuple[str, ...], int, float | None]]

    def text(self) -> bytes:
        """The CSV that `/v1/predict` takes, with the columns `month` and `quantity`."""
        text = StringIO()
        written = csv.writer(text, lineterminator="\n")
        written.writerow((*self.keys, MONTH, QUANTITY))
        months = {ordinal: str(Month.from_ordinal(ordinal)) for _, ordinal, _ in self.rows}
        written.writerows(
            (*keys, months[ordinal], "" if quantity is None else repr(quantity))
            for keys, ordinal, quantity in self.rows
        )
        return text.getvalue().encode()

    def sums(
        self, levels: Sequence[Sequence[str]]
    ) -> Mapping[tuple[str | None, ...], tuple[int, list[float]]]:
        """For each node of these levels, named by its keys (None where it sums over one), its first month and
        what was bought in each up to the last month of all."""
        leaves: dict[tuple[str, ...], dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for keys, ordinal, quantity in self.rows:
            leaves[keys][ordinal] += quantity or 0.0
        last = max(ordinal for _, ordinal, _ in self.rows)
        nodes: dict[tuple[str | None, ...], dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for level in levels:
            held = [key in level for key in self.keys]
            for keys, months in leaves.items():
                node = tuple(key if holds else None for key, holds in zip(keys, held, strict=True))
                for ordinal, quantity in months.items():
                    nodes[node][ordinal] += quantity
        return {
            node: (first := min(months), [months.get(ordinal, 0.0) for ordinal in range(first, last + 1)])
            for node, months in nodes.items()
        }


def history_of(table: Table, choice: Choice, limits: Limits) -> History:
    """The history in a table; raises `UnreadableFile` with the first bad row, or what is too much."""
    _check_names(table, choice)
    dates = dates_of(table.columns[choice.month], table.numbers)
    amounts = amounts_of(table.columns[choice.quantity], table.numbers)
    if dates.unsure is not None and choice.day_first is None:
        raise UnreadableFile(
            f"{quoted(table.columns[choice.month].name)} has {dates.unsure}, which can be read with the day "
            "or with the month first, and no date in the column tells which",
            "say which comes first",
        )
    if amounts.unsure is not None and choice.decimal_comma is None:
        raise UnreadableFile(
            f"{quoted(table.columns[choice.quantity].name)} has {amounts.unsure}, which can be thousands or "
            "decimals, and no number in the column tells which",
            "say which it is",
        )
    keys = list(zip(*(_key_texts(table, place) for place in choice.keys), strict=True))
    day, comma = (0 if choice.day_first is not False else 1), (1 if choice.decimal_comma else 0)
    months = [dates.months[cell][day] for cell in table.columns[choice.month].cells]
    numbers = {cell: None if found is None else found[comma] for cell, found in amounts.values.items()}
    quantities = [numbers[cell] for cell in table.columns[choice.quantity].cells]
    _check_sizes(table, choice, quantities)
    names = tuple(table.columns[place].name for place in choice.keys)
    _check_limits(table, names, keys, months, limits)
    return History(names, list(zip(keys, months, quantities, strict=True)))


def _check_names(table: Table, choice: Choice) -> None:
    if not 1 <= len(choice.keys) <= MOST_KEYS:
        raise UnreadableFile(
            f"{len(choice.keys) or 'no'} columns are keys",
            f"choose one to {MOST_KEYS} that say what a row is of",
        )
    for place in choice.keys:
        name = table.columns[place].name
        if name in _TAKEN or "," in name or ";" in name:
            raise UnreadableFile(
                f"the key {quoted(name)} is called like a column of the answer"
                if name in _TAKEN
                else f"the name of the key {quoted(name)} holds a comma or a semicolon, which part names",
                "rename the column in the file",
            )


def _key_texts(table: Table, place: int) -> list[str]:
    column = table.columns[place]
    texts = {cell: _key_text(cell) for cell in set(column.cells)}
    found = [texts[cell] for cell in column.cells]
    empty = found.count("")
    if empty:
        raise UnreadableFile(
            f"row {table.numbers[found.index('')]}: {quoted(column.name)} is empty{more(empty - 1)}",
            "give every row its keys, or leave the column out",
        )
    return found


def _key_text(cell: Cell) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return "" if cell is None else str(cell)


def _check_sizes(table: Table, choice: Choice, quantities: Sequence[float | None]) -> None:
    for number, quantity in zip(table.numbers, quantities, strict=True):
        if quantity is not None and abs(quantity) > LARGEST:
            raise UnreadableFile(
                f"row {number}: {quoted(table.columns[choice.quantity].name)} is beyond {LARGEST:g}",
                "write it in a larger unit",
            )


def _check_limits(
    table: Table, names: Sequence[str], keys: Sequence[tuple[str, ...]], months: Sequence[int], limits: Limits
) -> None:
    series = len(set(keys))
    if series > limits.series:
        raise UnreadableFile(
            f"the {len(keys):,} rows are of {series:,} series by {' and '.join(map(quoted, names))}; "
            f"the page takes {limits.series:,}",
            "leave a key out, take a part of the file, or use: tonnage forecast",
        )
    first, last = min(months), max(months)
    if last - first >= limits.months:
        where = table.numbers[months.index(first)], table.numbers[months.index(last)]
        raise UnreadableFile(
            f"it runs from {Month.from_ordinal(first)} (row {where[0]}) to {Month.from_ordinal(last)} "
            f"(row {where[1]}), {last - first + 1:,} months; the page takes {limits.months}",
            "correct the dates, or leave the oldest months out",
        )
