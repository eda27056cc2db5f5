"""The page on real books: `tonnage serve`, a browser, and each view beside what the API answers."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journey.conftest import World
from tests.ui.conftest import Watched
from tests.ui.told import amounts, ask, read

YEAR_BEFORE = "Forecast by month beside last year"
HISTORY = [round(80 + 30 * (at % 12) / 11 + at / 4, 2) for at in range(36)]
SOON = 120_000  # ms: a forecast, on a machine that does other things


@dataclass(frozen=True)
class Site:
    """A browser's page, signed in at a service, and the same service's API."""

    page: Page
    api: httpx.Client

    def open(self, path: str) -> None:
        """Open a view, and wait until all of it is told."""
        self.page.goto(path)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
        expect(self.page.locator("main .loading")).to_have_count(0)

    def told(self, question: str, **parameters: Any) -> Any:
        """What the API answers."""
        answer = self.api.get(f"/v1/{question}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(params=["demo", "adventureworks"])
def site(request: pytest.FixtureRequest, browser: Browser, key_of: Callable[..., str]) -> Iterator[Site]:
    """A world served as an operator would, seen by an admin; errors in the console fail the test."""
    world: World = request.getfixturevalue(request.param)
    engine = world.open()
    key = key_of(engine)
    engine.dispose()
    with (
        served(world) as url,
        ask(url, key) as api,
        browser.new_context(base_url=url, locale="en-GB") as context,
    ):
        page = context.new_page()
        watched = Watched(url)
        watched.watch(page)
        page.goto("/sign-in")
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/")
        yield Site(page, api)
        page.close()
        assert watched.wrong == []


@contextmanager
def served(world: World) -> Iterator[str]:
    """`tonnage serve` over a data folder, in a process of its own; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "TONNAGE_HOME": str(world.home), "TONNAGE_NOTICE_SECONDS": "0"}
    environment.pop("TONNAGE_DATABASE_URL", None)
    command = [sys.executable, "-m", "tonnage", "serve", "--port", str(port)]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said) as it:
            try:
                wait_until_it_listens(it, port)
                url = f"http://127.0.0.1:{port}"
                httpx.get(f"{url}/health/ready", timeout=120).raise_for_status()
                yield url
            finally:
                it.terminate()
                it.wait(60)
        said.seek(0)
        text = said.read().decode()
    assert "Traceback" not in text, text


def wait_until_it_listens(service: subprocess.Popen[bytes], port: int) -> None:
    """Until a connection is taken; fails when the service ends before."""
    for _ in range(1200):
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        with suppress(subprocess.TimeoutExpired):
            service.wait(0.1)
            break
    raise AssertionError(f"nothing listens on {port}; the service ended with {service.returncode}")


def test_every_view_shows_what_the_api_answers(site: Site) -> None:
    run = site.told("runs/current")
    overview(site, run)
    explorer(site, run)
    accuracy(site, run)
    runs(site, run)
    predict(site)


def overview(site: Site, run: dict[str, Any]) -> None:
    site.open("/")
    line = site.page.get_by_role("region", name="This month’s run")
    for each in (run["id"], run["model"], run["snapshot"][:12]):
        expect(line).to_contain_text(each)
    expect(line.locator(f"[title='{run['snapshot']}']")).to_be_visible()
    series = site.told("series/total", history=0, earlier=0)
    shown = read(site.page, YEAR_BEFORE)
    assert [row[:3] for row in shown[:-1]] == [
        [said["month"], said["mean"], bought["quantity"]]
        for said, bought in zip(series["forecast"], series["last_year"], strict=True)
    ]
    assert shown[-1][1] == pytest.approx(sum(said["mean"] for said in series["forecast"]))
    nodes = site.told("forecasts", level="organization", sort="-mean")["forecasts"]
    rows = read(site.page, "Forecast by organization beside last year")
    assert [row[0] for row in rows] == [node["organization"] for node in nodes]
    assert [row[1] for row in rows] == pytest.approx([year_of(node) for node in nodes])
    facts = site.told(f"snapshots/{run['snapshot']}")["facts"]
    lines = {row[0]: row for row in read(site.page, "Order lines of the snapshot")}
    kept = facts["kept"]
    assert (lines["Count"][1], lines["Count"][3]) == (kept["lines"], pytest.approx(kept["quantity"]))
    set_aside = {f"Set aside: {reason}": each["lines"] for reason, each in facts["set_aside"].items()}
    assert {name: row[1] for name, row in lines.items() if name.startswith("Set aside")} == set_aside
    expect(site.page.get_by_text("This is the first run that is shown.")).to_be_visible()


