"""Any table, written in any separator, letters and format, reads back as the same history."""

import codecs
import csv
import datetime as dt
from collections.abc import Callable
from io import BytesIO, StringIO

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from app.reading.history import Choice, History, Limits, history_of
from app.reading.read import read_table
from app.reading.table import Table

type Row = tuple[str, dt.date, float | None]

# Letters that all encodings have; a key has no blanks around it, for these are not read as part of it.
KEYS = st.text(st.sampled_from("abcÄöß€–'\"|;,\t .-#=/0129"), min_size=1, max_size=8).map(
    lambda text: f"K{text}".strip()
)
# Three decimals, so that a mark with three digits behind it is among them.
AMOUNTS = st.none() | st.integers(-(10**7), 10**7).map(lambda thousandths: thousandths / 1000)
DATES = st.dates(dt.date(1990, 1, 1), dt.date(2030, 12, 31))
ROWS = st.lists(st.tuples(KEYS, DATES, AMOUNTS), min_size=1, max_size=12).filter(
    lambda rows: any(amount is not None for _, _, amount in rows)
)
FORMATS: list[Callable[[dt.date], str]] = [
    lambda day: f"{day:%Y-%m-%d}",
    lambda day: f"{day:%Y-%m}",
    lambda day: f"{day:%d.%m.%Y}",
    lambda day: f"{day.day}.{day.month}.{day.year}",
    lambda day: f"{day:%d/%m/%Y}",
    lambda day: f"{day:%m/%d/%Y}",
    lambda day: f"{day:%Y%m}",
    lambda day: f"{day:%Y-%m-%d} 00:00:00",
]
ENCODINGS = [
    ("utf-8", b""),
    ("utf-8", codecs.BOM_UTF8),
    ("utf-16-le", codecs.BOM_UTF16_LE),
    ("utf-16-be", codecs.BOM_UTF16_BE),
    ("cp1252", b""),
]


def history(table: Table | object, *, day_first: bool, decimal_comma: bool) -> History:
    assert isinstance(table, Table)
    return history_of(table, Choice((0,), 1, 2, day_first, decimal_comma), Limits(1_000, 600))


def expected(rows: list[Row]) -> list[tuple[tuple[str, ...], int, float | None]]:
    return [((key,), day.year * 12 + day.month - 1, amount) for key, day, amount in rows]


@given(ROWS, st.sampled_from(",;\t|"), st.sampled_from(ENCODINGS), st.sampled_from(FORMATS), st.booleans())
def test_as_text(
    rows: list[Row],
    separator: str,
    encoding: tuple[str, bytes],
    written: Callable[[dt.date], str],
    decimal_comma: bool,
) -> None:
    text = StringIO()
    out = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL)
    out.writerow(("customer", "date", "amount"))
    for key, day, amount in rows:
        number = "" if amount is None else f"{amount:.3f}"
        out.writerow((key, written(day), number.replace(".", ",") if decimal_comma else number))
    codec, mark = encoding
    found = history(
        read_table(mark + text.getvalue().encode(codec)),
        day_first=written(dt.date(2026, 10, 31)).startswith("31"),
        decimal_comma=decimal_comma,
    )
    assert list(found.rows) == expected(rows)


@given(ROWS, st.booleans())
def test_as_workbook(rows: list[Row], dates_as_text: bool) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["customer", "date", "amount"])
    for number, (key, day, amount) in enumerate(rows, 2):
        sheet.cell(number, 1, key)
        sheet.cell(number, 2, f"{day:%Y-%m-%d}" if dates_as_text else day)
        sheet.cell(number, 3, amount)
    content = BytesIO()
    book.save(content)
    found = history(read_table(content.getvalue()), day_first=True, decimal_comma=False)
    assert list(found.rows) == expected(rows)
