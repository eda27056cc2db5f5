"""Rows of an Excel workbook: values as Excel has stored them, and what stands in the way of reading them."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZipFile

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from app.reading.errors import UnreadableFile
from app.reading.table import MOST_ROWS, Cell, Rows, letter

_CELL = re.compile(rb'<c r="([A-Z]{1,3}\d{1,7})"(?:\s+[a-z]+="[^"]*?")*?\s*>(?:(?!</c>).)*?</c>', re.DOTALL)
_FORMULA = re.compile(rb"<f[\s/>]")
_VALUE = re.compile(rb"<(?:v|is)(?:\s[^>]*)?>[^<]*[^<\s]|<is>")
_WRONG = re.compile(rb'\st="e"')


@dataclass(frozen=True)
class Sheets:
    """The sheets of a workbook that may hold a table, by name; one has to be chosen."""

    names: tuple[str, ...]


def rows_of_workbook(content: bytes, sheet: str | None) -> Rows | Sheets:
    """The rows of a sheet, or which sheets there are where none is named and several hold something.

    Raises `UnreadableFile`.
    """
    try:
        with CalamineWorkbook.from_filelike(BytesIO(content)) as book:
            return _read(book, content, sheet)
    except CalamineError as error:
        raise UnreadableFile(
            f"the workbook cannot be read ({str(error)[:120]})",
            "open it in Excel, save it anew, or save the sheet as CSV",
        ) from error


def _read(book: CalamineWorkbook, content: bytes, sheet: str | None) -> Rows | Sheets:
    there = [
        each.name
        for each in book.sheets_metadata
        if each.typ == SheetTypeEnum.WorkSheet and each.visible == SheetVisibleEnum.Visible
    ]
    filled = there if sheet is None else [name for name in there if name == sheet]
    if len(filled) > 1:
        sized = [(name, book.get_sheet_by_name(name)) for name in filled]
        filled = [name for name, each in sized if each.height > 0]
    if len(filled) > 1:
        return Sheets(tuple(filled))
    if not filled:
        raise UnreadableFile(
            "the workbook has no visible sheet with anything in it",
            "show the sheet or fill it, and drop it anew",
        )
    name = filled[0]
    found = book.get_sheet_by_name(name)
    _refuse_merged(name, found)
    rows = _rows(name, found)
    if any(None in row for row in rows.cells):
        _refuse_without_value(name, content)
    return rows


def _rows(name: str, sheet: CalamineSheet) -> Rows:
    if sheet.total_height > MOST_ROWS + 1:
        raise UnreadableFile(
            f"sheet {name!r} reaches down to row {sheet.total_height:,}; the page takes {MOST_ROWS:,} rows",
            "delete empty rows at its end, add up by month, or use: tonnage forecast",
        )
    numbers, cells = [], []
    for number, row in enumerate(sheet.iter_rows(), 1):
        if any(cell != "" for cell in row):
            numbers.append(number)
            cells.append([_cell(cell) for cell in row])
    first = 0 if sheet.start is None else sheet.start[1]
    return Rows(numbers, cells, f"sheet {name!r}", first)


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    return float(value) if isinstance(value, int | float) else str(value)


def _refuse_merged(name: str, sheet: CalamineSheet) -> None:
    merged = sheet.merged_cell_ranges or []
    if merged:
        (top, left), (bottom, right) = merged[0]
        others = f" (and {len(merged) - 1:,} more ranges)" if len(merged) > 1 else ""
        raise UnreadableFile(
            f"in sheet {name!r} the cells {letter(left)}{top + 1}:{letter(right)}{bottom + 1} are merged"
            f"{others}; only the first of them holds the value",
            "select all, choose Unmerge Cells, and write the value into every row",
        )


def _refuse_without_value(name: str, content: bytes) -> None:
    """Cells that look empty and are not: formulas that were never calculated, and errors such as #N/A."""
    try:
        with ZipFile(BytesIO(content)) as packed:
            text = packed.read(_part(packed, name))
    except (KeyError, ValueError, ElementTree.ParseError) as error:
        raise UnreadableFile(
            f"where the cells of sheet {name!r} lie in the workbook is not to be found",
            "open it in Excel and save it anew, or save the sheet as CSV",
        ) from error
    unsolved: list[bytes] = []
    wrong: list[bytes] = []
    for cell in _CELL.finditer(text):
        whole = cell[0]
        if _WRONG.search(whole[: whole.index(b">")]):
            wrong.append(cell[1])
        elif _FORMULA.search(whole) and not _VALUE.search(whole):
            unsolved.append(cell[1])
    if wrong:
        raise UnreadableFile(
            f"in sheet {name!r} {_cells(wrong)} an error such as #N/A or #REF!",
            "correct it, or empty the cell",
        )
    if unsolved:
        raise UnreadableFile(
            f"in sheet {name!r} {_cells(unsolved)} a formula whose value was never calculated",
            "open the file in Excel and save it, which calculates it, or paste the cells as values",
        )


def _cells(places: Sequence[bytes]) -> str:
    named = b", ".join(places[:3]).decode()
    if len(places) == 1:
        return f"cell {named} holds"
    return f"the cells {named}{' and others' if len(places) > 3 else ''} ({len(places):,} in all) each hold"


def _part(packed: ZipFile, name: str) -> str:
    """Where the cells of a sheet lie in the file."""
    # Its parser refuses entities that multiply (Expat 2.4 and later), and the file's size is bounded.
    book = ElementTree.fromstring(packed.read("xl/workbook.xml"))  # noqa: S314
    links = ElementTree.fromstring(packed.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    (sheet,) = (each for each in book.iterfind(".//{*}sheet") if each.get("name") == name)
    (wanted,) = (value for key, value in sheet.items() if key.endswith("}id"))
    (target,) = (link.get("Target", "") for link in links if link.get("Id") == wanted)
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
