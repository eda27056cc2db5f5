"""The view of runs shows what the API answers; who may retrain asks for it once, and nobody else can."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import APIResponse, Page, Request, expect

from tests.ui.conftest import NARROW, WIDE, Served
from tests.ui.told import LEVELS, MODELS_AT, ask, entries, read

type SignIn = Callable[..., Page]

NOW, BEFORE, FIRST = "2026-10-eeeeeeeeeeee", "2026-09-dddddddddddd", "2026-08-cccccccccccc"


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


def summed(node: dict[str, Any]) -> list[float]:
    """Before, after, change and the causes that the page shows, over all months."""
    parts = [node["before"], node["after"], node["change"]]
    return [
        sum(each) for each in (*parts, *(node["causes"][name] for name in ("actuals", "history", "recipe")))
    ]


class TestRuns:
    def test_are_listed_with_their_verdicts(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in(path="/runs")
        shown = read(page, "Runs, the newest first")
        told = api.get("/v1/runs").json()["runs"]
        assert [row[:2] for row in shown] == [[run["id"], run["origin"]] for run in told]
        states = {row[0]: row[3] for row in shown}
        assert states[NOW] == "shown now" and states[FIRST] == "shown before"
        for row, run in zip(shown, told, strict=True):
            assert row[4] == run["recipe"] and run["verdict"] in row[5]
            assert all(reason in row[5] for reason in run["refused"])
        assert states["2026-10-refused00000"] == "refused"

    def test_what_changed_adds_up(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in(path="/runs")
        diff = api.get(f"/v1/runs/{BEFORE}/diff?to={NOW}&level=organization").json()
        months = read(page, "The difference by month")
        assert [row[0] for row in months[:-1]] == diff["months"]
        assert [row[3] for row in months[:-1]] == diff["all"]["change"]
        nodes = read(page, "The difference by node")
        for row, node in zip(nodes, [*diff["nodes"], diff["all"]], strict=True):
            assert row[1:] == pytest.approx(summed(node))
        for row in (*months, *nodes):
            assert row[3] == pytest.approx(row[2] - row[1])
            assert sum(row[4:]) == pytest.approx(row[3])

    def test_any_two_are_compared(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in(path="/runs")
        page.get_by_role("link", name=f"Compare from {FIRST}").click()
        page.wait_for_url(f"**/runs?before={FIRST}")
        expect(page.get_by_text("causes are kept for a run", exact=False)).to_be_visible()
        diff = api.get(f"/v1/runs/{FIRST}/diff?to={NOW}&level=organization").json()
        nodes = read(page, "The difference by node")
        assert [row[1:] for row in nodes[:-1]] == [
            pytest.approx([sum(node[name]) for name in ("before", "after", "change")])
            for node in diff["nodes"]
        ]
        page.get_by_role("navigation", name="By node of").get_by_role(
            "link", name="customer", exact=True
        ).click()
        expect(page.get_by_role("columnheader", name="Customer", exact=True)).to_be_visible()
        page.get_by_role("link", name=f"Compare from {NOW}").click()
        expect(page.get_by_role("alert")).to_contain_text("it is the same run")

    def test_one_that_is_not_there(self, sign_in: SignIn) -> None:
        page = sign_in(path="/runs?run=2020-01-nothing")
        expect(page.get_by_role("alert").first).to_contain_text("2020-01-nothing")
        expect(page.get_by_role("table", name="Runs, the newest first")).to_be_visible()


def test_models_by_level_with_links_to_mlflow(sign_in: SignIn, api: httpx.Client) -> None:
    page = sign_in(path=f"/runs?run={BEFORE}")
    models = api.get(f"/v1/models?run={BEFORE}").json()
    shown = read(page, "Models by level, with their loss by months ahead")
    assert [row[2] for row in shown] == [level["loss"] for level in models["levels"]]
    assert [row[4:6] for row in shown] == [level["loss_by_lead"][:2] for level in models["levels"]]
    link = page.get_by_role("link", name="tonnage-total 7")
    expect(link).to_have_attribute("href", f"{MODELS_AT}/#/models/tonnage-total/versions/7")
    expect(link).to_have_attribute("rel", "noreferrer")
    assert len(shown) == len(LEVELS)


def test_snapshots_with_what_they_set_aside(sign_in: SignIn, api: httpx.Client) -> None:
    page = sign_in(path="/runs")
    shown = read(page, "Snapshots, the newest first")
    told = api.get("/v1/snapshots").json()["snapshots"]
    for row, snapshot in zip(shown, told, strict=True):
        facts = snapshot["facts"]
        assert row[:2] == [snapshot["id"], facts["month"]]
        assert row[3:5] == [facts["kept"]["lines"], facts["kept"]["quantity"]]
        assert row[5] == sum(each["lines"] for each in facts["set_aside"].values())
        assert all(f"{reason} {each['lines']}" in row[6] for reason, each in facts["set_aside"].items())
        assert row[8] == len(snapshot["runs"])


class TestJobs:
    def test_are_shown_with_how_far_they_are(self, sign_in: SignIn, api: httpx.Client) -> None:
        page = sign_in("viewer", path="/runs")
        shown = read(page, "Jobs, the last first")
        told = api.get("/v1/jobs?limit=12").json()["jobs"]
        assert len(told) >= 3
        for row, job in zip(shown, told, strict=True):
            assert row[0].startswith(job["kind"]) and row[2:4] == [job["asked_by"], job["status"]]
            assert row[4] == job["progress"]
        assert "erp does not answer" in [row[5] for row in shown]

    def test_operators_ask_for_a_month(self, sign_in: SignIn, api: httpx.Client, app: FastAPI) -> None:
        before = {job["id"] for job in api.get("/v1/jobs").json()["jobs"]}
        page = sign_in("operator", path="/runs")
        page.get_by_label("Why limits and guards may be passed").fill(" the strike is over ")
        page.get_by_role("button", name="Retrain now").click()
        expect(page.get_by_text("Asked for: the last complete month.")).to_be_visible()
        (job,) = [each for each in api.get("/v1/jobs").json()["jobs"] if each["id"] not in before]
        assert (job["kind"], job["status"]) == ("retrain", "waiting")
        assert job["arguments"] == {"accept": "the strike is over"}
        assert job["asked_by"].startswith("operator")
        expect(
            page.get_by_role("table", name="Jobs, the last first").locator("tbody tr").first
        ).to_contain_text("waiting")
        (entry,) = [each for each in entries(app) if each.details.get("job") == job["id"]]
        assert (entry.action, entry.subject, entry.outcome) == ("POST /v1/jobs", "/v1/jobs", "202")
        assert (entry.caller, entry.details["kind"]) == (job["asked_by"], "retrain")

    def test_asked_again_because_no_answer_came_it_is_the_same_job(
        self, sign_in: SignIn, api: httpx.Client, served: Served
    ) -> None:
        page = sign_in("admin", path="/runs")
        count = len(api.get("/v1/jobs?limit=500").json()["jobs"])
        sent = retrain_question(page)
        for _ in range(2):
            assert ask_again(page, served, sent).status == 200
        assert len(api.get("/v1/jobs?limit=500").json()["jobs"]) == count + 1

    @pytest.mark.parametrize(
        ("role", "organizations"), [("viewer", None), ("planner", None), ("operator", ["NORD"])]
    )
    def test_nobody_else_can(
        self, sign_in: SignIn, api: httpx.Client, served: Served, app: FastAPI, role: str, organizations: Any
    ) -> None:
        sent = retrain_question(sign_in("admin", path="/runs"))
        count = len(api.get("/v1/jobs?limit=500").json()["jobs"])
        page = sign_in(role, organizations, "/runs")
        expect(page.locator("main .loading")).to_have_count(0)
        expect(page.get_by_role("button", name="Retrain now")).to_have_count(0)
        answer = ask_again(page, served, sent)
        assert answer.status == 200 and "refused" in answer.text()
        assert len(api.get("/v1/jobs?limit=500").json()["jobs"]) == count
        newest = next(each for each in entries(app) if each.caller.startswith(role))
        assert (newest.action, newest.outcome) == ("POST /v1/jobs", "403")


def retrain_question(page: Page) -> dict[str, Any]:
    """What the page asks when the button is pressed, held back so that nobody is asked."""

    def is_it(request: Request) -> bool:
        return "runs-retrain.n_clicks" in (request.post_data or "")

    page.get_by_role("button", name="Retrain now").wait_for()
    page.route(
        "**/_dash-update-component*",
        lambda route: route.fulfill(status=204) if is_it(route.request) else route.continue_(),
    )
    with page.expect_request(is_it) as asked:
        page.get_by_role("button", name="Retrain now").click()
    question: dict[str, Any] = json.loads(asked.value.post_data or "")
    return question


def ask_again(page: Page, served: Served, question: dict[str, Any]) -> APIResponse:
    """The same question with the session of a page, as that page would ask it."""
    url = f"{served.url}/_dash-update-component"
    return page.request.post(url, data=question, headers={"Origin": served.url})


def test_who_sees_some_organizations_sees_which_runs_were_shown(sign_in: SignIn) -> None:
    page = sign_in("viewer", ["NORD"], "/runs")
    shown = read(page, "Runs, the newest first")
    assert [row[0] for row in shown] == [NOW, BEFORE, FIRST]
    assert {row[5] for row in shown} == {"–"} and {len(row) for row in shown} == {6}
    expect(page.locator(".kept-back")).to_have_count(4)


def test_it_is_accessible_wide_and_narrow(sign_in: SignIn, accessible: Callable[[Page], None]) -> None:
    for size in (WIDE, NARROW):
        page = sign_in("operator", path="/runs", size=size)
        page.get_by_role("button", name="Retrain now").wait_for()
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
