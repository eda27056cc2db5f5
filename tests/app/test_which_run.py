"""Which run a question is about: the one shown, one by name, the one shown at a moment; and its cache tag."""

import datetime as dt
from collections.abc import Callable

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.access.caller import Caller, Role
from app.api.asking import cache_headers
from app.store import tables
from app.store.publish import publish, roll_back
from app.store.read import reading
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

ZONE = dt.timezone(dt.timedelta(hours=1))
FIRST = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
SECOND = dt.datetime(2026, 11, 23, 23, 30, tzinfo=ZONE)
BACK = dt.datetime(2026, 12, 2, 6, 0, tzinfo=dt.UTC)
RESOURCES = ["/v1/forecasts", "/v1/nodes", "/v1/nodes/total", "/v1/nodes/total/children",
             "/v1/nodes/total/path", "/v1/series/total"]  # fmt: skip


@pytest.fixture
def shown(engine: Engine, make_run: MakeRun) -> None:
    """One run is shown, then another, then the first again; a third is only recorded."""
    publish(engine, make_run("2026-10-aaaa"), FIRST)
    publish(engine, make_run("2026-10-abbb", scale=3.0), SECOND)
    roll_back(engine, "2026-10-aaaa", BACK)
    with engine.begin() as connection:
        only_recorded = {**connection.execute(tables.run.select().limit(1)).mappings().one()}
        only_recorded |= {"id": "2026-10-cccc", "published_at": None}
        del only_recorded["number"]  # PostgreSQL gives it
        connection.execute(tables.run.insert().values(only_recorded))


@pytest.mark.usefixtures("shown")
class TestWhichRun:
    @pytest.mark.parametrize("path", RESOURCES)
    @pytest.mark.parametrize(
        ("query", "run"),
        [
            ("", "aaaa"),
            ("run=current", "aaaa"),
            ("run=2026-10-abbb", "abbb"),
            ("run=2026-10-ab", "abbb"),
            ("as_of=2026-11-02", "aaaa"),
            ("as_of=2026-11-02T06:00:00Z", "aaaa"),
            ("as_of=2026-11-22", "aaaa"),
            ("as_of=2026-11-23", "abbb"),
            ("as_of=2026-11-23T22:29:59Z", "aaaa"),
            ("as_of=2026-11-23T23:30%2B01:00", "abbb"),
            ("as_of=2026-12-01", "abbb"),
            ("as_of=2026-12-02", "aaaa"),
            ("as_of=9999-12-31", "aaaa"),
        ],
    )
    def test_every_resource_names_it(self, client: TestClient, path: str, query: str, run: str) -> None:
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 200
        assert answer.json()["run"]["id"] == f"2026-10-{run}"

    @pytest.mark.parametrize("path", RESOURCES)
    @pytest.mark.parametrize(
        ("query", "status", "field", "remedy"),
        [
            ("run=2026-10-a", 422, "run", "write more of the id"),
            ("run=2026-10-aaaa&as_of=2026-11-23", 422, "as_of", "give one of them"),
            ("run=current&as_of=2026-11-23", 422, "as_of", "give one of them"),
            ("run=2026-10-cccc", 404, "run", "tonnage runs list"),
            ("run=2026-10-aaaaa", 404, "run", "tonnage runs list"),
            ("run=%25", 404, "run", "tonnage runs list"),
            ("run=", 422, "run", ""),
            ("run=%00", 422, "run", ""),
            ("as_of=2026-11-01", 404, "as_of", "the first was shown at 2026-11-02T06:00+00:00"),
            ("as_of=2026-11-02T05:59:59Z", 404, "as_of", "the first was shown"),
            ("as_of=2026-11-02T06:59:59%2B23:59", 404, "as_of", "the first was shown"),
            ("as_of=0001-01-01T00:00Z", 404, "as_of", "the first was shown"),
            ("as_of=0001-01-01T00:00%2B14:00", 422, "as_of", ""),
            ("as_of=2026-11-23T06:00", 422, "as_of", ""),
            ("as_of=2026-11-23T06:00+01:00", 422, "as_of", ""),
            ("as_of=November", 422, "as_of", ""),
            ("as_of=20261123", 422, "as_of", ""),
            ("as_of=2026-02-30", 422, "as_of", ""),
            ("run=a&run=b", 422, "run", "give it once"),
        ],
    )
    def test_refusals(
        self, client: TestClient, path: str, query: str, status: int, field: str, remedy: str
    ) -> None:
        answer = client.get(f"{path}?{query}")
        assert (answer.status_code, answer.json()["field"]) == (status, field)
        assert remedy in answer.json()["remedy"]

    def test_numbers_are_those_of_the_run(self, client: TestClient) -> None:
        for run, total in (("2026-10-aaaa", 1111.0), ("2026-10-abbb", 3333.0)):
            row = client.get(f"/v1/forecasts?run={run}").json()["forecasts"][0]
            assert row["months"][0]["mean"] == total
            assert client.get(f"/v1/series/total?run={run}").json()["forecast"][0]["mean"] == total

    def test_cursor_of_a_run_that_is_not_shown_now(self, client: TestClient) -> None:
        query = "/v1/forecasts?run=2026-10-ab&level=customer&limit=2"
        first = client.get(query).json()
        second = client.get(f"{query}&cursor={first['next']}").json()
        assert second["run"]["id"] == "2026-10-abbb"
        assert [row["customer"] for row in second["forecasts"]] == ["K-7"]
        for other in ("", "run=2026-10-aaaa&", "run=2026-10-abbb&"):
            url = f"/v1/forecasts?{other}level=customer&limit=2&cursor={first['next']}"
            assert client.get(url).json()["field"] == "cursor"


def test_no_run_at_all(client: TestClient) -> None:
    answer = client.get("/v1/forecasts?as_of=2026-11-02")
    assert (answer.status_code, answer.json()["remedy"]) == (404, "run: tonnage retrain")


def test_tag_tells_scopes_apart(engine: Engine, published: ForecastRun) -> None:
    facts = {"type": "http", "method": "GET", "path": "/v1/nodes", "query_string": b"level=customer"}
    request = Request(facts | {"headers": [], "server": ("house", 80), "scheme": "http"})
    with reading(engine) as reader:
        run = reader.current_run()
    scopes = [None, frozenset(), frozenset({"NORD"}), frozenset({"NORD", "SÜD"}), frozenset({"NORD,SÜD"})]
    tags = [
        cache_headers(request, Caller("somebody", Role.VIEWER, scope), run, "text/csv")["ETag"]
        for scope in scopes
    ]
    assert len(set(tags)) == len(scopes)
    again = Caller("another", Role.ADMIN, frozenset({"SÜD", "NORD"}))
    assert cache_headers(request, again, run, "text/csv")["ETag"] == tags[3]
