"""The overview shows what the API answers, to each caller their part, and says why where it shows less."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from app.ui.causes import NAMES
from tests.ui.conftest import NARROW, WIDE, Served
from tests.ui.told import ask, entries, read

type SignIn = Callable[..., Page]


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


def test_the_run_in_one_line(page: Page, api: httpx.Client) -> None:
    run = api.get("/v1/runs/current").json()
    line = page.get_by_role("region", name="This month’s run")
    expect(line).to_contain_text(run["id"])
    expect(line).to_contain_text(run["because"])
    expect(line).to_contain_text(run["snapshot"])
    expect(line).to_contain_text(f"{run['recipe']['name']}")
    expect(line).to_contain_text("5 Nov 2026, 06:00")
    expect(line.locator("time.month").first).to_have_attribute("datetime", run["origin"])


def test_the_total_by_month_beside_last_year(page: Page, api: httpx.Client) -> None:
    (series,) = [api.get("/v1/series/total?history=0&earlier=0").json()]
    rows = read(page, "Forecast by month beside last year")
    months = series["forecast"]
    assert [row[0] for row in rows[:-1]] == [month["month"] for month in months]
    assert [row[1] for row in rows[:-1]] == [month["mean"] for month in months]
    assert [row[2] for row in rows[:-1]] == [month["quantity"] for month in series["last_year"]]
    assert rows[-1][1] == pytest.approx(sum(month["mean"] for month in months))
    assert rows[-1][3] == pytest.approx(rows[-1][1] / rows[-1][2] - 1)


def test_organizations_the_largest_first(page: Page, api: httpx.Client) -> None:
    told = api.get("/v1/forecasts?level=organization&sort=-mean").json()["forecasts"]
    rows = read(page, "Forecast by organization beside last year")
    assert [row[0] for row in rows] == [node["organization"] for node in told] == ["NORD", "SÜD"]
    for row, node in zip(rows, told, strict=True):
        assert row[1] == pytest.approx(sum(month["mean"] for month in node["months"]))
        series = api.get(f"/v1/series/organization={node['organization']}?history=0&earlier=0").json()
        assert row[2] == pytest.approx(sum(month["quantity"] for month in series["last_year"]))


def test_the_largest_changes_with_their_causes(sign_in: SignIn, api: httpx.Client, app: FastAPI) -> None:
    before = len(entries(app))
    page = sign_in()
    diff = api.get("/v1/runs/2026-09-dddddddddddd/diff?limit=10").json()
    rows = read(page, "The largest changes")
    assert len(rows) == len(diff["nodes"]) + 1
    for row, node in zip(rows, [*diff["nodes"], diff["all"]], strict=True):
        assert row[1:4] == pytest.approx([sum(node[name]) for name in ("before", "after", "change")])
    first = page.get_by_role("table", name="The largest changes").locator("tbody tr").first
    moved = {name: sum(each) for name, each in diff["nodes"][0]["causes"].items()}
    for cause in ("actuals", "history", "recipe"):
        value = first.locator("li", has_text=NAMES[cause]).locator("data").get_attribute("value")
        assert float(value or "nan") == pytest.approx(moved[cause])
    # The rows name customers, so who looked at them is in the trail, as for the API.
    new = entries(app)[: len(entries(app)) - before]
    noted = {entry.subject for entry in new if entry.action == "page"}
    finest = "organization,customer,material,material_group"
    assert noted == {f"/v1/runs/2026-09-dddddddddddd/diff?to=2026-10-eeeeeeeeeeee&level={finest}"}


def test_accuracy_of_the_last_months(page: Page, api: httpx.Client) -> None:
    finest = "organization,customer,material,material_group"
    by_month = {
        level: api.get(f"/v1/accuracy?by=month&lead=1&level={level}&from=2026-05").json()["rows"]
        for level in ("total", finest)
    }
    rows = read(page, "Accuracy by month, of the total")
    assert [row[0] for row in rows] == [each["month"] for each in reversed(by_month["total"])]
    for row, top, low in zip(rows, reversed(by_month["total"]), reversed(by_month[finest]), strict=True):
        assert row[1:4] == [top["wape"], top["bias"], low["wape"]]
        assert row[5:] == [low["bias"], low["coverage_p10_p90"]]


def test_open_drift_and_the_snapshots_lines(page: Page, api: httpx.Client) -> None:
    events = api.get("/v1/drift?status=open").json()["events"]
    shown = page.get_by_role("region", name="Open drift events").locator("ul.events > li")
    expect(shown).to_have_count(len(events))
    for item, event in zip(shown.all(), events, strict=True):
        expect(item).to_contain_text(event["scope"])
        expect(item).to_contain_text(event["evidence"]["words"])
    snapshot = api.get("/v1/runs/current").json()["snapshot"]
    facts = api.get(f"/v1/snapshots/{snapshot}").json()["facts"]
    rows = {row[0]: row for row in read(page, "Order lines of the snapshot")}
    assert (rows["Count"][1], rows["Count"][3]) == (facts["kept"]["lines"], facts["kept"]["quantity"])
    for reason, lines in facts["set_aside"].items():
        assert rows[f"Set aside: {reason}"][1] == lines["lines"]
        assert rows[f"Set aside: {reason}"][3] == lines["quantity"]
    assert rows["Read"][1] == 11_000


def test_who_sees_some_organizations_sees_those_alone(sign_in: SignIn, served: Served) -> None:
    page = sign_in("planner", ["NORD"])
    rows = read(page, "Forecast by organization beside last year")
    assert [row[0] for row in rows] == ["NORD"]
    total = read(page, "Forecast by month beside last year")
    assert total[-1][1] == pytest.approx(rows[0][1])
    expect(page.locator(".kept-back")).to_have_count(4)
    for sentence in page.locator(".kept-back").all():
        expect(sentence).to_contain_text("this sums over all organizations, and you see NORD")
    expect(page.locator("main")).not_to_contain_text("SÜD")
    expect(page.locator("main")).not_to_contain_text("Verdict")


def test_it_is_accessible_wide_and_narrow(sign_in: SignIn, accessible: Callable[[Page], None]) -> None:
    for size in (WIDE, NARROW):
        page = sign_in(size=size)
        expect(page.locator("main .loading")).to_have_count(0)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_links_move_within_the_page(page: Page) -> None:
    page.evaluate("window.here = true")
    page.get_by_role("link", name="the whole difference").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs and models")
    expect(page.get_by_role("navigation", name="Views").locator("[aria-current=page]")).to_have_text(
        "Runs and models"
    )
    assert page.url.endswith("/runs?run=2026-10-eeeeeeeeeeee&before=2026-09-dddddddddddd")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert page.evaluate("window.here") is True
