"""Files that people bring: what is read, and the sentence for what is not."""

import codecs
import datetime as dt
from io import BytesIO
from zipfile import ZipFile

import openpyxl
import pytest

from app.reading.errors import UnreadableFile
from app.reading.history import Choice, History, Limits, history_of
from app.reading.read import read_table
from app.reading.roles import KEY, LEFT_OUT, MONTH, QUANTITY, looks_of
from app.reading.table import MOST_ROWS, Table
from app.reading.workbook_rows import Sheets

LIMITS = Limits(series=3, months=24)
HEAD = "customer,month,quantity\n"
GOOD = [["customer", "month", "quantity"], ["A", dt.date(2026, 1, 31), 5], ["B", dt.date(2026, 2, 28), 2.5]]

type Workbook = openpyxl.Workbook


def table_in(content: bytes, sheet: str | None = None) -> Table:
    found = read_table(content, sheet)
    assert isinstance(found, Table)
    return found


def history_in(content: bytes, **said: bool) -> History:
    """By the roles that are guessed."""
    table = table_in(content)
    roles = [look.role for look in looks_of(table)]
    keys = tuple(place for place, role in enumerate(roles) if role == KEY)
    return history_of(table, Choice(keys, roles.index(MONTH), roles.index(QUANTITY), **said), LIMITS)


def csv_of(*dates: str, quantity: str = "1") -> bytes:
    return (HEAD + "".join(f'A,{date},"{quantity}"\n' for date in dates)).encode()


def saved(book: Workbook) -> bytes:
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def workbook(rows: list[list[object]], *, at: int = 1) -> Workbook:
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, at):
        for place, cell in enumerate(row, 1):
            book.active.cell(number, place, cell)  # type: ignore[union-attr]  # a sheet of cells
    return book


def merged() -> bytes:
    book = workbook([*GOOD, ["", dt.date(2026, 3, 31), 1]])
    book["Sheet"].merge_cells("A3:A4")
    return saved(book)


def hidden() -> bytes:
    book = workbook([])
    book.create_sheet("Notes")["A1"] = "x"
    book["Notes"].sheet_state = "hidden"
    return saved(book)


def zipped(*names: str) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return content.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
WIDE = b"customer;2026-01;2026-02;2026-03\nA;1;2;3\n"

