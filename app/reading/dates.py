"""A column of dates as months: which way round they are written is decided by all of them together."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.reading.errors import UnreadableFile, more, quoted
from app.reading.table import Cell, Column

_TIME = r"(?:[T ]+\d{1,2}:\d{2}.*)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})(?:\2(\d{{1,2}}){_TIME})?")
_TOGETHER = re.compile(r"(\d{4})(\d{2})(\d{2})?")
_DOTTED = re.compile(rf"(\d{{1,2}})\.(\d{{1,2}})\.(\d{{4}}){_TIME}")
_SLASHED = re.compile(rf"(\d{{1,2}})([-/])(\d{{1,2}})\2(\d{{4}}){_TIME}")
_NO_DAY = re.compile(r"(\d{1,2})[-/.](\d{4})")
# Days since 1900, as Excel counts them: from 1954 to 2119.
_SERIALS = (20_000, 80_000)


@dataclass(frozen=True)
class Dates:
    """A column read as months.

    `months` has for each cell the month, counted from year 0, if the day comes first and if the month does.
    `unsure` is a date that can be both, where no other one tells. `ways` are the formats that were found,
    each by one of its dates and the number of rows written so.
    """

    months: Mapping[Cell, tuple[int, int]]
    ways: tuple[tuple[str, int], ...]
    unsure: str | None


@dataclass(frozen=True)
class _Parsed:
    """A date, in a format; None for a reading that no calendar has."""

    way: str
    day_first: int | None
    month_first: int | None


def dates_of(column: Column, numbers: Sequence[int]) -> Dates:
    """The column as months, of rows with these numbers; raises `UnreadableFile` for what is none."""
    rows = Counter(column.cells)
    found: dict[Cell, _Parsed] = {}
    wrong: set[Cell] = set()
    for cell in rows:
        parsed = _parsed(cell)
        if parsed is None:
            wrong.add(cell)
        else:
            found[cell] = parsed
    if wrong:
        raise _no_date(column, numbers, wrong)
    by_day = [cell for cell, each in found.items() if each.month_first is None]
    by_month = [cell for cell, each in found.items() if each.day_first is None]
    if by_day and by_month:
        raise _both_ways(column, numbers, by_day[0], by_month[0])
    months: dict[Cell, tuple[int, int]] = {}
    unsure = None
    ways: dict[str, tuple[str, int]] = {}
    for cell, each in found.items():
        first = each.month_first if by_month or each.day_first is None else each.day_first
        second = each.day_first if by_day or each.month_first is None else each.month_first
        assert first is not None  # one of the two
        assert second is not None
        months[cell] = (first, second)
        unsure = str(cell) if unsure is None and first != second else unsure
        example, count = ways.get(each.way, (str(cell), 0))
        ways[each.way] = (example, count + rows[cell])
    return Dates(months, tuple(ways.values()), unsure)


def _parsed(cell: Cell) -> _Parsed | None:  # noqa: PLR0911  # one for each format
    if isinstance(cell, dt.date):
        return _Parsed("date", *2 * [_ordinal(cell.year, cell.month)])
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    if match := _YEAR_FIRST.fullmatch(text):
        return _certain(f"year{match[2]}{bool(match[4])}", match[1], match[3], match[4])
    if match := _TOGETHER.fullmatch(text):
        return _certain(f"together{bool(match[3])}", match[1], match[2], match[3])
    if match := _DOTTED.fullmatch(text):
        return _certain("dotted", match[3], match[2], match[1])
    if match := _NO_DAY.fullmatch(text):
        return _certain("no day", match[2], match[1], None)
    if match := _SLASHED.fullmatch(text):
        both = _month(match[4], match[3], match[1]), _month(match[4], match[1], match[3])
        return None if both == (None, None) else _Parsed(f"slashed{match[2]}", *both)
    return None


def _certain(way: str, year: str, month: str, day: str | None) -> _Parsed | None:
    found = _month(year, month, day)
    return None if found is None else _Parsed(way, found, found)


def _month(year: str, month: str, day: str | None) -> int | None:
    try:
        date = dt.date(int(year), int(month), int(day or 1))
    except ValueError:
        return None
    return _ordinal(date.year, date.month) if 1900 <= date.year <= 2200 else None


def _ordinal(year: int, month: int) -> int:
    return year * 12 + month - 1


def _no_date(column: Column, numbers: Sequence[int], wrong: Collection[Cell]) -> UnreadableFile:
    places = [place for place, cell in enumerate(column.cells) if cell in wrong]
    cell, row = column.cells[places[0]], numbers[places[0]]
    others = more(len(places) - 1)
    if cell is None:
        return UnreadableFile(
            f"row {row}: {quoted(column.name)} is empty{others}", "give every row its month, or delete it"
        )
    if isinstance(cell, float) and _SERIALS[0] <= cell < _SERIALS[1]:
        return UnreadableFile(
            f"row {row}: {quoted(column.name)} holds the number {cell:g}{others}, perhaps a date of Excel "
            "that lost its format",
            "format the column as a date",
        )
    shown = f"{cell:g}" if isinstance(cell, float) else quoted(cell)
    return UnreadableFile(
        f"row {row}: {quoted(column.name)} is {shown}, which is no month or date{others}",
        "write 2026-10, 2026-10-31, 31.10.2026, 31/10/2026 or 10/31/2026, with a year of four digits",
    )


def _both_ways(column: Column, numbers: Sequence[int], by_day: Cell, by_month: Cell) -> UnreadableFile:
    first, second = numbers[column.cells.index(by_day)], numbers[column.cells.index(by_month)]
    return UnreadableFile(
        f"{quoted(column.name)} is written with the day first in row {first} ({by_day}) and with the month "
        f"first in row {second} ({by_month}), so what others mean cannot be known",
        "write all dates the same way, best as 2026-10-31",
    )
