"""A column of quantities as numbers: which sign marks the decimals is decided by all of them together."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.reading.errors import UnreadableFile, more, quoted
from app.reading.table import Cell, Column

LARGEST = 1e30

_NUMBER = re.compile(
    r"(?P<sign>[-+−]?)(?P<digits>\d[\d.,]*|[.,]\d+)(?P<power>[eE][-+]?\d{1,3})?(?P<after>-?)"
)
_BLANKS = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?:\D|$))")


@dataclass(frozen=True)
class Amounts:
    """A column read as numbers.

    `values` has for each cell its number with a decimal point and with a decimal comma, None where the cell
    is empty. `unsure` is a number that can be both, where no other one tells.
    """

    values: Mapping[Cell, tuple[float, float] | None]
    unsure: str | None


@dataclass(frozen=True)
class _Parsed:
    """A number by either way, None where it is none by it. `plain` ones have thousands without a mark."""

    point: float | None
    comma: float | None
    plain: bool = False


def amounts_of(column: Column, numbers: Sequence[int]) -> Amounts:
    """The column as numbers, of rows with these numbers; raises `UnreadableFile` for what is none."""
    found: dict[Cell, _Parsed] = {}
    wrong: set[Cell] = set()
    for cell in Counter(column.cells):
        parsed = None if cell is None else _parsed(cell)
        if parsed is not None:
            found[cell] = parsed
        elif cell is not None:
            wrong.add(cell)
    if wrong:
        raise _no_number(column, numbers, wrong)
    if not found:
        raise UnreadableFile(f"{quoted(column.name)} is empty in every row", "choose another column")
    by_point = [cell for cell, each in found.items() if each.comma is None]
    by_comma = [cell for cell, each in found.items() if each.point is None]
    if by_point and by_comma:
        raise _both_ways(column, numbers, by_point[0], by_comma[0])
    # Where 1250 is written without a mark, thousands have none, and 1.250 has three decimals.
    grouped = not any(each.plain for each in found.values())
    values: dict[Cell, tuple[float, float] | None] = {None: None}
    unsure = None
    for cell, each in found.items():
        point = each.comma if by_comma or each.point is None else each.point
        comma = each.point if by_point or each.comma is None else each.comma
        assert point is not None  # one of the two
        assert comma is not None
        if point != comma and not grouped:
            point = comma = min(point, comma, key=abs)
        values[cell] = (point, comma)
        unsure = str(cell) if unsure is None and point != comma else unsure
    return Amounts(values, unsure)


def _parsed(cell: Cell) -> _Parsed | None:
    if isinstance(cell, float):
        return _Parsed(cell, cell)
    if not isinstance(cell, str):
        return None
    if cell.isdecimal() and cell.isascii():
        return _Parsed(float(cell), float(cell), len(cell) > 3)
    match = _NUMBER.fullmatch(cell) or _NUMBER.fullmatch(_BLANKS.sub("", cell))
    if match is None or (match["sign"] and match["after"]):
        return None
    digits, power = match["digits"], match["power"] or ""
    sign = "-" if match["sign"] in {"-", "−"} or match["after"] else ""
    point = _number(digits, ",", ".")
    comma = _number(digits, ".", ",")
    if point is None and comma is None:
        return None
    plain = digits.isdigit() and len(digits) > 3 and not power
    return _Parsed(
        None if point is None else float(sign + point + power),
        None if comma is None else float(sign + comma + power),
        plain,
    )


def _number(digits: str, thousands: str, decimal: str) -> str | None:
    """As Python writes it, where one sign groups thousands and the other marks the decimals."""
    whole, mark, rest = digits.partition(decimal)
    if decimal in rest or thousands in rest:
        return None
    groups = whole.split(thousands)
    if len(groups) > 1 and (
        not 1 <= len(groups[0]) <= 3
        or groups[0].startswith("0")
        or any(len(group) != 3 for group in groups[1:])
    ):
        return None
    return "".join(groups) + ("." + rest if mark else "")


def _no_number(column: Column, numbers: Sequence[int], wrong: Collection[Cell]) -> UnreadableFile:
    places = [place for place, cell in enumerate(column.cells) if cell in wrong]
    cell, row = column.cells[places[0]], numbers[places[0]]
    remedy = "write numbers only, without units or words; leave the cell empty where nothing was bought"
    if isinstance(cell, dt.date):
        remedy = "format the column as a number, or choose another"
    return UnreadableFile(
        f"row {row}: {quoted(column.name)} is {quoted(cell)}, which is no number{more(len(places) - 1)}",
        remedy,
    )


def _both_ways(column: Column, numbers: Sequence[int], by_point: Cell, by_comma: Cell) -> UnreadableFile:
    first, second = numbers[column.cells.index(by_point)], numbers[column.cells.index(by_comma)]
    return UnreadableFile(
        f"{quoted(column.name)} has a decimal point in row {first} ({by_point}) and a decimal comma in row "
        f"{second} ({by_comma}), so what others mean cannot be known",
        "write all numbers the same way",
    )
