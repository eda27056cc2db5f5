"""The view of accuracy shows what the API answers to the same question, which stands in its address."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from tests.ui.conftest import NARROW, WIDE, Served
from tests.ui.told import LEVELS, ask, entries, read

type SignIn = Callable[..., Page]

FINEST = LEVELS[-1]
YEAR = "from=2025-11&to=2026-10"


@pytest.fixture(scope="module")
def app(everything_told: Served) -> FastAPI:
    return everything_told.app


@pytest.fixture(scope="module")
def served(everything_told: Served) -> Served:
    return everything_told


@pytest.fixture(scope="module")
def api(served: Served, key_of: Callable[..., str]) -> Iterator[httpx.Client]:
    with ask(served.url, key_of(served.engine)) as client:
        yield client


def rows_of(api: httpx.Client, question: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.get(f"/v1/accuracy?{question}").json()["rows"]
    return rows


def measures(row: dict[str, Any]) -> list[Any]:
    """The cells of a row of the page, but for its name and the bar."""
    mase = "–" if row["mase"] is None else row["mase"]
    told = [row[name] for name in ("bias", "coverage_p10_p90", "value_added_seasonal")]
    return [row["wape"], "", *told, mase, row["demand"], row["cells"]]


def test_by_level_lead_and_class(sign_in: SignIn, api: httpx.Client) -> None:
    page = sign_in(path="/accuracy")
    levels = rows_of(api, f"by=level&lead=1&{YEAR}")
    shown = read(page, "Accuracy by level")
    assert [row[0] for row in shown][:2] == ["total", "customer"] and len(shown) == len(LEVELS)
    assert [row[1:] for row in shown] == [measures(row) for row in levels]
    leads = rows_of(api, f"by=lead&level={FINEST}&{YEAR}")
    assert [row["lead"] for row in leads] == [1, 2]
    assert [row[1:] for row in read(page, "Accuracy by months ahead")] == [measures(row) for row in leads]
    classes = rows_of(api, f"by=demand_class,abc&level={FINEST}&lead=1&{YEAR}")
    shown = read(page, "Accuracy by class")
    assert [row[0] for row in shown] == [f"{row['abc']} · {row['demand_class']}" for row in classes]
    assert [row[1:] for row in shown] == [measures(row) for row in classes]


def test_what_was_said_against_what_came(sign_in: SignIn, api: httpx.Client) -> None:
    page = sign_in(path="/accuracy?level=organization&lead=2")
    months = rows_of(api, f"by=month&level=organization&lead=2&{YEAR}")
    assert [row["month"] for row in months] == ["2026-10"]
    assert [[*row[:3], *row[4:]] for row in read(page, "Forecast against what came, by month")] == [
        [row[name] for name in ("month", "demand", "error", "wape", "bias", "coverage_p10_p90")]
        for row in months
    ]
    nodes = api.get("/v1/accuracy/nodes?level=organization&lead=2&from=2025-11").json()["nodes"]
    dots = page.locator(".against .dot")
    expect(dots).to_have_count(len(nodes))
    words = dots.evaluate_all("dots => dots.map(dot => dot.title)")
    assert [text.partition(":")[0] for text in words] == [node["organization"] for node in nodes]


def test_where_most_was_lost(sign_in: SignIn, api: httpx.Client, app: FastAPI) -> None:
    page = sign_in(path="/accuracy?months=6")
    nodes = api.get("/v1/accuracy/nodes?lead=1&from=2026-05&limit=15").json()["nodes"]
    shown = read(page, "Nodes at which most was lost")
    assert [[row[1], *row[3:]] for row in shown] == [
        [node[name] for name in ("lost", "said", "demand", "wape", "bias")] for node in nodes
    ]
    assert shown[0][0] == " · ".join(nodes[0][name] for name in FINEST.split(","))
    link = page.get_by_role("table", name="Nodes at which most was lost").get_by_role("link").first
    expect(link).to_have_attribute("href", "/explorer?node=" + api_name(nodes[0]))
    noted = {entry.subject for entry in entries(app) if entry.action == "page"}
    assert f"/v1/accuracy/nodes?level={FINEST}&lead=1&from=2026-05&to=2026-10&limit=300" in noted


def api_name(node: dict[str, Any]) -> str:
    """A node as the API's addresses write it."""
    written = [f"{name}={str(node[name]).replace(' ', '~20')}" for name in FINEST.split(",")]
    return ",".join(written)


def test_the_address_holds_what_is_looked_at(sign_in: SignIn, api: httpx.Client) -> None:
    page = sign_in(path="/accuracy")
    chosen = page.locator("nav.choices a[aria-current]")
    for choice, name, now in (
        ("Level", "material group", ["material group", "1", "12"]),
        ("Months ahead", "2", ["material group", "2", "12"]),
        ("Last months", "3", ["material group", "2", "3"]),
    ):
        page.get_by_role("navigation", name=choice).get_by_role("link", name=name, exact=True).click()
        expect(chosen).to_have_text(now)
    assert page.url.endswith("/accuracy?level=material_group&lead=2&months=3")
    classes = rows_of(api, "by=demand_class,abc&level=material_group&lead=2&from=2026-08&to=2026-10")
    table = page.get_by_role("table", name="Accuracy by class")
    expect(table.locator("tbody tr")).to_have_count(len(classes))
    expect(page.get_by_text("Of the level material group.").first).to_be_visible()
    page.go_back()
    expect(chosen).to_have_text(["material group", "2", "12"])


def test_who_chooses_twice_before_the_view_answers_chooses_both(sign_in: SignIn) -> None:
    page = sign_in(path="/accuracy")
    link = "nav[aria-label='{}'] a:nth-of-type({})"
    expect(page.locator(link.format("Months ahead", 2))).to_have_text("2")
    page.evaluate(
        "links => links.forEach(link => document.querySelector(link).click())",
        [link.format("Months ahead", 2), link.format("Level", 2)],
    )
    chosen = page.locator("nav.choices a[aria-current]")
    expect(chosen).to_have_text(["organization", "2", "12"])
    assert page.url.endswith("/accuracy?lead=2&level=organization")


@pytest.mark.parametrize(
    ("search", "told"),
    [
        ("level=plant", "The run has no level 'plant'"),
        ("lead=0", "Lead: Input should be greater than or equal to 1"),
        ("months=x", "Months: Input should be a valid integer"),
        ("level=%00", "Level: there is a NUL in it"),
    ],
)
def test_an_address_that_asks_what_cannot_be_asked(sign_in: SignIn, search: str, told: str) -> None:
    page = sign_in(path=f"/accuracy?{search}")
    expect(page.locator("main .loading")).to_have_count(0)
    expect(page.get_by_role("alert").first).to_contain_text(told)


def test_who_sees_some_organizations_is_told_why_not(sign_in: SignIn) -> None:
    page = sign_in("viewer", ["NORD"], "/accuracy")
    expect(page.locator(".kept-back")).to_have_count(6)
    expect(page.locator("main")).not_to_contain_text("%")


def test_it_is_accessible_wide_and_narrow(sign_in: SignIn, accessible: Callable[[Page], None]) -> None:
    for size in (WIDE, NARROW):
        page = sign_in(path="/accuracy", size=size)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
