"""GET /v1/runs, /v1/runs/current and /v1/runs/{run}."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.access.caller import Caller, Role
from app.api.run_schemas import run_document, run_summary
from app.api.sight import as_seen
from app.store.lineage import KeptModel, Lineage
from app.store.publish import publish, record, roll_back
from app.store.run_records import runs_after
from app.store.session import still
from forecasting.checksum import forecast_checksum
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
WHOLE = Caller("somebody", Role.VIEWER, None)
SCOPED = Caller("somebody", Role.VIEWER, frozenset({"NORD"}))


def made(run: ForecastRun, **changes: object) -> Lineage:
    hierarchy = run.forecast.hierarchy
    facts: dict[str, object] = {
        "recipe": {"name": "ensemble", "members": ["theta"]},
        "plan": {"horizon": 2},
        "code_version": "0.2.0",
        "code_commit": "abc",
        "code_lock": "",
        "verdict": {"because": "rival lost 3 % less at total", "promoted": True},
        "history": DemandPanel(
            hierarchy, run.origin - 2, np.ones((4, 3)), np.zeros(hierarchy.n_leaves, dtype=np.int64)
        ),
        "models": (KeptModel("total", "tonnage-total", "3"), KeptModel(None, "tonnage-forecaster", "5")),
    }
    return Lineage(**(facts | changes))  # type: ignore[arg-type]  # facts are of many types


def test_the_run_that_is_shown(client: TestClient, engine: Engine, make_run: MakeRun) -> None:
    run = make_run()
    publish(engine, run, PUBLISHED, made(run))
    answer = client.get("/v1/runs/current").json()
    assert answer == {
        "id": "2026-10-aaaa",
        "origin": "2026-10",
        "recorded_at": "2026-11-02T06:00:00Z",
        "published_at": "2026-11-02T06:00:00Z",
        "current": True,
        "shown": [{"at": "2026-11-02T06:00:00Z", "what": "published", "because": "the first run"}],
        "snapshot": "3f9c1a2b",
        "model": "smoothing/3",
        "unit": "t",
        "because": "the first run",
        "first": "2026-11",
        "last": "2026-12",
        "levels": [
            "total",
            "organization",
            "customer",
            "organization,material",
            "organization,customer,material",
        ],
        "quantiles": [0.1, 0.5, 0.975],
        "recipe": {"name": "ensemble", "members": ["theta"]},
        "plan": {"horizon": 2},
        "code": {"version": "0.2.0", "commit": "abc", "lock": ""},
        "history_first": "2026-08",
        "checksum": forecast_checksum(run.forecast),
        "verdict": {"because": "rival lost 3 % less at total", "promoted": True},
        "refused": [],
        "accepted": None,
        "bundle": {"name": "tonnage-forecaster", "version": "5"},
    }
    assert client.get("/v1/runs/2026-10-aaaa").json() == answer
    publish(engine, make_run("2026-10-bbbb", unit="piece"), LATER)
    bare = client.get("/v1/runs/current").json()
    assert (bare["id"], bare["unit"]) == ("2026-10-bbbb", "piece")
    assert (bare["recipe"], bare["verdict"], bare["code"], bare["bundle"]) == (None, None, None, None)
    assert client.get("/v1/runs/2026-10-aaaa").json() == answer | {"current": False}


def test_nothing_published_yet(client: TestClient) -> None:
    answer = client.get("/v1/runs/current")
    assert answer.status_code == 404
    assert answer.json()["remedy"] == "run: tonnage retrain"
    assert client.get("/v1/runs").json() == {"runs": [], "next": None}
    for unknown in ("2031", "%25", "'; drop table run; --", "x%FF"):
        assert client.get(f"/v1/runs/{unknown}").status_code == 404
    assert client.get("/v1/runs/a%00b").status_code == 422


@pytest.fixture
def four(engine: Engine, make_run: MakeRun) -> list[str]:
    """Four runs of one origin, two recorded in the same minute and one refused; the newest first."""
    runs = [make_run(f"2026-10-{letter}", 1.0 + at) for at, letter in enumerate("abcd")]
    for at, run in enumerate(runs[:3]):
        publish(engine, run, PUBLISHED + dt.timedelta(hours=at // 2), made(run))
    record(engine, runs[3], LATER, made(runs[3], refused=("the total jumps by 40 %",)))
    roll_back(engine, "2026-10-a", LATER)
    return ["2026-10-d", "2026-10-c", "2026-10-a", "2026-10-b"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_hold_every_run_once(client: TestClient, four: list[str], limit: int) -> None:
    found, cursor = [], None
    for _ in range(5):
        page = client.get("/v1/runs", params={"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        assert len(page["runs"]) <= limit
        found += [run["id"] for run in page["runs"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == four


@pytest.mark.usefixtures("four")
def test_a_list_tells_who_was_refused_and_what_was_shown_when(client: TestClient) -> None:
    refused, _, first, _ = client.get("/v1/runs").json()["runs"]
    assert refused["refused"] == ["the total jumps by 40 %"]
    assert (refused["published_at"], refused["shown"], refused["current"]) == (None, [], False)
    assert [each["what"] for each in first["shown"]] == ["published", "rolled back"]
    assert (first["current"], first["recipe"], first["promoted"]) == (True, "ensemble", True)
    assert first["verdict"] == "rival lost 3 % less at total"
    answer = client.get("/v1/runs?cursor=2026-10-z")
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


@pytest.mark.usefixtures("four")
def test_who_sees_some_organizations_sees_no_totals_and_nothing_refused(engine: Engine) -> None:
    with still(engine) as connection:
        runs = runs_after(connection, 9, only_shown=True)
    assert [run.id for run in runs] == ["2026-10-c", "2026-10-a", "2026-10-b"]
    told = replace(runs[1], refused=("the total jumps by 40 %",), accepted="40 % is right")
    assert as_seen(told, WHOLE) is told
    seen = as_seen(told, SCOPED)
    assert seen.id == told.id and seen.published_at == told.published_at
    for shape in (run_document, run_summary):
        text = shape(seen).model_dump_json()
        assert "total jumps" not in text and "40 %" not in text and "3 %" not in text
        assert "the first run" not in text
        assert "total jumps" in shape(told).model_dump_json()