BAD = {
    "empty": (b"", "the file is empty; drop one"),
    "blank": (b"\xef\xbb\xbf \r\n\n", "the file is empty"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "this is a PDF, not a table"),
    "png": (b"\x89PNG\r\n\x1a\n", "this is a picture (PNG)"),
    "jpeg": (b"\xff\xd8\xff\xe0", "this is a picture (JPEG)"),
    "parquet": (b"PAR1\x15", "this is a Parquet file"),
    "gzip": (b"\x1f\x8b\x08", "this is a compressed file (gzip)"),
    "html": (b"\xef\xbb\xbf<HTML><table>", "this is a web page or XML"),
    "xls": (OLE, "this is a file of Excel 97–2003 (.xls)"),
    "encrypted": (OLE + "EncryptedPackage".encode("utf-16-le"), "the workbook is protected by a password"),
    "xlsb": (zipped("xl/workbook.bin"), "this is a binary Excel workbook (.xlsb)"),
    "ods": (zipped("content.xml"), "this is an OpenDocument file"),
    "docx": (zipped("word/document.xml"), "this is a Word document"),
    "zip": (zipped("history.csv"), "this is a ZIP archive"),
    "cut off": (saved(workbook(GOOD))[:-200], "the workbook is damaged or cut off"),
    "broken inside": (zipped("xl/workbook.xml"), "the workbook cannot be read"),
    "binary": (bytes(range(1, 32)) * 9, "this is no text"),
    "no letter": (b"customer,month\n\x81\xff,\x9d", "this is no text in UTF-8 or Windows-1252: byte 16"),
    "colons": (
        b"customer:month:quantity\nA:2026-01:5\n",
        "nothing separates the columns: the first row reads",
    ),
    "two separators": (b"a;b,c\nd;e,f\n", "commas and semicolons divide the rows into 2 columns alike"),
    "quote": (
        b'customer,month,quantity\nA,2026-01,1\nB,2026-01,1\n"C,2026-01,' + b"1" * 100_001,
        'row 4: a quote (") opens a cell there and is not closed where the cell ends; close it',
    ),
    "quote open to the end": (
        HEAD.encode() + b'A,2026-01,1\nB,2026-01,"1\nC,2026-01,1\nD,2026-01,1\n',
        'row 3: a quote (") opens a cell there and is not closed',
    ),
    "quote open to the next": (
        HEAD.encode() + b'A,2026-01,1\n"B,2026-01,1\n"C",2026-01,1\nD,2026-01,1\n',
        'row 3: a quote (") opens a cell there and is not closed',
    ),
    "quote open in the last cell": (HEAD.encode() + b'A,2026-01,"1', 'row 2: a quote (") opens a cell'),
    "quote open in the first cell": (
        b'"customer,month,quantity\nA,2026-01,1\n',
        'row 1: a quote (") opens a cell there',
    ),
    "two columns": (b"month,quantity\n2026-01,5\n", "there are 2 columns, 'month' and 'quantity'; a history"),
    "only names": (HEAD.encode(), "row 1 holds names of columns, and below it there is nothing"),
    "no names": (b"A,2026-01,5\nB,2026-02,6\n", "row 1 should name the columns, but '2026-01' in column B"),
    "title": (
        b"Sales 2026,,\n\ncustomer,month,quantity\nA,2026-01,5\n",
        "row 1 holds 'Sales 2026' and not a name",
    ),
    "same names": (b"a,month,a,quantity\nA,2026-01,B,1\n", "2 columns are called 'a': A, C"),
    "side by side": (WIDE, "the months stand side by side, in columns B to D of row 1"),
    "too wide": (
        b"a,month,quantity\nA,2026-01,1,5\nB,2026-01,1\nC,2026-01,1\n",
        "row 2 has 4 cells where row 1",
    ),
    "too narrow": (
        b"a,month,quantity\nA,2026-01,1\nB,2026-01,1\nSource: me\n",
        "row 4 has 1 cell where row 1",
    ),
    "no date": (
        csv_of("2026-01", "Okt 26", "Nov 26"),
        "row 3: 'month' is 'Okt 26', which is no month or date (and",
    ),
    "no day": (csv_of("2026-01-31", "2026-02-30"), "row 3: 'month' is '2026-02-30'"),
    "no year": (csv_of("31.10.26"), "row 2: 'month' is '31.10.26'"),
    "no month": (csv_of("2026-01", ""), "row 3: 'month' is empty"),
    "both ways": (
        csv_of("31/10/2026", "10/31/2026"),
        "'month' is written with the day first in row 2 (31/10/2026)",
    ),
    "unsure": (
        csv_of("03/04/2026", "04/04/2026"),
        "'month' has 03/04/2026, which can be read with the day or with",
    ),
    "no number": (csv_of("2026-01", quantity="5 t"), "row 2: 'quantity' is '5 t', which is no number"),
    "unsure number": (
        csv_of("2026-01", quantity="1.250"),
        "'quantity' has 1.250, which can be thousands or decimals",
    ),
    "endless": (csv_of("2026-01", quantity="1e99"), "row 2: 'quantity' is beyond 1e+30"),
    "no key": (HEAD.encode() + b"A,2026-01,5\n ,2026-01,5\n", "no columns are keys"),
    "too long": (
        csv_of("2020-01", "2026-01"),
        "it runs from 2020-01 (row 2) to 2026-01 (row 3), 73 months; the page",
    ),
    "too many": (
        (HEAD + "".join(f"K{n},2026-01,1\n" for n in range(4))).encode(),
        "the 4 rows are of 4 series by 'customer'; the page takes 3",
    ),
    "merged": (
        merged(),
        "in sheet 'Sheet' the cells A3:A4 are merged; only the first of them holds the value",
    ),
    "formulas": (
        saved(workbook([*GOOD, ["C", dt.date(2026, 1, 1), "=C2*2"], ["D", dt.date(2026, 1, 1), "=C3*2"]])),
        "in sheet 'Sheet' the cells C4, C5 (2 in all) each hold a formula whose value was never calculated",
    ),
    "formula": (
        saved(workbook([*GOOD, ["C", dt.date(2026, 1, 1), "=1+1"]])),
        "in sheet 'Sheet' cell C4 holds a",
    ),
    "error": (
        saved(workbook([*GOOD, ["C", dt.date(2026, 1, 1), "#N/A"]])),
        "in sheet 'Sheet' cell C4 holds an error",
    ),
    "nothing": (saved(workbook([])), "there is nothing in it"),
    "hidden": (hidden(), "there is nothing in it"),
    "title in Excel": (
        saved(workbook([["Sales"], [], *GOOD])),
        "row 1 holds 'Sales' and not a name for each column; the names seem to stand in row 3",
    ),
    "serials": (
        saved(workbook([GOOD[0], ["A", 46053, 5]])),
        "row 2: 'month' holds the number 46053, perhaps a date of Excel that lost its format",
    ),
    "date as quantity": (
        saved(workbook([GOOD[0], ["A", "2026-01", dt.date(2026, 1, 1)]])),
        "row 2: 'quantity' is '2026-01-01', which is no number; format the column as a number",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_its_place_and_a_remedy(name: str) -> None:
    content, said = BAD[name]
    with pytest.raises(UnreadableFile) as refused:
        history_in(content)
    assert str(refused.value).startswith(said), str(refused.value)
    assert len(refused.value.remedy) > 10


def test_an_empty_key_is_named() -> None:
    table = table_in(HEAD.encode() + b"A,2026-01,5\n ,2026-01,5\n,2026-01,5\n")
    with pytest.raises(UnreadableFile, match=r"row 3: 'customer' is empty \(and one more row like it\)"):
        history_of(table, Choice((0,), 1, 2), LIMITS)


@pytest.mark.parametrize("name", ["month", "level", "a;b"])
def test_a_key_that_the_answer_cannot_name(name: str) -> None:
    table = table_in(f'"{name}",date,amount\nA,2026-01,5\n'.encode())
    with pytest.raises(UnreadableFile, match="the key"):
        history_of(table, Choice((0,), 1, 2), LIMITS)


def test_too_many_rows_are_counted() -> None:
    content = HEAD.encode() + b"A,2026-01,1\n" * (MOST_ROWS + 1)
    with pytest.raises(UnreadableFile, match="it has more than 500,000 rows"):
        read_table(content)


@pytest.mark.parametrize(
    ("dates", "months"),
    [
        (["2026-10", "2026-11"], [10, 11]),
        (["2026-10-31", "2026-11-01 00:00:00"], [10, 11]),
        (["31.10.2026", "1.11.2026"], [10, 11]),
        (["31/10/2026", "01/11/2026"], [10, 11]),
        (["10/31/2026", "01/11/2026"], [10, 1]),
        (["05/05/2026", "06/06/2026"], [5, 6]),
        (["202610", "20261101"], [10, 11]),
        (["10/2026", "2026/11/30"], [10, 11]),
        (["2026-10-31", "30.11.2026", "12/31/2026"], [10, 11, 12]),
    ],
)
def test_dates_by_the_evidence_of_the_column(dates: list[str], months: list[int]) -> None:
    found = history_in(csv_of(*dates))
    assert [ordinal % 12 + 1 for _, ordinal, _ in found.rows] == months


def test_what_nothing_tells_is_what_was_said() -> None:
    dates = csv_of("03/04/2026")
    by_day, by_month = (history_in(dates, day_first=said).rows[0][1] % 12 + 1 for said in (True, False))
    assert (by_day, by_month) == (4, 3)
    amount = csv_of("2026-01", quantity="1.250")
    assert [history_in(amount, decimal_comma=said).rows[0][2] for said in (False, True)] == [1.25, 1250]


@pytest.mark.parametrize(
    ("amounts", "numbers"),
    [
        (["1.5", "2"], [1.5, 2]),
        (["1,5", "1.250"], [1.5, 1250]),
        (["1.250,5", "1.250"], [1250.5, 1250]),
        (["1.250.000", "1,250"], [1250000, 1.25]),
        (["1,250.5", "1,250"], [1250.5, 1250]),
        (["0.125", "1.250"], [0.125, 1.25]),
        (["1250", "1.250"], [1250, 1.25]),
        (["1 250,5", "1’250,5", "1\u00a0250,25"], [1250.5, 1250.5, 1250.25]),
        (["-1.5", "−1.5", "1.5-", ""], [-1.5, -1.5, -1.5, None]),
        (["1e3", "1.5E-2"], [1000, 0.015]),
    ],
)
def test_numbers_by_the_evidence_of_the_column(amounts: list[str], numbers: list[float | None]) -> None:
    text = "customer;month;quantity\n" + "".join(f"A;2026-01;{amount}\n" for amount in amounts)
    assert [quantity for _, _, quantity in history_in(text.encode()).rows] == numbers


@pytest.mark.parametrize(
    ("codec", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("cp1252", b""),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_letters_and_separators(codec: str, mark: bytes, separator: str) -> None:
    lines = [["Käufer", "month", "quantity"], ["Müller – Söhne", "2026-01", "1"], ["Ö", "2026-02", "2"]]
    content = mark + "\r\n".join(separator.join(line) for line in lines).encode(codec)
    assert history_in(content).keys == ("Käufer",)
    assert history_in(content).rows[0][0] == ("Müller – Söhne",)


def test_what_excel_says_of_the_separator_counts() -> None:
    content = b"sep=;\ncustomer;month, or day;quantity, in t\nA;2026-01;1\n"
    assert history_in(content).rows == [(("A",), 2026 * 12, 1.0)]
    assert table_in(content).numbers == [3]


def test_a_workbook_gives_the_same_as_a_csv() -> None:
    book = workbook(
        [
            [*GOOD[0], "note"],
            *([*row, None] for row in GOOD[1:]),
            [104, dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC).replace(tzinfo=None), None, "x"],
        ]
    )
    assert history_in(saved(book)).text() == (
        b"customer,month,quantity\nA,2026-01,5.0\nB,2026-02,2.5\n104,2026-03,\n"
    )


def test_a_table_that_begins_further_down_keeps_the_numbers_of_its_rows() -> None:
    assert table_in(saved(workbook(GOOD, at=5))).numbers == [6, 7]


def test_of_several_sheets_one_is_chosen() -> None:
    book = workbook(GOOD)
    book.create_sheet("Empty")
    book.create_sheet("Notes")["A1"] = "x"
    content = saved(book)
    assert read_table(content) == Sheets(("Sheet", "Notes"))
    assert table_in(content, "Sheet").told == "sheet 'Sheet'"
    with pytest.raises(UnreadableFile, match="no visible sheet"):
        read_table(content, "Gone")


def test_roles_are_guessed_by_names_and_cells() -> None:
    content = (
        "Auftrag;Kunde;Kundennr;Preis;Datum;Menge;Bemerkung\n"
        "1;Müller;10045;3,5;03.01.2026;5;\n"
        "2;Maier;10046;3,5;04.01.2026;7;eilig\n"
    )
    roles = [look.role for look in looks_of(table_in(content.encode()))]
    assert roles == [LEFT_OUT, KEY, KEY, LEFT_OUT, MONTH, QUANTITY, LEFT_OUT]


def test_sums_by_hand() -> None:
    rows = [
        (("A", "x"), 24312, 1.0),
        (("A", "x"), 24312, 2.0),
        (("A", "y"), 24314, 4.0),
        (("B", "x"), 24313, None),
    ]
    sums = History(("k", "m"), rows).sums([[], ["k"], ["k", "m"]])
    assert sums[None, None] == (24312, [3.0, 0.0, 4.0])
    assert sums["A", None] == (24312, [3.0, 0.0, 4.0])
    assert sums["A", "y"] == (24314, [4.0])
    assert sums["B", "x"] == (24313, [0.0, 0.0])
