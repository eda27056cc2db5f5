"""The explorer shows what the API answers, and its address holds all that is chosen."""

import csv
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.store.node_id import NodeId
from tests.ui.conftest import NARROW
from tests.ui.told import amounts

type SignIn = Callable[..., Page]

LEAVES = "organization,customer,material,material_group"


@pytest.fixture
def api(served: Any, key_of: Callable[..., str]) -> Iterator[httpx.Client]:
    """The API, asked by an admin with a key."""
    headers = {"Authorization": f"Bearer {key_of(served.engine)}"}
    with httpx.Client(base_url=served.url, headers=headers, timeout=30) as client:
        yield client


def rows_of(page: Page) -> list[list[str]]:
    """The grid's lines as they are read, top down."""
    rows: list[list[str]] = page.locator("#explorer-grid .ag-center-cols-container .ag-row").evaluate_all(
        """rows => rows.filter(r => !r.classList.contains('ag-row-loading'))
            .sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'))
            .map(r => [...r.querySelectorAll('.ag-cell')].map(c => c.innerText))"""
    )
    return rows


def title(page: Page) -> Locator:
    return page.get_by_role("heading", level=2)


class TestNumbers:
    @pytest.mark.parametrize("node", ["total", "organization=NORD", "customer=K-104", "material_group=Flat"])
    def test_of_a_node_are_those_of_the_api(self, sign_in: SignIn, api: httpx.Client, node: str) -> None:
        page = sign_in(path=f"/explorer?node={node}")
        expect(title(page)).to_have_text(NodeId.parse(node).values[0] if node != "total" else "Total")
        told = api.get(f"/v1/series/{node}").json()
        expected = []
        for forecast, bought in zip(told["forecast"], told["last_year"], strict=True):
            mean = forecast["mean"]
            bands = [forecast[name] for name in ("p25", "p75", "p05", "p95")]
            expected += [mean, *bands, bought["quantity"], mean / bought["quantity"] - 1]
        assert amounts(page.locator("#explorer-numbers tbody")) == pytest.approx(expected, rel=1e-12)
        year = sum(forecast["mean"] for forecast in told["forecast"])
        before = sum(bought["quantity"] for bought in told["last_year"])
        first = told["forecast"][0]
        figures = amounts(page.locator("#explorer-head dl"))
        assert figures == pytest.approx(
            [first["mean"], first["p05"], first["p95"], year, before, year / before - 1]
        )

    def test_of_the_grid_are_those_of_the_api(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in(path=f"/explorer?level={LEAVES}")
        expect(page.locator("#explorer-count")).to_contain_text("5 nodes")
        answer = api.get("/v1/forecasts", params={"level": LEAVES, "sort": "-mean"}).json()
        expected = [
            [
                " · ".join(row[name] for name in ("organization", "customer", "material", "material_group")),
                f"{sum(month['mean'] for month in row['months']):,.0f}",
                "+4.0%",
            ]
            for row in answer["forecasts"]
        ]
        expect(page.locator("#explorer-grid .ag-center-cols-container .ag-row")).to_have_count(5)
        assert rows_of(page) == expected

    def test_of_the_chart_are_told_by_the_keyboard(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in(path="/explorer?node=organization=NORD")
        plot = page.get_by_role("application")
        plot.focus()
        page.keyboard.press("ArrowRight")
        told = api.get("/v1/series/organization=NORD").json()
        first, box = told["forecast"][0], page.locator(".box")
        expect(box).to_contain_text("Nov 2026")
        shown = dict(
            zip(box.locator("dt").all_inner_texts(), box.locator("dd").all_inner_texts(), strict=True)
        )
        earlier = [said["months"] for said in told["earlier"]]
        assert shown == {
            "Forecast": f"{first['mean']:.1f}",
            "50 % band": f"{first['p25']:.1f} – {first['p75']:.1f}",
            "90 % band": f"{first['p05']:.1f} – {first['p95']:.1f}",
            "Forecast of Sept 2026": f"{next(m for m in earlier[0] if m['month'] == '2026-11')['mean']:.1f}",
            "Forecast of Aug 2026": f"{next(m for m in earlier[1] if m['month'] == '2026-11')['mean']:.1f}",
            "A year before": f"{told['last_year'][0]['quantity']:.1f}",
            "Sum by customer": f"{first['mean']:.1f}",
        }
        page.keyboard.press("Home")
        expect(box).to_contain_text(f"{told['history'][0]['quantity']:.1f}")
        page.keyboard.press("Escape")
        expect(box).to_be_hidden()

    def test_of_the_parts_add_up_to_the_node(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in(path="/explorer?node=organization=NORD&by=customer")
        parts = page.locator("#explorer-parts")
        expect(parts).to_contain_text("the same as the node in every month")
        rows = api.get("/v1/forecasts?level=organization,customer&organization=NORD&sort=-mean").json()
        sums = [sum(month["mean"] for month in row["months"]) for row in rows["forecasts"]]
        shown = amounts(parts.locator("tbody"))
        assert shown[0::2] == pytest.approx(sums)
        assert shown[1::2] == pytest.approx([each / sum(sums) for each in sums])
        assert parts.get_by_role("link").all_inner_texts() == [row["customer"] for row in rows["forecasts"]]

    @pytest.mark.parametrize(("unit", "factor"), [("short tons", 1.1023113109243878), ("kg", 1000.0)])
    def test_in_other_units(self, sign_in: SignIn, api: httpx.Client, unit: str, factor: float) -> None:
        page = sign_in(path="/explorer?node=organization=NORD")
        page.get_by_role("group", name="Unit").get_by_role("button", name=unit).click()
        mean = api.get("/v1/series/organization=NORD").json()["forecast"][0]["mean"] * factor
        digits = 1 if unit == "short tons" else 0
        expect(page.locator("#explorer-numbers tbody td").first).to_have_text(f"{mean:,.{digits}f}")
        expect(page.locator("#explorer-numbers caption")).to_have_text(f"Forecast by month in {unit}")
        page.reload()
        expect(page.locator("#explorer-numbers tbody td").first).to_have_text(f"{mean:,.{digits}f}")


class TestAddress:
    def test_holds_all_that_was_chosen(self, sign_in: SignIn) -> None:
        page = sign_in(path="/explorer")
        page.get_by_label("Level").select_option("organization,customer")
        page.get_by_label("Search by name").fill("k-1")
        expect(page.locator("#explorer-count")).to_contain_text("2 nodes")
        page.get_by_label("Order").select_option("nodes")
        page.get_by_role("combobox", name="Organization").or_(page.get_by_label("Organization")).first.click()
        page.get_by_role("option", name="NORD").click()
        page.keyboard.press("Escape")
        expect(page.locator("#explorer-count")).to_contain_text("1 node")
        page.get_by_text("NORD · K-104").first.click()
        expect(title(page)).to_have_text("NORD · K-104")
        assert page.url.partition("?")[2] == (
            "level=organization,customer&search=k-1&sort=nodes&node=organization=NORD,customer=K-104"
            "&is.organization=NORD"
        )
        page.reload()
        expect(title(page)).to_have_text("NORD · K-104")
        expect(page.locator("#explorer-count")).to_contain_text("1 node")
        expect(page.get_by_label("Search by name")).to_have_value("k-1")
        expect(page.get_by_label("Order")).to_have_value("nodes")

    def test_marks_the_node_in_the_grid(self, sign_in: SignIn) -> None:
        page = sign_in(path="/explorer?level=organization&node=organization=SÜD")
        marked = page.locator("#explorer-grid .ag-row-selected [col-id=name]")
        expect(marked).to_have_text("SÜD")
        page.get_by_role("navigation", name="Counts towards").get_by_role("link", name="Total").click()
        expect(title(page)).to_have_text("Total")
        expect(marked).to_have_count(0)
        page.locator("#explorer-parts").get_by_role("link", name="NORD").click()
        expect(marked).to_have_text("NORD")

    def test_goes_back_and_forth(self, sign_in: SignIn) -> None:
        page = sign_in(path="/explorer")
        page.locator("#explorer-parts").get_by_role("link", name="NORD").click()
        expect(title(page)).to_have_text("NORD")
        page.locator("#explorer-parts").get_by_role("link", name="K-104").click()
        expect(title(page)).to_have_text("NORD · K-104")
        page.go_back()
        expect(title(page)).to_have_text("NORD")
        page.go_forward()
        expect(title(page)).to_have_text("NORD · K-104")
        page.get_by_role("navigation", name="Counts towards").get_by_role("link", name="Total").click()
        expect(title(page)).to_have_text("Total")

    @pytest.mark.parametrize(
        ("question", "told"),
        [
            ("node=customer=K-0", "has no node"),
            ("node=nonsense", "does not name a node"),
            ("node=plant=1", "no level 'plant'"),
            ("run=2020-01-none", "no run '2020-01-none'"),
            ("history=many", "history: Input should be a valid integer"),
        ],
    )
    def test_that_is_wrong_is_told_in_a_sentence(self, sign_in: SignIn, question: str, told: str) -> None:
        page = sign_in(path=f"/explorer?{question}")
        alert = page.locator("#explorer-head").get_by_role("alert")
        expect(alert).to_contain_text(re.compile(re.escape(told), re.IGNORECASE))

    @pytest.mark.parametrize(
        ("question", "told"),
        [
            ("level=plant", "no level 'plant'"),
            ("level=customer&is.plant=1", "no key or attribute 'plant'"),
            ("level=customer&is.organization=NORD", "does not name organization"),
            ("sort=colour", "sort: Input should be 'nodes', 'year' or '-year'"),
        ],
    )
    def test_of_a_wrong_list_is_told_beside_it(self, sign_in: SignIn, question: str, told: str) -> None:
        page = sign_in(path=f"/explorer?{question}")
        expect(page.locator("#explorer-count").get_by_role("alert")).to_contain_text(
            re.compile(told, re.IGNORECASE)
        )


def test_where_nothing_is_published_it_says_what_to_do(
    browser: Browser, nothing_published: Any, key_of: Callable[..., str]
) -> None:
    with browser.new_context(base_url=nothing_published.url) as context:
        page = context.new_page()
        page.goto("/explorer")
        page.get_by_label("API key").fill(key_of(nothing_published.engine))
        page.keyboard.press("Enter")
        for place in ("head", "count"):
            told = page.locator(f"#explorer-{place}")
            expect(told).to_contain_text("Nothing published yet.")
            expect(told).to_contain_text("Run: tonnage retrain.")
        expect(page.get_by_role("alert")).to_have_count(0)


class TestReach:
    def test_axe_finds_nothing_in_light_and_dark(
        self, sign_in: SignIn, accessible: Callable[[Page], None]
    ) -> None:
        page = sign_in(path="/explorer?level=organization,customer&node=organization=NORD")
        expect(page.locator("#explorer-parts")).to_contain_text("add up to")
        expect(page.locator("#explorer-grid .ag-center-cols-container .ag-row")).to_have_count(4)
        accessible(page)
        page.set_viewport_size(NARROW)
        accessible(page)

    def test_everything_fits_a_narrow_screen(self, sign_in: SignIn) -> None:
        page = sign_in(path="/explorer?node=organization=NORD")
        expect(page.locator("#explorer-parts")).to_contain_text("add up to")
        for width in (390, 820, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            expect(page.locator("html")).to_have_js_property("scrollWidth", width)

    def test_a_node_is_chosen_read_and_taken_out_by_the_keyboard_alone(self, sign_in: SignIn) -> None:
        page = sign_in(path="/explorer?level=organization,customer")
        rows = page.locator("#explorer-grid .ag-center-cols-container .ag-row")
        expect(rows).to_have_count(4)
        tab_to(page, "#explorer-grid .ag-header-cell, #explorer-grid .ag-cell")
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        chosen = page.locator("#explorer-grid .ag-cell-focus").locator("xpath=..").locator("[col-id=name]")
        name = chosen.inner_text()
        page.keyboard.press("Enter")
        expect(title(page)).to_have_text(name)
        tab_to(page, "#explorer-numbers")
        assert page.evaluate("document.activeElement.innerText").startswith("Forecast by month")
        tab_to(page, "a.button[href$=csv]", "Shift+Tab")
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert download.value.suggested_filename.startswith("series-")

    def test_the_skip_link_comes_first(self, sign_in: SignIn) -> None:
        page = sign_in(path="/explorer")
        expect(title(page)).to_have_text("Total")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Skip to the view"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until the focus is there."""
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"the focus never came to {selector}")


class TestTakingOut:
    def test_a_node_gives_what_is_on_the_screen(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in(path="/explorer?node=organization=NORD,customer=K-104&history=12&earlier=1")
        expect(title(page)).to_have_text("NORD · K-104")
        with page.expect_download() as download:
            page.get_by_role("region", name="Chosen node").get_by_role("link", name="CSV").click()
        text = download.value.path().read_text()
        question = {"history": 12, "earlier": 1, "format": "csv"}
        assert text == api.get("/v1/series/organization=NORD,customer=K-104", params=question).text
        excel = page.get_by_role("region", name="Chosen node").get_by_role("link", name="Excel")
        run = api.get("/v1/runs/current").json()["id"]
        assert excel.get_attribute("href") == (
            "/v1/forecasts?level=organization%2Ccustomer&organization=NORD&customer=K-104"
            f"&run={run}&format=xlsx"
        )

    def test_copied_as_curl_it_can_be_asked_again(
        self, sign_in: SignIn, served: Any, api: httpx.Client, key_of: Callable[..., str]
    ) -> None:
        page = sign_in(
            path="/explorer?node=organization=NORD", permissions=["clipboard-read", "clipboard-write"]
        )
        page.get_by_role("button", name="Copy as curl").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        command = page.evaluate("navigator.clipboard.readText()")
        told = subprocess.run(
            ["bash", "-c", command],
            env=os.environ | {"TONNAGE_KEY": key_of(served.engine)},
            capture_output=True,
            check=True,
        )
        assert json.loads(told.stdout) == api.get("/v1/series/organization=NORD").json()

    def test_a_list_gives_all_its_nodes_in_its_order(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in(path="/explorer?level=organization,customer&is.organization=NORD&search=k-&sort=year")
        expect(page.locator("#explorer-count")).to_contain_text("2 nodes")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV of all these nodes").click()
        rows = csv.DictReader(download.value.path().read_text().splitlines())
        names = [row["customer"] for row in rows]
        assert names == ["K-205"] * 12 + ["K-104"] * 12