def year_of(node: dict[str, Any]) -> float:
    return float(sum(month["mean"] for month in node["months"]))


def explorer(site: Site, run: dict[str, Any]) -> None:
    """The largest node of every level, chosen in the grid, and its numbers by month."""
    for level in run["levels"]:
        told = site.told("forecasts", level=level, sort="-mean", limit=1)
        largest = told["forecasts"][0]
        site.open(f"/explorer?level={level}&sort=-year")
        first = site.page.locator("#explorer-grid .ag-center-cols-container .ag-row[row-index='0']")
        names = [largest[key] for key in level.split(",")] if level != "total" else ["Total"]
        expect(first.locator("[col-id=name]")).to_have_text(" · ".join(names))
        expect(first.locator(".ag-cell").nth(1)).to_have_text(amount(year_of(largest)))
        first.click()
        expect(site.page.get_by_role("heading", level=2)).to_have_text(" · ".join(names))
        node = "total" if level == "total" else ",".join(f"{key}={largest[key]}" for key in level.split(","))
        series = site.told(f"series/{node}")
        ends = ("p25", "p75", "p05", "p95") if "p25" in series["forecast"][0] else ("p10", "p90")
        expected = []
        for said, bought in zip(series["forecast"], series["last_year"], strict=True):
            before = bought["quantity"]
            expected += [said["mean"], *(said[end] for end in ends), before]
            expected += [said["mean"] / before - 1] if before > 0 else []
        assert amounts(site.page.locator("#explorer-numbers tbody")) == pytest.approx(expected, rel=1e-9)


def amount(value: float) -> str:
    """As the grid writes it in British English."""
    return f"{value:,.{0 if value >= 1000 else 1 if value >= 10 else 2}f}"


def accuracy(site: Site, run: dict[str, Any]) -> None:
    """Of a first month nothing has come yet: the API has no row, and the page says so."""
    months = {"from": f"{int(run['origin'][:4]) - 1}{run['origin'][4:]}", "to": run["origin"]}
    for by in ("level", "month", "lead"):
        assert site.told("accuracy", by=by, **months)["rows"] == []
    site.open("/accuracy")
    for part in ("By level", "Forecast against what came", "By months ahead", "By class of demand"):
        region = site.page.get_by_role("region", name=part, exact=True)
        expect(region).to_contain_text("No month of these has been held against its forecast.")
    levels = site.page.get_by_role("navigation", name="Level").get_by_role("link")
    expect(levels).to_have_count(len(run["levels"]))


def runs(site: Site, run: dict[str, Any]) -> None:
    site.open("/runs")
    told = site.told("runs")["runs"]
    rows = read(site.page, "Runs, the newest first")
    assert [row[:2] for row in rows] == [[each["id"], each["origin"]] for each in told]
    assert [row[3] for row in rows] == ["shown now"]
    for row, each in zip(rows, told, strict=True):
        assert row[4].startswith(each["recipe"]) and (each["verdict"] or "") in row[5]
    expect(site.page.get_by_text(f"No run was shown before {run['id']}.")).to_be_visible()
    expect(site.page.get_by_role("region", name="Snapshots")).to_contain_text(run["snapshot"][:12])


def predict(site: Site) -> None:
    lines = [f"K-1,{2023 + at // 12}-{at % 12 + 1:02},{tonnes}" for at, tonnes in enumerate(HISTORY)]
    site.open("/predict")
    content = "\n".join(["customer,month,t", *lines]).encode()
    site.page.locator("#predict-input").set_input_files(
        {"name": "history.csv", "mimeType": "text/csv", "buffer": content}
    )
    site.page.locator("#predict-go").click()
    expect(site.page.get_by_role("heading", level=2)).to_have_text("Total", timeout=SOON)
    series = [{"keys": {"customer": "K-1"}, "first": "2023-01", "quantities": HISTORY}]
    question = {"series": series, "horizon": 12, "quantiles": [0.05, 0.25, 0.5, 0.75, 0.95]}
    total = site.api.post("/v1/predict", json=question, timeout=300).raise_for_status().json()["forecasts"][0]
    expected = []
    for month, bought in zip(total["months"], HISTORY[-12:], strict=True):
        expected += [month[each] for each in ("mean", "p25", "p75", "p05", "p95")]
        expected += [bought, month["mean"] / bought - 1]
    assert amounts(site.page.locator("#predict-numbers tbody")) == pytest.approx(expected, rel=1e-9)
