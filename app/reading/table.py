"""A table in a file: its names of columns, its cells, and where each row stands."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.reading.errors import UnreadableFile, quoted

MOST_ROWS = 500_000
MOST_COLUMNS = 60

type Cell = str | float | dt.date | None
"""Text without blanks around it, a number or a date; None where there is nothing."""

_NUMBER = re.compile(r"[-+−]?[\d.,']*\d[\d.,']*(?:[eE][-+]?\d+)?")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ].*)?|\d{1,2}[-/.](\d{1,2}[-/.])?\d{4}([T ].*)?")


@dataclass(frozen=True)
class Rows:
    """Rows that hold something, each with its number in the file, as an editor or Excel counts them.

    `told` says how the file was read; `first_column` is what Excel calls A, counted from zero.
    """

    numbers: Sequence[int]
    cells: Sequence[Sequence[Cell]]
    told: str
    first_column: int = 0


@dataclass(frozen=True)
class Column:
    """A column: its name, and its cells top-down."""

    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Table:
    """Columns of the same length, and the number of each row in the file."""

    columns: tuple[Column, ...]
    numbers: Sequence[int]
    told: str


def table_of(rows: Rows) -> Table:
    """The table that begins with the first of these rows; raises `UnreadableFile` where it is none."""
    if not rows.cells:
        raise UnreadableFile("there is nothing in it", "drop one with a row of names and history below")
    header = rows.cells[0]
    _check_side_by_side(rows, header)
    _check_header(rows, header)
    if len(rows.cells) == 1:
        raise UnreadableFile(
            f"row {rows.numbers[0]} holds names of columns, and below it there is nothing",
            "add the rows of history",
        )
    if len(rows.cells) - 1 > MOST_ROWS:
        raise UnreadableFile(
            f"it has {len(rows.cells) - 1:,} rows; the page takes {MOST_ROWS:,}",
            "add up by month first, or use: tonnage forecast",
        )
    _check_widths(rows)
    columns = tuple(_columns(_names(rows, header), header, rows.cells[1:]))
    if len(columns) > MOST_COLUMNS:
        raise UnreadableFile(
            f"it has {len(columns)} columns; the page takes {MOST_COLUMNS}",
            "leave those out that are no key, month or quantity",
        )
    if len(columns) < 3:
        found = " and ".join(quoted(column.name) for column in columns)
        raise UnreadableFile(
            f"there are {len(columns)} columns, {found}; a history needs three"
            if len(columns) == 2
            else f"there is one column, {found}; a history needs three",
            "give a key (what was bought, or by whom), the month and the quantity a column each",
        )
    return Table(columns, rows.numbers[1:], rows.told)


def letter(place: int) -> str:
    """What Excel calls a column, counted from zero.

    >>> letter(0), letter(25), letter(26), letter(701)
    ('A', 'Z', 'AA', 'ZZ')
    """
    return (letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _columns(
    names: Sequence[str], header: Sequence[Cell], body: Sequence[Sequence[Cell]]
) -> Iterator[Column]:
    """The columns that have a name or hold something."""
    for place, name in enumerate(names):
        cells = [row[place] if place < len(row) else None for row in body]
        if header[place] is not None or any(cell is not None for cell in cells):
            yield Column(name, cells)


def _names(rows: Rows, header: Sequence[Cell]) -> list[str]:
    names = [
        f"column {letter(rows.first_column + place)}" if cell is None else str(cell)
        for place, cell in enumerate(header)
    ]
    for name, count in Counter(names).items():
        if count > 1:
            both = [letter(rows.first_column + place) for place, each in enumerate(names) if each == name]
            raise UnreadableFile(
                f"{count} columns are called {quoted(name)}: {', '.join(both[:5])}",
                f"give each a name of its own in row {rows.numbers[0]}",
            )
    return names


def _check_side_by_side(rows: Rows, header: Sequence[Cell]) -> None:
    """Months as columns are how planners lay out a sheet, and not what can be read."""
    months = [place for place, cell in enumerate(header) if _is_date(cell)]
    if len(months) >= 3:
        first, last = (letter(rows.first_column + place) for place in (months[0], months[-1]))
        raise UnreadableFile(
            f"the months stand side by side, in columns {first} to {last} of row {rows.numbers[0]}",
            "put them below each other: a row for each key and month, with columns for key, month and "
            "quantity (in Excel: Data › From Table › Unpivot Columns)",
        )


def _check_header(rows: Rows, header: Sequence[Cell]) -> None:
    filled = _filled(header)
    widths = Counter(_filled(row) for row in rows.cells[:200])
    usual = max((width for width in widths if width >= 2), key=lambda width: widths[width], default=0)
    if filled < usual and filled <= max(1, usual // 2):
        at = next(place for place, row in enumerate(rows.cells) if _filled(row) >= usual)
        text = next(cell for cell in header if cell is not None)
        raise UnreadableFile(
            f"row {rows.numbers[0]} holds {quoted(text)} and not a name for each column; "
            f"the names seem to stand in row {rows.numbers[at]}",
            f"delete what stands above row {rows.numbers[at]}",
        )
    for place, cell in enumerate(header):
        if _is_date(cell) or _is_number(cell):
            raise UnreadableFile(
                f"row {rows.numbers[0]} should name the columns, but {quoted(cell)} in column "
                f"{letter(rows.first_column + place)} is a value",
                "put a row above it that says what each column is, for example customer, month, quantity",
            )


def _check_widths(rows: Rows) -> None:
    width, named = len(rows.cells[0]), _filled_width(rows.cells[0])
    for number, row in zip(rows.numbers, rows.cells, strict=True):
        if len(row) == width:
            continue
        filled = _filled_width(row)
        if filled > width or len(row) < named:
            raise UnreadableFile(
                f"row {number} has {_cells(max(filled, len(row)))} where row {rows.numbers[0]} names "
                f"{named:,} columns: {_shown(row)}",
                "put quotes around a cell that holds the separator; all rows need as many cells as the first",
            )


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"


def _shown(row: Sequence[Cell]) -> str:
    return quoted(" | ".join("" if cell is None else str(cell) for cell in row))


def _filled(row: Sequence[Cell]) -> int:
    return sum(cell is not None for cell in row)


def _filled_width(row: Sequence[Cell]) -> int:
    for place in range(len(row), 0, -1):
        if row[place - 1] is not None:
            return place
    return 0


def _is_date(cell: Cell) -> bool:
    return isinstance(cell, dt.date) or (isinstance(cell, str) and _DATE.fullmatch(cell) is not None)


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, float) or (isinstance(cell, str) and _NUMBER.fullmatch(cell) is not None)
