"""Predict in a browser: a file becomes what `/v1/predict` answers, and a bad one a sentence that helps."""

import csv
import datetime as dt
import json
import re
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openpyxl
import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect
from sqlalchemy import text

from app.edge.limits import Limits
from app.prediction import PredictQuestion
from app.ui.predict.brought import MOST_BYTES
from app.ui.predict.forecast import PROBABILITIES
from forecasting.months import Month
from tests.ui.conftest import Served, Watched
from tests.ui.told import amounts
from tonnage.predictor import ProcessPredictor

CSV, EXCEL = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SERIES = [("K-104", "HEB 200", 120.0), ("K-104", "Coil 2.5", 45.5), ("K-7", "Blech <6>", 12.25)]
WARMING = PredictQuestion(
    b"k,month,quantity\na,2026-01,1\na,2026-02,1\n",
    ("k",),
    "month",
    "quantity",
    None,
    1,
    (0.5,),
    None,
    csv=True,
)
SOON = 120_000  # ms: a forecast, on a machine that does other things

type SignIn = Callable[..., Page]
type Rows = list[tuple[str, str, dt.date, float]]


def rows() -> Rows:
    """Three years of three series, two lines a month."""
    random = np.random.default_rng(5)
    return [
        (customer, material, dt.date(2023 + at // 12, at % 12 + 1, day), round(random.gamma(9, size / 18), 2))
        for customer, material, size in SERIES
        for at in range(36)
        for day in (3, 28)
    ]


def german() -> bytes:
    """As Excel in Germany saves it."""
    lines = [
        f"{customer};{material};{day:%d.%m.%Y};{amount:.2f}".replace("Coil 2.5", "Coil 2,5")
        for customer, material, day, amount in rows()
    ]
    lines = [
        before + ";" + amount.replace(".", ",") for before, _, amount in (x.rpartition(";") for x in lines)
    ]
    return "\r\n".join(["Kunde;Güte;Datum;Menge", *lines]).encode("cp1252")


@pytest.fixture(scope="module")
def warm(predictor: ProcessPredictor) -> None:
    """What makes forecasts compiles for a while when it starts, which is no part of a test."""
    predictor(WARMING)


@pytest.fixture
def page(sign_in: SignIn) -> Page:
    """The view, of who may ask for forecasts and no more."""
    return sign_in("planner", path="/predict")


def bring(page: Page, name: str, content: bytes, kind: str = CSV) -> None:
    file: FilePayload = {"name": name, "mimeType": kind, "buffer": content}
    page.locator("#predict-input").set_input_files(file)


def refused(page: Page) -> Locator:
    return page.locator(".predict").get_by_role("alert")


def ask(page: Page) -> None:
    page.locator("#predict-go").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("Total", timeout=SOON)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).or_(
        page.get_by_label(label, exact=True)
    ).first.click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.fixture
def answered(served: Served, key_of: Callable[..., str]) -> dict[str, Any]:
    """What the API answers to the same history, month by month, as JSON."""
    months = [Month(2023, 1) + at for at in range(36)]
    sums: dict[tuple[str, str], dict[Month, float]] = {}
    for customer, material, day, amount in rows():
        key = (customer, material.replace("Coil 2.5", "Coil 2,5"))
        series = sums.setdefault(key, dict.fromkeys(months, 0.0))
        series[Month.of(day)] += amount
    body = {
        "series": [
            {"keys": {"Kunde": k, "Güte": m}, "first": "2023-01", "quantities": list(series.values())}
            for (k, m), series in sums.items()
        ],
        "horizon": 6,
        "quantiles": PROBABILITIES,
    }
    headers = {"Authorization": f"Bearer {key_of(served.engine, 'planner')}"}
    answer = httpx.post(f"{served.url}/v1/predict", json=body, headers=headers, timeout=300)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.usefixtures("warm")
def test_a_good_file_is_answered_as_the_api_answers(
    page: Page, answered: dict[str, Any], accessible: Callable[[Page], None], tmp_path: Path
) -> None:
    expect(page.get_by_text("CSV or Excel (.xlsx), up to 24 MB")).to_be_visible()
    accessible(page)
    bring(page, "history.csv", german())
    expect(page.locator(".reading")).to_contain_text(
        "216 rows, 4 columns, separated by semicolons, Windows-1252"
    )
    accessible(page)
    choose(page, "Months ahead", "6")
    ask(page)
    for place, node in enumerate(answered["forecasts"]):
        name = " · ".join(value for value in node["keys"].values() if value is not None) or "Total"
        level = node["level"].replace(",", " × ")
        page.locator(f'#predict-grid .ag-row[row-id="{place}"]').first.click()
        expect(page.get_by_role("heading", level=2)).to_have_text(name)
        expect(page.locator("#predict-about")).to_contain_text(level)
        expected = []
        for month in node["months"]:
            bought = bought_in(Month.parse(month["month"]) - 12, node["keys"])
            expected += [month[each] for each in ("mean", "p25", "p75", "p05", "p95")]
            expected += [bought, month["mean"] / bought - 1]
        assert amounts(page.locator("#predict-numbers tbody")) == pytest.approx(expected, rel=1e-9)
    accessible(page)
    assert files_of(page, tmp_path) == {"CSV": table_of(answered), "Excel": table_of(answered)}


def bought_in(month: Month, keys: dict[str, str | None]) -> float:
    """What the lines of a node add up to."""
    return sum(
        amount
        for customer, material, day, amount in rows()
        if Month.of(day) == month
        and keys["Kunde"] in {None, customer}
        and keys["Güte"] in {None, material.replace("Coil 2.5", "Coil 2,5")}
    )


def test_one_unit_everywhere(page: Page) -> None:
    """A quantity called t is tonnes, and is shown in the unit that was chosen in the explorer."""
    page.evaluate("tonnage.setUnit('kg')")
    bring(page, "a.csv", lines(*(f"A,2026-{month:02d},5" for month in range(1, 7)), head="customer,month,t"))
    choose(page, "Months ahead", "3")
    ask(page)
    expect(page.locator("#predict-about")).to_contain_text("total · kg, up to Jun 2026")
    expect(page.locator("#predict-numbers caption")).to_have_text("Forecast by month in kg")
    expect(page.locator("#predict-chart .plot")).to_have_attribute(
        "aria-label", re.compile("Total in kg by month")
    )
    # Five tonnes every month are five tonnes next month.
    expect(page.locator("#predict-numbers tbody td").first).to_have_text("5,000")
    expect(page.locator("#predict-grid .ag-row [col-id=m0]").first).to_have_text("5,000")


def table_of(answered: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The answer as a table, numbers to nine digits."""
    return [
        (node["level"], *node["keys"].values(), month["month"], *(f"{month[n]:.9g}" for n in numbers()))
        for node in answered["forecasts"]
        for month in node["months"]
    ]


def numbers() -> list[str]:
    return ["mean", "p05", "p25", "p50", "p75", "p95"]


def files_of(page: Page, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the two files hold, read by others."""
    found = {}
    for button in ("CSV", "Excel"):
        with page.expect_download() as download:
            page.locator(".exports").get_by_text(button, exact=True).click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        if button == "CSV":
            assert path.name == "history-forecast.csv"
            head, *body = list(csv.reader(StringIO(path.read_text("utf-8"))))
        else:
            sheet = openpyxl.load_workbook(path).active
            assert sheet is not None
            head, *body = [list(row) for row in sheet.iter_rows(values_only=True)]
        assert head == ["level", "Kunde", "Güte", "month", *numbers(), "fallback"]
        found[button] = [
            (
                level,
                kunde or None,
                guete or None,
                f"{month:%Y-%m}" if isinstance(month, dt.date) else month,
                *(f"{float(number):.9g}" for number in rest[:-1]),
            )
            for level, kunde, guete, month, *rest in body
        ]
    return found


def saved(fill: Callable[[Any, Any], None]) -> bytes:
    """A workbook of two good rows and what `fill` does to it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["customer", "month", "quantity"],
        ["A", dt.date(2026, 1, 1), 5],
        ["A", dt.date(2026, 2, 1), 7],
    ):
        sheet.append(row)
    fill(book, sheet)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def lines(*more: str, head: str = "customer,month,quantity") -> bytes:
    return "\n".join([head, *more]).encode()


BAD = {
    "wrong separator": (
        "a.csv",
        lines("A:2026-01:5", head="customer:month:quantity"),
        "Nothing separates the columns",
    ),
    "empty": ("a.csv", b"", "The file is empty"),
    "a PDF": ("a.csv", b"%PDF-1.7\n", "This is a PDF, not a table"),
    "formulas": (
        "a.xlsx",
        saved(lambda _, sheet: sheet.append(["A", dt.date(2026, 3, 1), "=C2*2"])),
        "In sheet 'Sheet' cell C4 holds a formula whose value was never calculated",
    ),
    "merged cells": (
        "a.xlsx",
        saved(lambda _, sheet: sheet.merge_cells("A2:A3")),
        "In sheet 'Sheet' the cells A2:A3 are merged",
    ),
    "both ways": (
        "a.csv",
        lines("A,31/10/2026,5", "A,11/30/2026,5"),
        "'month' is written with the day first in row 2 (31/10/2026) and with the month first in row 3",
    ),
    "no date": (
        "a.csv",
        lines("A,2026-10,5", "A,Nov 26,5"),
        "Row 3: 'month' is 'Nov 26', which is no month or date.",
    ),
    "no number": ("a.csv", lines("A,2026-10,5 t"), "Row 2: 'quantity' is '5 t', which is no number."),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told_what_is_wrong(page: Page, served: Served, name: str) -> None:
    before = stored(served)
    file, content, said = BAD[name]
    bring(page, file, content)
    expect(refused(page)).to_contain_text(said)
    expect(refused(page).locator(".remedy")).not_to_be_empty()
    expect(page.locator("#predict-go")).to_be_disabled()
    bring(page, "good.csv", lines("A,2026-01,5", "A,2026-02,6"))
    expect(page.locator("#predict-go")).to_be_enabled()
    expect(refused(page)).to_have_count(0)
    assert stored(served) == before


def stored(served: Served) -> dict[str, int]:
    """How many rows each table has, but for keys and who used them, once the audit trail is written."""
    assert served.app.state.trail.settle(10)
    with served.engine.connect() as connection:
        names = connection.execute(
            text("select tablename from pg_tables where schemaname = 'public' and tablename <> 'api_keys'")
        ).scalars()
        return {
            name: connection.execute(text(f'select count(*) from "{name}"')).scalar_one() for name in names
        }


def test_dates_in_three_formats_are_read_and_told(page: Page) -> None:
    bring(page, "a.csv", lines("A,2026-10-31,5", "A,30.11.2026,5", "A,12/31/2026,5", "A,2026-09-30,5"))
    note = page.locator("#predict-doubts")
    expect(note).to_contain_text("written in 3 ways")
    expect(note).to_contain_text("2026-10-31 (2 rows), 30.11.2026 (1 row), 12/31/2026 (1 row)")
    expect(page.locator("#predict-go")).to_be_enabled()


@pytest.mark.usefixtures("warm")
def test_what_nothing_tells_is_asked(page: Page, accessible: Callable[[Page], None]) -> None:
    bring(page, "a.csv", lines("A,03/04/2026,1.250", "A,04/05/2026,2.500"))
    go = page.locator("#predict-go")
    expect(page.get_by_text("03/04/2026 can be read in two ways")).to_be_visible()
    expect(go).to_be_disabled()
    accessible(page)
    bring(page, "a.pdf", b"%PDF-1.7")
    expect(page.get_by_text("03/04/2026 can be read in two ways")).to_be_hidden()
    bring(page, "a.csv", lines("A,03/04/2026,1.250", "A,04/05/2026,2.500"))
    page.get_by_label("The month: it is in Mar 2026").check()
    page.get_by_label("1.250, with three decimals").check()
    expect(go).to_be_enabled()
    ask(page)
    expect(page.locator("#predict-about")).to_contain_text("up to Apr 2026")


def test_of_several_sheets_one_is_chosen(page: Page) -> None:
    bring(page, "a.xlsx", saved(lambda book, _: book.create_sheet("Notes").append(["x"])), EXCEL)
    expect(page.get_by_text("The workbook has 2 sheets with something in them.")).to_be_visible()
    choose(page, "Sheet", "Sheet")
    expect(page.locator(".reading")).to_contain_text("2 rows, 3 columns, sheet 'Sheet'")


def test_two_hundred_thousand_rows_of_too_many_series(page: Page) -> None:
    content = lines(*(f"K{n % 5000},20{10 + n % 15}-{n % 12 + 1:02d},{n % 97}.5" for n in range(200_000)))
    bring(page, "large.csv", content)
    expect(page.locator(".reading")).to_contain_text("200,000 rows", timeout=SOON)
    page.locator("#predict-go").click()
    expect(refused(page)).to_contain_text(
        "The 200,000 rows are of 5,000 series by 'customer'; the page takes 1,000.", timeout=SOON
    )


def test_a_file_that_is_too_large_is_not_sent(page: Page) -> None:
    sent: list[int] = []
    page.on("request", lambda request: sent.append(len(request.post_data or "")))
    bring(page, "large.csv", b"x" * (MOST_BYTES + 1))
    expect(refused(page)).to_contain_text(
        "The file has 24,000,001 bytes; the page takes 24,000,000.", timeout=SOON
    )
    assert max(sent) < 10_000


def test_the_largest_file_fits_the_edge() -> None:
    told = json.dumps({"content": "x" * (4 * -(-MOST_BYTES // 3))})
    assert len(told) + 100_000 < Limits().body


def test_two_files_at_once(page: Page) -> None:
    expect(page.locator("#predict-input")).to_be_attached()
    page.evaluate("""() => {
        const files = new DataTransfer();
        for (const name of ["a.csv", "b.csv"]) files.items.add(new File(["x"], name));
        const drop = new DragEvent("drop", { dataTransfer: files, bubbles: true });
        document.getElementById("predict-drop").dispatchEvent(drop);
    }""")
    expect(refused(page)).to_contain_text("These are 2 files.")


def test_columns_can_be_given_other_roles(page: Page) -> None:
    bring(page, "a.csv", lines("A,2026-01,5,7", "A,2026-02,6,8", head="customer,month,quantity,weight"))
    choose(page, "Column quantity is", "Left out")
    expect(refused(page)).to_contain_text("No column is the quantity.")
    choose(page, "Column weight is", "Quantity")
    expect(refused(page)).to_have_count(0)
    choose(page, "Column customer is", "Left out")
    expect(refused(page)).to_contain_text("No column is a key.")


@pytest.mark.usefixtures("warm")
def test_by_keyboard_alone(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    with page.expect_file_chooser() as chooser:
        page.locator("#predict-input").press("Space")
    file: FilePayload = {"name": "history.csv", "mimeType": CSV, "buffer": german()}
    chooser.value.set_files(file)
    expect(page.locator(".reading")).to_contain_text("216 rows")
    role = page.get_by_role("textbox", name="Column Güte is", exact=True)
    role.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(role).to_have_value("Left out")
    page.locator("#predict-go").focus()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", level=2)
    expect(heading).to_have_text("Total", timeout=SOON)
    page.locator("#predict-chart .plot").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#predict-chart [aria-live]")).to_contain_text("Jan 2026 · Menge: Forecast")
    page.locator("#predict-grid .ag-cell").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(heading).to_have_text("K-104")
    page.get_by_role("button", name="All forecasts as CSV").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "history-forecast.csv"


def test_who_may_not_ask_the_api_may_not_ask_here(sign_in: SignIn, watched: Watched) -> None:
    page = sign_in("viewer", path="/predict")
    expect(refused(page)).to_contain_text("This is for the role planner, you are viewer.")
    expect(page.locator("#predict-input")).to_be_hidden()
    assert watched.wrong == []
