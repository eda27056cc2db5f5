"""GET /metrics: the house's metrics and the service's own."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from app.access.caller import Role
from app.access.rules import RULES, Rule
from app.errors import DatabaseUnavailable
from app.export.metrics import Facts
from app.main import create_app
from app.surroundings import Surroundings

NOW = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)


def samples(client: TestClient) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=")
    return {
        "|".join([each.name, *(value for _, value in sorted(each.labels.items()))]): each.value
        for family in text_string_to_metric_families(answer.text)
        for each in family.samples
    }


@pytest.fixture
def watched(
    engine: Engine, key_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    monkeypatch.setitem(RULES, "GET /broken", Rule(Role.VIEWER))  # type: ignore[misc]  # the test's own route
    app = create_app(
        engine, Surroundings(facts=lambda: Facts(NOW, None, {"published": 3}, None, (), None, {}))
    )

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError

    with TestClient(app, raise_server_exceptions=False, headers=bearer(key_of(engine))) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_requests_are_counted_by_route_and_status(watched: TestClient) -> None:
    watched.get("/v1/jobs?limit=1")
    watched.get("/v1/jobs?limit=2")
    watched.get("/v1/jobs?limit=x")
    watched.get("/v1/jobs/7")
    watched.get("/nothing/here")
    watched.request("BREW", "/v1/jobs")
    watched.get("/broken")
    found = samples(watched)
    counted = {name: value for name, value in found.items() if name.startswith("tonnage_http_requests_total")}
    assert counted == {
        "tonnage_http_requests_total|GET|/v1/jobs|200": 2,
        "tonnage_http_requests_total|GET|/v1/jobs|422": 1,
        "tonnage_http_requests_total|GET|/v1/jobs/{id}|422": 1,
        "tonnage_http_requests_total|GET|unmatched|404": 1,
        "tonnage_http_requests_total|other|unmatched|405": 1,
        "tonnage_http_requests_total|GET|/broken|500": 1,
    }
    assert found["tonnage_http_request_seconds_count|GET|/v1/jobs"] == 3
    assert found["tonnage_http_requests_in_flight"] == 1  # this one
    assert found["tonnage_months_run|published"] == 3
    assert found["tonnage_database_up"] == 1
    assert found["tonnage_database_connections_in_use"] == 0
    assert found["tonnage_audit_entries_waiting"] == 0
    assert samples(watched)["tonnage_http_requests_total|GET|/metrics|200"] == 1


def test_many_at_once_are_all_counted(watched: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: watched.get("/health/live"), range(80)))
    assert samples(watched)["tonnage_http_requests_total|GET|/health/live|200"] == 80


def test_two_services_count_for_themselves(engine: Engine, key_of: Callable[..., str]) -> None:
    headers = bearer(key_of(engine))
    ours, theirs = (TestClient(create_app(engine), headers=headers) for _ in range(2))
    ours.get("/health/live")
    name = "tonnage_http_requests_total|GET|/health/live|200"
    assert (samples(ours)[name], samples(theirs).get(name)) == (1, None)


def test_the_service_tells_of_itself_while_the_database_is_away(
    engine: Engine, key_of: Callable[..., str]
) -> None:
    def away() -> Facts:
        raise DatabaseUnavailable

    headers = bearer(key_of(engine))
    found = samples(TestClient(create_app(engine, Surroundings(facts=away)), headers=headers))
    assert found["tonnage_database_up"] == 0 and "tonnage_http_requests_in_flight" in found
