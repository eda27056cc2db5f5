"""GET /v1/lineage/{node}/{month}, /v1/models, /v1/snapshots and /v1/drift, by hand."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import httpx
import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.main import create_app
from app.store.drift_events import DriftEvent, close_events, keep_events
from app.store.lineage import KeptModel, Lineage
from app.store.node_id import NodeId
from app.store.publish import publish
from app.store.session import connected
from app.store.snapshots import ChangedMonth, Lines, SnapshotFacts, SnapshotSource
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
SET_ASIDE = {"cancelled": Lines(2, 5), "unknown unit": Lines(4, 6)}
FACTS = SnapshotFacts(
    id="3f9c1a2b", month=Month(2026, 10), taken_at=PUBLISHED, code_version="0.3.0", unit="kg", parent="aa11",
    accepted=None,
    sources=(
        SnapshotSource("erp", "postgresql", "snapshot", Lines(7, 900), 2, {"unknown unit": Lines(1, 0)}),
        SnapshotSource("mill", "mssql", "none", Lines(3, 100), 0, SET_ASIDE),
    ),
    changes=(ChangedMonth("erp", "2026-07", Lines(3, 50), Lines(4, 90)),),
)  # fmt: skip
WINNER = {
    "key": "13965797ce91", "recipe": "ensemble", "role": "champion", "loss": 0.2, "by_level": [0.1, 0.3],
    "by_lead": [[0.1, 0.1], [0.2, None]],
}  # fmt: skip
VERDICT = {
    "because": "ensemble stays", "promoted": False, "winner": {"key": "13965797ce91", "recipe": "ensemble"},
    "policy": {"loss": "pinball"}, "levels": ["total", "material,organization"], "origins": ["2026-07"],
    "standings": [{**WINNER, "key": "e28045218a44", "by_level": [0.5, 0.6]}, WINNER],
}  # fmt: skip


@pytest.fixture
def run(engine: Engine, make_run: MakeRun) -> ForecastRun:
    """A run whose leaf i had bought 10^i, half of it and nothing, with all that is kept beside it."""
    run = make_run()
    hierarchy = run.forecast.hierarchy
    quantity = np.outer(10.0 ** np.arange(4), [1.0, 0.5, 0.0])
    lineage = Lineage(
        recipe={"name": "ensemble"}, plan={}, code_version="0.3.0", code_commit="abc", code_lock="",
        verdict=VERDICT, history=DemandPanel(hierarchy, run.origin - 2, quantity, np.zeros(4, np.int64)),
        models=(
            KeptModel("total", "tonnage-total", "3"),
            KeptModel("organization,material", "tonnage-material-organization", "4"),
            KeptModel(None, "tonnage-forecaster", "5"),
        ),
        snapshot=FACTS,
    )  # fmt: skip
    publish(engine, run, PUBLISHED, lineage)
    return run


def asked_over_the_wire(engine: Engine, key: str, path: str) -> httpx.Response:
    """An answer to a path that is decoded once, as by a server; the other client decodes it twice."""

    async def ask() -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        transport = httpx.ASGITransport(create_app(engine))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", headers=headers
        ) as client:
            return await client.get(path)

    # Not on this thread: after a test with a browser, its own loop passes for running here.
    with start_blocking_portal() as elsewhere:
        return elsewhere.call(ask)


class TestLineage:
    @pytest.mark.usefixtures("run")
    def test_a_forecast_is_walked_back(self, client: TestClient) -> None:
        answer = client.get("/v1/lineage/organization=NORD/2026-12").json()
        assert (answer["level"], answer["kind"], answer["unit"]) == ("organization", "forecast", "t")
        assert answer["node"] == {"organization": "NORD", "customer": None, "material": None}
        assert (answer["value"], answer["quantiles"]) == (22.0, {"p10": 11.0, "p50": 22.0, "p97_5": 44.0})
        assert answer["run"] == {
            "id": "2026-10-aaaa", "origin": "2026-10", "published_at": "2026-11-02T06:00:00Z",
            "because": "the first run", "recipe": "ensemble",
            "code": {"version": "0.3.0", "commit": "abc", "lock": ""},
        }  # fmt: skip
        assert answer["model"] == {"version": "smoothing/3", "registered": None}
        assert (answer["snapshot"]["id"], answer["snapshot"]["month"]) == ("3f9c1a2b", "2026-10")
        assert [each["name"] for each in answer["snapshot"]["sources"]] == ["erp", "mill"]
        assert answer["history"] == [
            {"month": "2026-08", "quantity": 11.0}, {"month": "2026-09", "quantity": 5.5},
            {"month": "2026-10", "quantity": 0.0},
        ]  # fmt: skip
        assert answer["lines"]["command"] == (
            "tonnage trace 2026-10-aaaa --month 2026-12 --organization=NORD"
        )

    @pytest.mark.usefixtures("run")
    def test_a_month_of_history_is_itself(self, client: TestClient) -> None:
        answer = client.get("/v1/lineage/total/2026-09").json()
        assert (answer["kind"], answer["value"], answer["quantiles"]) == ("history", 555.5, {})
        assert answer["history"] == [{"month": "2026-09", "quantity": 555.5}]
        assert answer["model"]["registered"] == {"name": "tonnage-total", "version": "3"}
        assert answer["lines"]["command"] == "tonnage trace 2026-10-aaaa --month 2026-09"

    @pytest.mark.usefixtures("run")
    def test_odd_names_go_through_a_url(
        self, client: TestClient, engine: Engine, key_of: Callable[..., str]
    ) -> None:
        key = key_of(engine)
        where = {"organization": "NORD", "customer": 'K,"9"', "material": "=SUM(A1)"}
        answer = asked_over_the_wire(engine, key, f"/v1/lineage/{NodeId.of(where)}/2026-11").json()
        assert answer["node"] == where and answer["value"] == 1.0
        assert "'--customer=K,\"9\"' '--material==SUM(A1)'" in answer["lines"]["command"]
        broken = asked_over_the_wire(engine, key, "/v1/lineage/customer=~FF/2026-11")
        assert (broken.status_code, broken.json()["field"]) == (422, "node")
        assert client.get("/v1/lineage/organization=SÜD,material=Blech/2026-11").json()["value"] == 1000.0

    @pytest.mark.usefixtures("run")
    @pytest.mark.parametrize(
        ("path", "status", "field"),
        [
            ("customer=K-9/2026-11", 404, "customer"),
            ("plant=1/2026-11", 422, "level"),
            ("customer/2026-11", 422, "node"),
            ("customer=/2026-11", 404, "customer"),
            ("customer=K-7,customer=K-7/2026-11", 422, "node"),
            ("customer=~00/2026-11", 422, "node"),
            ("total/2027-01", 422, "from"),
            ("total/2026-07", 404, "month"),
            ("total/2026-13", 422, "month"),
            ("total/2026-11?run=2031", 404, "run"),
            ("customer='; drop table run; --/2026-11", 404, "customer"),
        ],
    )
    def test_mistakes_are_told(self, client: TestClient, path: str, status: int, field: str) -> None:
        answer = client.get(f"/v1/lineage/{path}")
        assert (answer.status_code, answer.json()["field"]) == (status, field)

    def test_a_run_of_before_history_was_kept(
        self, client: TestClient, engine: Engine, make_run: MakeRun
    ) -> None:
        publish(engine, make_run(), PUBLISHED)
        answer = client.get("/v1/lineage/total/2026-11").json()
        assert (answer["history"], answer["snapshot"]["sources"], answer["run"]["code"]) == (None, None, None)
        assert client.get("/v1/lineage/total/2026-10").status_code == 404


class TestModels:
    @pytest.mark.usefixtures("run")
    def test_levels_with_versions_and_losses(self, client: TestClient) -> None:
        answer = client.get("/v1/models").json()
        assert (answer["run"]["id"], answer["recipe"]) == ("2026-10-aaaa", {"name": "ensemble"})
        assert answer["bundle"] == {"name": "tonnage-forecaster", "version": "5"}
        assert (answer["measure"], answer["origins"]) == ("pinball", ["2026-07"])
        levels = {level.pop("level"): level for level in answer["levels"]}
        assert levels["total"] == {
            "registered": {"name": "tonnage-total", "version": "3"}, "loss": 0.1, "loss_by_lead": [0.1, 0.1],
        }  # fmt: skip
        assert levels["organization,material"] == {
            "registered": {"name": "tonnage-material-organization", "version": "4"},
            "loss": 0.3,
            "loss_by_lead": [0.2, None],
        }
        assert levels["customer"] == {"registered": None, "loss": None, "loss_by_lead": None}

    def test_without_a_contest(self, client: TestClient, engine: Engine, make_run: MakeRun) -> None:
        publish(engine, make_run(), PUBLISHED)
        answer = client.get("/v1/models?run=2026-10-aaaa").json()
        assert (answer["measure"], answer["bundle"], answer["recipe"], answer["origins"]) == (
            None, None, None, [],
        )  # fmt: skip
        assert client.get("/v1/models?run=2031").status_code == 404


class TestSnapshots:
    def test_what_a_snapshot_holds(
        self, client: TestClient, engine: Engine, run: ForecastRun, make_run: MakeRun
    ) -> None:
        publish(engine, make_run("2026-10-b"), PUBLISHED + dt.timedelta(days=1))
        older = make_run("2026-09-a", snapshot="bb22")
        publish(engine, replace(older, forecast=replace(older.forecast, first=Month(2026, 10))), PUBLISHED)
        answer = client.get("/v1/snapshots").json()
        newest, old = answer["snapshots"]
        assert old == {"id": "bb22", "runs": ["2026-09-a"], "facts": None}
        assert newest["runs"] == ["2026-10-b", run.id]
        facts = newest["facts"]
        assert (facts["kept"], facts["unit"]) == ({"lines": 10, "quantity": 1000}, "kg")
        assert facts["set_aside"] == {
            "cancelled": {"lines": 2, "quantity": 5}, "unknown unit": {"lines": 5, "quantity": 6},
        }  # fmt: skip
        assert facts["changes"] == [
            {
                "source": "erp", "month": "2026-07", "before": {"lines": 3, "quantity": 50},
                "after": {"lines": 4, "quantity": 90},
            }
        ]  # fmt: skip
        assert (facts["month"], facts["taken_at"], facts["parent"]) == (
            "2026-10", "2026-11-02T06:00:00Z", "aa11",
        )  # fmt: skip
        assert facts["sources"][0]["later"] == 2
        assert client.get("/v1/snapshots/3f9c1a2b").json() == newest
        first = client.get("/v1/snapshots?limit=1").json()
        assert [each["id"] for each in first["snapshots"]] == ["3f9c1a2b"]
        rest = client.get(f"/v1/snapshots?cursor={first['next']}").json()
        assert ([each["id"] for each in rest["snapshots"]], rest["next"]) == (["bb22"], None)

    def test_unknown(self, client: TestClient) -> None:
        assert client.get("/v1/snapshots").json() == {"snapshots": [], "next": None}
        assert client.get("/v1/snapshots/cafe").json()["field"] == "snapshot"
        assert client.get("/v1/snapshots?cursor=cafe").status_code == 422


class TestDrift:
    @pytest.fixture
    def events(self, engine: Engine) -> list[DriftEvent]:
        """One of errors that was open from July to September, one of data that is open since August."""
        errors = DriftEvent(
            "2026-07-a", "errors", "total", Month(2026, 7), "r", 9.5, 8.0, {"words": "less"}, "retrain"
        )
        data = replace(
            errors,
            id="2026-08-b",
            kind="data",
            scope="customer K-104",
            opened=Month(2026, 8),
            decision="notify",
        )
        with connected(engine) as connection:
            keep_events(connection, [errors, data])
            close_events(connection, [replace(errors, closed=Month(2026, 9))])
        return [errors, data]

    @pytest.mark.usefixtures("events")
    def test_open_and_closed_with_evidence(self, client: TestClient) -> None:
        newest, oldest = client.get("/v1/drift").json()["events"]
        assert newest["closed"] is None
        assert oldest == {
            "id": "2026-07-a", "kind": "errors", "scope": "total", "opened": "2026-07", "closed": "2026-09",
            "by_run": "r", "statistic": 9.5, "threshold": 8.0, "decision": "retrain",
            "evidence": {"words": "less"},
        }  # fmt: skip
        assert client.get("/v1/drift/2026-07-a").json() == oldest
        assert client.get("/v1/drift/2026-07").status_code == 404

    @pytest.mark.usefixtures("events")
    @pytest.mark.parametrize(
        ("question", "found"),
        [
            ("status=open", ["2026-08-b"]),
            ("status=closed", ["2026-07-a"]),
            ("kind=data", ["2026-08-b"]),
            ("scope=total", ["2026-07-a"]),
            ("to=2026-07", ["2026-07-a"]),
            ("from=2026-10", ["2026-08-b"]),
            ("from=2026-09", ["2026-08-b", "2026-07-a"]),
            ("from=2026-10&to=2026-07", []),
        ],
    )
    def test_filters(self, client: TestClient, question: str, found: list[str]) -> None:
        answer = client.get(f"/v1/drift?{question}").json()
        assert [event["id"] for event in answer["events"]] == found and not answer["more"]
        some = client.get(f"/v1/drift?{question}&limit=1").json()
        assert some["more"] == (len(found) > 1)
