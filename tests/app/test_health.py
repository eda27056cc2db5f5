"""GET /health/live, GET /health/ready, and what every question gets while the database is away."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from app.main import create_app
from app.store.engine import open_engine

# Whose it is cannot be found out without the database.
A_KEY = {"Authorization": f"Bearer tng_{'0' * 12}_{'0' * 64}"}
QUESTIONS = ["/v1/forecasts", "/v1/forecasts?format=csv", "/v1/nodes", "/v1/runs/current"]


def test_live_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


class TestDatabaseGone:
    @pytest.fixture
    def client(self) -> TestClient:
        engine = open_engine("postgresql://nobody@127.0.0.1:1/nowhere")
        return TestClient(create_app(engine), raise_server_exceptions=False, headers=A_KEY)

    @pytest.mark.parametrize("path", [*QUESTIONS, "/health/ready"])
    def test_says_so_and_when_to_return(self, client: TestClient, path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["type"] == "urn:tonnage:problem:database-unavailable"
        assert "nobody" not in answer.text

    def test_process_is_live(self, client: TestClient) -> None:
        assert client.get("/health/live").status_code == 200


class TestNotMigrated:
    @pytest.mark.parametrize("path", [*QUESTIONS, "/health/ready"])
    def test_names_the_remedy(self, migrated: Engine, path: str) -> None:
        with migrated.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("drop database if exists fresh"))
            connection.execute(text("create database fresh"))
        engine = open_engine(
            make_url(migrated.url).set(database="fresh").render_as_string(hide_password=False)
        )
        client = TestClient(create_app(engine), raise_server_exceptions=False, headers=A_KEY)
        answer = client.get(path)
        engine.dispose()
        assert answer.status_code == 503
        assert answer.json()["remedy"] == "run: tonnage migrate"


@pytest.mark.usefixtures("published")
def test_recovers_after_its_connections_are_cut(client: TestClient, engine: Engine) -> None:
    assert client.get("/v1/forecasts").status_code == 200
    with engine.begin() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where pid <> pg_backend_pid() and application_name = 'tonnage'"
            )
        )
    assert client.get("/v1/forecasts").status_code == 200
