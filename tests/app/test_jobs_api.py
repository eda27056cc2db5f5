"""/v1/jobs: asking, looking, cancelling; what is refused leaves nothing behind."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.api.jobs import MOST_WAITING
from app.api.jobs_schemas import Jobs, JobShown
from app.store import audit, leases, tables
from app.store.jobs import claim_job, read_job
from app.store.leases import Terms
from app.store.moment import moment
from app.store.session import connected

RETRAIN = {"kind": "retrain", "month": "2020-01"}


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select count(*) from job")).scalar_one())


def trail(engine: Engine) -> list[audit.Entry]:
    """The entries of the audit trail, the oldest first."""
    with connected(engine) as connection:
        assert audit.verify(connection).broken is None
        return [link.entry for link in reversed(audit.read_links(connection, 1000))]


class TestAsking:
    def test_is_answered_with_the_job_and_where_to_look(self, client: TestClient, engine: Engine) -> None:
        answer = client.post("/v1/jobs", json=RETRAIN | {"accept": " the strike is over "})
        assert answer.status_code == 202
        shown = JobShown.model_validate(answer.json())
        assert answer.headers["location"] == f"/v1/jobs/{shown.id}"
        assert (shown.kind, shown.status, shown.progress) == ("retrain", "waiting", 0)
        assert shown.arguments == {"month": "2020-01", "accept": "the strike is over"}
        assert client.get(answer.headers["location"]).json() == answer.json()
        assert read_job(engine, shown.id).asked_by.startswith("admin ")

    def test_tells_the_worker_what_was_given_and_nothing_else(self, client: TestClient) -> None:
        assert client.post("/v1/jobs", json={"kind": "ingest"}).json()["arguments"] == {}
        asked = {"kind": "ingest", "full": True}
        assert client.post("/v1/jobs", json=asked).json()["arguments"] == {"full": True}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, ""),
            ({"kind": "drop table"}, ""),
            ({"kind": "retrain", "month": "2026-13"}, "retrain.month"),
            ({"kind": "retrain", "month": 202610}, "retrain.month"),
            ({"kind": "retrain", "month": "0000-01"}, "month"),
            ({"kind": "retrain", "month": "9999-12"}, "month"),
            ({"kind": "retrain", "months": "2020-01"}, "retrain.months"),
            ({"kind": "retrain", "full": True}, "retrain.full"),
            ({"kind": "retrain", "accept": "  "}, "retrain.accept"),
            ({"kind": "retrain", "accept": "a\x00b"}, "retrain.accept"),
            ({"kind": "ingest", "full": "yes"}, "ingest.full"),
            ({"kind": "retrain", "asked_by": "somebody else"}, "retrain.asked_by"),
            ([], ""),
        ],
    )
    def test_of_what_no_worker_takes_is_refused(
        self, client: TestClient, engine: Engine, body: Any, field: str
    ) -> None:
        answer = client.post("/v1/jobs", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert answer.headers["content-type"] == "application/problem+json"
        assert count(engine) == 0

    def test_not_json(self, client: TestClient) -> None:
        assert client.post("/v1/jobs", content=b"{").status_code == 422


class TestKeys:
    def test_the_same_question_has_the_same_job(self, client: TestClient, engine: Engine) -> None:
        def ask(_: int) -> str:
            answer = client.post("/v1/jobs", json=RETRAIN, headers={"Idempotency-Key": "a"})
            assert answer.status_code == 202
            return str(answer.json()["id"])

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(ask, range(8)))) == 1
        assert count(engine) == 1

    def test_another_question_is_refused(self, client: TestClient, engine: Engine) -> None:
        first = client.post("/v1/jobs", json=RETRAIN, headers={"Idempotency-Key": "a"}).json()
        again = client.post("/v1/jobs", json={"kind": "retrain"}, headers={"Idempotency-Key": "a"})
        assert (again.status_code, again.json()["field"]) == (422, "Idempotency-Key")
        assert first["id"] in again.json()["detail"]
        assert count(engine) == 1

    def test_a_refused_question_uses_up_no_key(self, client: TestClient) -> None:
        key = {"Idempotency-Key": "a"}
        assert client.post("/v1/jobs", json=RETRAIN | {"month": "x"}, headers=key).status_code == 422
        assert client.post("/v1/jobs", json=RETRAIN, headers=key).status_code == 202

    @pytest.mark.parametrize("key", ["k" * 256, "", "two words", "ümlaut".encode()])
    def test_a_key_that_is_none(self, client: TestClient, engine: Engine, key: str | bytes) -> None:
        headers = [(b"Idempotency-Key", key if isinstance(key, bytes) else key.encode())]
        answer = client.post("/v1/jobs", json=RETRAIN, headers=headers)
        assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
        assert count(engine) == 0


class TestQuota:
    def test_so_many_wait_and_no_more(self, client: TestClient, engine: Engine) -> None:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: client.post("/v1/jobs", json=RETRAIN), range(MOST_WAITING + 4)))
        refused = [answer for answer in answers if answer.status_code != 202]
        assert [answer.status_code for answer in refused] == [429] * 4
        assert "cancel" in refused[0].json()["remedy"] and refused[0].headers["retry-after"]
        assert count(engine) == MOST_WAITING

    def test_what_is_there_is_found_all_the_same(self, client: TestClient) -> None:
        first = client.post("/v1/jobs", json=RETRAIN, headers={"Idempotency-Key": "a"}).json()
        for _ in range(MOST_WAITING - 1):
            client.post("/v1/jobs", json=RETRAIN)
        again = client.post("/v1/jobs", json=RETRAIN, headers={"Idempotency-Key": "a"})
        assert (again.status_code, again.json()) == (202, first)

    def test_room_is_made_by_cancelling(self, client: TestClient) -> None:
        asked = [client.post("/v1/jobs", json=RETRAIN).json() for _ in range(MOST_WAITING)]
        assert client.post(f"/v1/jobs/{asked[0]['id']}/cancel").status_code == 200
        assert client.post("/v1/jobs", json=RETRAIN).status_code == 202


class TestLooking:
    def test_pages_hold_every_job_once_the_last_first(self, client: TestClient, engine: Engine) -> None:
        asked = [client.post("/v1/jobs", json=RETRAIN).json()["id"] for _ in range(7)]
        with engine.begin() as connection:  # moments that are alike
            connection.execute(tables.job.update().values(asked_at=moment(engine)))
        found, cursor = [], None
        while True:
            page = client.get("/v1/jobs", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
            shown = Jobs.model_validate(page.json())
            found += [str(job.id) for job in shown.jobs]
            cursor = shown.next
            if cursor is None:
                break
        assert sorted(found) == sorted(asked)
        assert len(client.get("/v1/jobs?limit=7").json()["jobs"]) == 7
        assert client.get("/v1/jobs?limit=7").json()["next"] is None

    def test_of_one_status(self, client: TestClient) -> None:
        kept, gone = (client.post("/v1/jobs", json=RETRAIN).json()["id"] for _ in range(2))
        client.post(f"/v1/jobs/{gone}/cancel")
        for status, expected in (("waiting", kept), ("cancelled", gone)):
            (job,) = client.get(f"/v1/jobs?status={status}").json()["jobs"]
            assert job["id"] == expected

    @pytest.mark.parametrize("cursor", ["x", "WyJhIiwgImIiXQ==", "W10=", "bnVsbA==", "é"])
    def test_a_cursor_that_is_none(self, client: TestClient, cursor: str) -> None:
        answer = client.get("/v1/jobs", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")

    def test_what_a_worker_does_and_has_done(self, client: TestClient, engine: Engine) -> None:
        where = client.post("/v1/jobs", json=RETRAIN).headers["location"]
        now = moment(engine)
        work = claim_job(engine, Terms("anna", dt.timedelta(hours=1), 5), now)
        assert work is not None
        leases.tell(engine, work.claim, "contest", 0.4)
        running = client.get(where).json()
        assert (running["status"], running["stage"], running["progress"]) == ("running", "contest", 0.4)
        with connected(engine) as connection:
            leases.finish(connection, work.claim, now, {"result": {"run": "2020-01-aaaa"}})
        done = JobShown.model_validate(client.get(where).json())
        assert (done.status, done.progress, done.result) == ("done", 1, {"run": "2020-01-aaaa"})
        assert client.post(f"{where}/cancel").json()["status"] == "done"

    @pytest.mark.parametrize("path", ["/v1/jobs/{}", "/v1/jobs/{}/cancel"])
    def test_a_job_that_there_is_not(self, client: TestClient, path: str) -> None:
        method = "POST" if path.endswith("cancel") else "GET"
        answer = client.request(method, path.format(uuid.uuid4()))
        assert (answer.status_code, answer.json()["remedy"]) == (404, "see /v1/jobs")
        assert client.request(method, path.format("7")).status_code == 422


class TestTrail:
    def test_what_was_asked_is_in_the_trail_before_the_answer(
        self, client: TestClient, engine: Engine
    ) -> None:
        job = client.post("/v1/jobs", json=RETRAIN).json()["id"]
        client.post(f"/v1/jobs/{job}/cancel")
        asked, cancelled = trail(engine)
        client.app.state.trail.close()  # type: ignore[attr-defined]  # it is our application
        assert len(trail(engine)) == 2, "nothing comes a second time, a moment later"
        assert asked.caller.startswith("admin ")
        assert (asked.action, asked.outcome) == ("POST /v1/jobs", "202")
        assert asked.details == {"job": job, "kind": "retrain", "month": "2020-01"}
        assert (cancelled.action, cancelled.subject) == (
            "POST /v1/jobs/{id}/cancel",
            f"/v1/jobs/{job}/cancel",
        )
        assert cancelled.details == {"job": job, "status": "cancelled"}

    def test_what_cannot_be_noted_is_not_done(self, client: TestClient, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(text("alter table audit rename to elsewhere"))
        try:
            assert client.post("/v1/jobs", json=RETRAIN).status_code == 503
        finally:
            with engine.begin() as connection:
                connection.execute(text("alter table elsewhere rename to audit"))
        assert count(engine) == 0
