"""Rows of a text file: its letters and its separator by what is in it."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from itertools import islice

from app.reading.errors import UnreadableFile, quoted
from app.reading.table import MOST_ROWS, Cell, Rows

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LOOKED_AT = 500
_LONGEST_CELL = 100_000
_BOMS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)


def rows_of_text(content: bytes) -> Rows:
    """The rows of a CSV; raises `UnreadableFile` for what is no text or has no separator of ours."""
    text, letters = _decoded(content)
    separator, text = _separator(text)
    numbers: list[int] = []
    cells: list[list[Cell]] = []
    for number, row in _records(text, separator, strict=True):
        cleaned: list[Cell] = [cell.strip() or None for cell in row]
        if any(cleaned):
            numbers.append(number)
            cells.append(cleaned)
        if len(cells) > MOST_ROWS + 1:
            raise UnreadableFile(
                f"it has more than {MOST_ROWS:,} rows, which is what the page takes",
                "add up by month first, or use: tonnage forecast",
            )
    return Rows(numbers, cells, f"separated by {SEPARATORS[separator]}, {letters}")


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, codec, name in _BOMS:
        if content.startswith(mark):
            try:
                return _readable(content[len(mark) :].decode(codec)), name
            except UnicodeDecodeError as error:
                raise _no_text(name, len(mark) + error.start) from None
    half = _half_empty(content[:4096])
    if half is not None:
        try:
            return _readable(content.decode(half)), "UTF-16"
        except UnicodeDecodeError as error:
            raise _no_text("UTF-16", error.start) from None
    try:
        return _readable(content.decode("utf-8")), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return _readable(content.decode("cp1252")), "Windows-1252"
    except UnicodeDecodeError as error:
        raise _no_text("UTF-8 or Windows-1252", error.start) from None


def _half_empty(beginning: bytes) -> str | None:
    """Which UTF-16 it is without a mark: of Western text every other byte is zero."""
    pairs = len(beginning) // 2
    if pairs and beginning[1::2].count(0) > pairs * 0.4 and beginning[::2].count(0) < pairs * 0.05:
        return "utf-16-le"
    if pairs and beginning[::2].count(0) > pairs * 0.4 and beginning[1::2].count(0) < pairs * 0.05:
        return "utf-16-be"
    return None


def _readable(text: str) -> str:
    if "\x00" in text[:100_000] or sum(letter < " " and letter not in "\t\r\n" for letter in text[:4096]) > 8:
        raise UnreadableFile(
            "this is no text: it holds signs that no CSV has",
            "drop a CSV or an Excel workbook (.xlsx)",
        )
    return text


def _no_text(letters: str, place: int) -> UnreadableFile:
    return UnreadableFile(
        f"this is no text in {letters}: byte {place + 1:,} is no letter of it",
        "save it as CSV UTF-8 and drop that",
    )


def _separator(text: str) -> tuple[str, str]:
    """The separator by which most rows have as many cells as others, and the text without a `sep=` line."""
    said, _, rest = text.partition("\n")
    if said.strip().lower().startswith("sep=") and said.strip("\r\n")[4:5] in SEPARATORS:
        return said[4], "\n" + rest  # as many rows as there were
    found: dict[str, tuple[float, int]] = {}
    for separator in SEPARATORS:
        widths = [
            len(row)
            for _, row in islice(_records(text, separator), _LOOKED_AT)
            if any(cell.strip() for cell in row)
        ]
        width, count = (
            Counter(width for width in widths if width > 1).most_common(1)[0]
            if max(widths, default=0) > 1
            else (1, 0)
        )
        found[separator] = (round(count / max(len(widths), 1), 2), width)
    best = max(found.values())
    if best[0] == 0:
        number, row = next(each for each in _records(text, ",") if any(cell.strip() for cell in each[1]))
        if len("".join(row).strip().splitlines()) > 1:  # only in quotes does a row have several lines
            raise _open_quote(number)
        line = next(line for line in text.splitlines() if line.strip())
        raise UnreadableFile(
            f"nothing separates the columns: the first row reads {quoted(line.strip())}",
            "separate them by commas, semicolons, tabs or bars (|)",
        )
    ways = [separator for separator, way in found.items() if way == best]
    if len(ways) > 1:
        names = " and ".join(SEPARATORS[separator] for separator in ways)
        raise UnreadableFile(
            f"{names} divide the rows into {best[1]} columns alike, so either could separate them",
            "save it with tabs between the columns, or as Excel workbook (.xlsx)",
        )
    return ways[0], text


def _records(text: str, separator: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Each row with its number, blank ones counted as Excel and editors do.

    Of a quote that is not closed the cell goes on over the rows that follow: `strict` refuses that, which
    can only be told once the separator is known.
    """
    csv.field_size_limit(_LONGEST_CELL)
    rows = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=strict)
    number = 0
    try:
        for row in rows:
            number += 1
            yield number, row
    except csv.Error:
        raise _open_quote(number + 1) from None


def _open_quote(row: int) -> UnreadableFile:
    return UnreadableFile(
        f'row {row}: a quote (") opens a cell there and is not closed where the cell ends',
        'close it, or leave quotes out; inside quotes a quote is written twice ("")',
    )
