"""What of the service's questions comes into the audit trail, and how those of reads wait for it."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.access.caller import Role
from app.access.rules import RULES, Rule
from app.api.audit_schemas import AuditTrail
from app.main import create_app
from app.store.audit import Entry, read_links, verify
from app.store.engine import open_engine
from app.store.session import connected
from app.trail import Trail

type KeyOf = Callable[..., str]

READ = Entry("planner", "GET /v1/forecasts", "200", "/v1/forecasts?format=csv")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def entries(client: TestClient, engine: Engine) -> list[Entry]:
    """All entries, the oldest first, once those of the reads are written."""
    assert client.app.state.trail.settle(30)  # type: ignore[attr-defined]  # it is our application
    with connected(engine) as connection:
        assert verify(connection).broken is None
        return [link.entry for link in reversed(read_links(connection, 1000))]


@pytest.mark.usefixtures("published")
class TestReads:
    @pytest.mark.parametrize(
        "question",
        [
            "/v1/forecasts?format=csv",
            "/v1/forecasts?format=csv&limit=1",
            "/v1/forecasts?level=customer",
            "/v1/forecasts?level=organization,customer,material&limit=1",
            "/v1/forecasts?level=customer&customer=K-104",
            "/v1/nodes?level=material,customer,organization",
        ],
    )
    def test_exports_and_customers_are_noted(self, client: TestClient, engine: Engine, question: str) -> None:
        assert client.get(question).status_code == 200
        (entry,) = entries(client, engine)
        route = question.split("?", maxsplit=1)[0]
        assert entry.caller == f"admin {entry.key}", "how the fixture calls its keys"
        assert replace(entry, caller="", key=None) == Entry(
            "", f"GET {route}", "200", question, address="testclient"
        )

    @pytest.mark.parametrize(
        "question",
        [
            "/v1/forecasts",
            "/v1/forecasts?level=organization",
            "/v1/nodes?level=organization",
            "/v1/runs/current",
            "/v1/forecasts?level=customer&customer=nobody",
            "/v1/forecasts?level=customer&nonsense=1",
            "/v1/jobs",
            "/health/live",
            "/health/ready",
            "/openapi.json",
            "/customer?customer=1",
        ],
    )
    def test_all_else_is_not(self, client: TestClient, engine: Engine, question: str) -> None:
        client.get(question)
        client.put(question)
        assert entries(client, engine) == []

    def test_what_the_caller_has_already_is_not(self, client: TestClient, engine: Engine) -> None:
        first = client.get("/v1/forecasts?level=customer")
        known = {"If-None-Match": first.headers["etag"]}
        assert client.get("/v1/forecasts?level=customer", headers=known).status_code == 304
        assert len(entries(client, engine)) == 1

    def test_reads_that_come_together_are_one_entry(self, client: TestClient, engine: Engine) -> None:
        for _ in range(20):
            client.get("/v1/nodes?level=customer")
        found = entries(client, engine)
        assert sum(int(str(entry.details.get("times", 1))) for entry in found) == 20
        assert len(found) < 20

    def test_who_reads_the_trail_is_in_it(self, client: TestClient, engine: Engine) -> None:
        assert client.get("/v1/audit").json() == {"entries": [], "next": None}
        (entry,) = entries(client, engine)
        assert entry.action == "GET /v1/audit"


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "path", "is_noted"),
        [
            ("POST", "/v1/jobs", True),
            ("POST", "/v1/jobs/7/cancel", True),
            ("GET", "/v1/forecasts?format=csv", True),
            ("GET", "/v1/forecasts?level=customer", True),
            ("GET", "/v1/audit", True),
            ("GET", "/v1/forecasts", False),
            ("POST", "/v1/nothing", False),
        ],
    )
    def test_of_strangers_without_their_words(
        self, engine: Engine, method: str, path: str, is_noted: bool
    ) -> None:
        with TestClient(create_app(engine)) as client:
            answer = client.request(method, path)
            found = entries(client, engine)
        assert answer.status_code == 401
        assert [(each.caller, each.outcome, each.subject) for each in found] == (
            [("", "401", None)] if is_noted else []
        )

    @pytest.mark.parametrize("path", ["/v1/audit", "/v1/jobs"])
    def test_of_callers_who_may_not(self, engine: Engine, key_of: KeyOf, path: str) -> None:
        app = create_app(engine)
        method = "GET" if path == "/v1/audit" else "POST"
        with TestClient(app, headers=bearer(key_of(engine, "viewer"))) as client:
            assert client.request(method, path).status_code == 403
            (entry,) = entries(client, engine)
        assert (entry.caller[:7], entry.outcome, entry.subject) == ("viewer ", "403", path)

    @pytest.mark.parametrize("body", [{"kind": "retrain", "month": "x"}, {"kind": "nothing"}])
    def test_of_changes_that_cannot_be_made(
        self, client: TestClient, engine: Engine, body: dict[str, str]
    ) -> None:
        assert client.post("/v1/jobs", json=body).status_code == 422
        (entry,) = entries(client, engine)
        assert (entry.action, entry.outcome) == ("POST /v1/jobs", "422")

    def test_of_a_change_that_broke_down(
        self, engine: Engine, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app = create_app(engine)
        monkeypatch.setitem(RULES, "POST /broken", Rule(Role.VIEWER))  # type: ignore[misc]

        @app.post("/broken")
        def broken() -> None:
            raise RuntimeError

        headers = bearer(key_of(engine))
        with TestClient(app, raise_server_exceptions=False, headers=headers) as client:
            assert client.post("/broken").status_code == 500
            (entry,) = entries(client, engine)
        assert (entry.action, entry.outcome) == ("POST /broken", "500")


class TestWaiting:
    def test_what_waits_is_written_at_the_end(self, engine: Engine) -> None:
        trail = Trail(engine)
        assert all(trail.offer(READ) for _ in range(3))
        trail.close()
        assert not trail.offer(READ)
        with connected(engine) as connection:
            assert [link.entry.details for link in read_links(connection, 9)] == [{"times": 3}]

    def test_what_comes_while_the_same_is_being_written_is_not_lost(self, engine: Engine) -> None:
        waits = text("select count(*) filter (where not granted) from pg_locks, pg_sleep(0.01)")
        trail = Trail(engine)
        with engine.connect() as other, engine.connect() as onlooker:
            other.execute(text("lock table audit in exclusive mode"))
            trail.offer(READ)
            # The database waits a little before each answer.
            assert any(onlooker.scalar(waits) for _ in range(6000))
            trail.offer(READ)
            other.rollback()
            assert trail.settle(60)
        trail.close()
        with connected(engine) as connection:
            assert [link.entry for link in read_links(connection, 9)] == [READ, READ]

    def test_while_the_database_is_away_reads_wait_up_to_a_bound(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        trail = Trail(open_engine("postgresql://nobody@127.0.0.1:1/nowhere"), most=2)
        others = [Entry(name, "GET /", "200") for name in ("anna", "bert", "carl")]
        assert [trail.offer(entry) for entry in others] == [True, True, False]
        assert trail.offer(others[0])  # it is one that waits already
        assert trail.waiting == 2
        trail.close()
        said = capsys.readouterr().out
        assert said.count("not written to the audit trail") == 2 and "anna" in said and "times=2" in said

    @pytest.mark.usefixtures("published")
    def test_a_read_that_cannot_be_noted_is_refused(self, engine: Engine, key_of: KeyOf) -> None:
        app = create_app(engine)
        app.state.trail.close()  # it takes nothing more
        with TestClient(app, headers=bearer(key_of(engine))) as client:
            refused = client.get("/v1/forecasts?format=csv")
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:tonnage:problem:trail-behind"
            assert refused.headers["retry-after"] == "5"
            assert client.get("/v1/forecasts").status_code == 200


def test_pages_of_the_trail(client: TestClient, engine: Engine) -> None:
    for _ in range(5):
        name = client.post("/v1/jobs", json={"kind": "ingest"}).json()["asked_by"]
    found, before = [], None
    while True:
        answer = client.get("/v1/audit", params={"limit": 2, "caller": name} | _before(before))
        page = AuditTrail.model_validate(answer.json())
        found += [entry.number for entry in page.entries if entry.action == "POST /v1/jobs"]
        before = page.next
        if before is None:
            break
    assert len(found) == 5 and found == sorted(found, reverse=True)
    assert client.get("/v1/audit?caller=nobody").json()["entries"] == []
    assert json.loads(client.get("/v1/audit?before=9223372036854775808").text)["status"] == 422


def _before(number: int | None) -> dict[str, int]:
    return {} if number is None else {"before": number}
