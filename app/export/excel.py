"""Forecasts as an Excel workbook: real dates and numbers, a frozen header, and a sheet of notes.

Names are text cells, which Excel does not run; those that it would run once somebody edits them say that they
are text. The same forecasts are the same bytes: the workbook says it was made when the run was published.
"""

import datetime as dt
from collections.abc import Iterable
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types

from app.export.blocks import block_of, days_of
from app.export.columns import columns_of, names_of
from app.export.notes import notes_of
from app.refusals import NotForExcel
from app.store.cells import runs_as_formula
from app.store.read import Reader
from app.store.row_text import Shape
from app.store.selected_nodes import NodeSlice
from app.store.selection import Selection
from forecasting.hierarchy import level_name

MOST_ROWS = 1_048_575
"""Below the header."""

_EPOCH = dt.date(1899, 12, 30)  # Excel's day 0, as it counts since 1900-03-01
_WIDTHS = {"run": 24, "level": 24, "origin": 10, "month": 10, "unit": 6, "measure": 10}
_WIDTH_OF_NAMES, _WIDTH_OF_NUMBERS = 18, 14


def refuse_too_many(reader: Reader, selection: Selection, shape: Shape) -> None:
    """Raise `NotForExcel` for more than a sheet holds."""
    rows_of_a_node = len(selection.months) if shape == "long" else len(selection.measures)
    most = MOST_ROWS // rows_of_a_node
    if reader.count(selection, most + 1) > most:
        raise NotForExcel(
            f"a sheet of Excel holds {MOST_ROWS:,} rows below its header, and this would have more",
            "ask for csv or parquet, or for less: a filter, fewer months, or another level",
            field="format",
            value="xlsx",
        )


def workbook(reader: Reader, selection: Selection, slices: Iterable[NodeSlice], shape: Shape) -> IO[bytes]:
    """The whole file, on disk and without a name: it goes when it is closed.

    Raises `NotForExcel` for a name that does not fit into a cell.
    """
    file = TemporaryFile()  # noqa: SIM115  # whoever reads it closes it
    with TemporaryDirectory() as folder:
        book = Workbook(file, {"constant_memory": True, "tmpdir": folder})
        book.set_properties({"created": selection.run.published_at.astimezone(dt.UTC).replace(tzinfo=None)})
        sheet = _Sheet(book, selection, shape)
        for nodes in slices:
            sheet.write(nodes, reader)
        sheet.end()
        _write_notes(book, selection)
        book.close()
    file.seek(0)
    return file


class _Sheet:
    """The sheet of forecasts, written row by row."""

    def __init__(self, book: Any, selection: Selection, shape: Shape) -> None:
        self._selection = selection
        self._shape = shape
        self._columns = columns_of(selection, shape)
        self._row = 0
        self._sheet = book.add_worksheet("Forecasts")
        self._plain = book.add_format()
        self._quoted = book.add_format({"quote_prefix": True})
        self._month = book.add_format({"num_format": "yyyy-mm"})
        self._number = book.add_format({"num_format": "#,##0.00"})
        bold, bold_month = (
            book.add_format({"bold": True, "bottom": 1, "num_format": form})
            for form in ("General", "yyyy-mm")
        )
        names = names_of(selection)
        for at, name in enumerate(self._columns):
            width = _WIDTHS.get(name, _WIDTH_OF_NAMES if name in names else _WIDTH_OF_NUMBERS)
            self._sheet.set_column(at, at, width)
        self._sheet.freeze_panes(1, 0)
        months = len(self._columns) - len(selection.months) if shape == "wide" else len(self._columns)
        for at, name in enumerate(self._columns[:months]):
            self._sheet.write_string(0, at, name, bold)
        if shape == "wide":
            for at, day in enumerate(self._days):
                self._sheet.write_number(0, months + at, day, bold_month)

    @property
    def _days(self) -> list[int]:
        return [int(day) for day in days_of([month.first_day for month in self._selection.months], _EPOCH)]

    def write(self, nodes: NodeSlice, reader: Reader) -> None:
        """The rows of a slice."""
        selection = self._selection
        run = selection.run
        block = block_of(reader.numbers(selection, nodes.ids), self._shape)
        origin = (run.origin.first_day - _EPOCH).days
        level, measures, days = level_name(selection.level), selection.measures, self._days
        number, date, text = self._sheet.write_number, self._month, self._text
        rows = zip(block.node.tolist(), block.step.tolist(), block.numbers.tolist(), strict=True)
        for node, step, numbers in rows:
            self._row = row = self._row + 1
            text(row, 0, run.id)
            number(row, 1, origin, date)
            text(row, 2, level)
            at = 3
            for values in nodes.names:
                value = values[node]
                if value is not None:
                    text(row, at, value)
                at += 1
            if self._shape == "long":
                number(row, at, days[step], date)
                text(row, at + 1, run.unit)
            else:
                text(row, at, run.unit)
                text(row, at + 1, measures[step])
            at += 2
            for each in numbers:
                number(row, at, each, self._number)
                at += 1

    def end(self) -> None:
        """What needs the number of rows."""
        self._sheet.autofilter(0, 0, self._row, len(self._columns) - 1)

    def _text(self, row: int, column: int, text: str) -> None:
        form = self._quoted if runs_as_formula(text) else self._plain
        if self._sheet.write_string(row, column, text, form):
            raise NotForExcel(
                f"a cell of Excel holds 32,767 characters, and one of these has {len(text):,}",
                "ask for csv or parquet",
                field="format",
                value="xlsx",
            )


def _write_notes(book: Any, selection: Selection) -> None:
    sheet = book.add_worksheet("Notes")
    bold = book.add_format({"bold": True})
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90)
    for row, (what, text) in enumerate(notes_of(selection)):
        sheet.write_string(row, 0, what, bold)
        sheet.write_string(row, 1, text)
