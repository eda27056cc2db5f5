"""Jobs that were asked for: once per key, in order, one worker each, cancelled where still possible."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from app.absences import UnknownJob
from app.refusals import BadParameter, IdempotencyKeyReused
from app.store import leases
from app.store.jobs import Job, ask, cancel, claim_job, jobs, read_job
from app.store.leases import Terms
from app.store.periods import claim_month, note_due
from app.store.session import connected
from forecasting.months import Month

AT = dt.datetime(2026, 11, 4, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ANNA = Terms("anna", dt.timedelta(hours=1), 5)
GONE = Terms("anna", dt.timedelta(0), 5)
BERT = Terms("bert", dt.timedelta(hours=1), 5)


def asked(
    engine: Engine, kind: str = "retrain", key: str | None = None, by: str = "planner", minute: int = 0
) -> Job:
    return ask(
        engine, kind, {"month": "2026-10"}, asked_by=by, asked_at=AT + minute * MINUTE, idempotency_key=key
    )


class TestAsking:
    def test_twice_under_one_key_is_once(self, engine: Engine) -> None:
        with ThreadPoolExecutor(4) as pool:
            found = set(pool.map(lambda _: asked(engine, key="a").id, range(8)))
        assert found == {asked(engine, key="a", minute=9).id}
        assert [job.asked_at for job in jobs(engine, 9)] == [AT]

    def test_keys_are_each_asker_s_own(self, engine: Engine) -> None:
        ours, theirs = asked(engine, key="a"), asked(engine, key="a", by="somebody else")
        assert ours.id != theirs.id
        assert asked(engine, key="a", by="somebody else").id == theirs.id

    def test_without_a_key_is_always_new(self, engine: Engine) -> None:
        assert asked(engine).id != asked(engine).id

    def test_for_something_else_under_the_same_key(self, engine: Engine) -> None:
        first = asked(engine, key="a")
        with pytest.raises(IdempotencyKeyReused) as refused:
            asked(engine, "ingest", key="a")
        assert refused.value.job == str(first.id)
        with pytest.raises(IdempotencyKeyReused):
            ask(engine, "retrain", {}, asked_by="planner", asked_at=AT, idempotency_key="a")

    def test_for_what_nobody_can_do(self, engine: Engine) -> None:
        with pytest.raises(BadParameter, match="retrain, ingest"):
            asked(engine, "drop table")

    def test_after_one_that_there_is_not(self, engine: Engine) -> None:
        with pytest.raises(UnknownJob):
            read_job(engine, uuid.uuid4())
        with pytest.raises(UnknownJob):
            cancel(engine, uuid.uuid4(), AT)


class TestClaiming:
    def test_in_the_order_of_asking_one_month_at_a_time(self, engine: Engine) -> None:
        later, first, ingest = (
            asked(engine, minute=2),
            asked(engine, minute=1),
            asked(engine, "ingest", minute=3),
        )
        work = claim_job(engine, ANNA, AT)
        assert work is not None and work.job.id == first.id and work.job.status == "running"
        other = claim_job(engine, BERT, AT)
        assert other is not None and other.job.id == ingest.id  # it disturbs no month
        assert claim_job(engine, BERT, AT) is None
        with connected(engine) as connection:
            leases.finish(connection, work.claim, AT + MINUTE, {"result": {"run": "2026-10-aaaa"}})
        done = read_job(engine, first.id)
        assert (done.status, done.progress, done.result) == ("done", 1.0, {"run": "2026-10-aaaa"})
        assert (done.started_at, done.finished_at) == (AT, AT + MINUTE)
        work = claim_job(engine, BERT, AT)
        assert work is not None and work.job.id == later.id

    def test_a_month_that_was_asked_for_waits_for_the_schedule_s(self, engine: Engine) -> None:
        asked(engine)
        note_due(engine, [Month(2026, 10)])
        assert claim_month(engine, ANNA, AT) is not None
        assert claim_job(engine, BERT, AT) is None

    def test_what_a_dead_worker_left(self, engine: Engine) -> None:
        asked(engine)
        dead, alive = claim_job(engine, GONE, AT), claim_job(engine, BERT, AT)
        assert dead is not None and alive is not None
        with pytest.raises(leases.LeaseLost):
            leases.tell(engine, dead.claim, "fit", 0.4)
        leases.tell(engine, alive.claim, "fit", 0.4)
        job = read_job(engine, alive.job.id)
        assert (job.stage, job.progress) == ("fit", 0.4)


class TestCancelling:
    def test_what_nobody_has_begun(self, engine: Engine) -> None:
        job = cancel(engine, asked(engine).id, AT + MINUTE)
        assert (job.status, job.finished_at) == ("cancelled", AT + MINUTE)
        assert claim_job(engine, ANNA, AT) is None

    def test_what_somebody_is_doing_asks_for_it(self, engine: Engine) -> None:
        asked(engine)
        work = claim_job(engine, ANNA, AT)
        assert work is not None
        job = cancel(engine, work.job.id, AT + MINUTE)
        assert (job.status, job.cancel_requested, job.finished_at) == ("running", True, None)

    def test_what_is_done_stays_done(self, engine: Engine) -> None:
        asked(engine)
        work = claim_job(engine, ANNA, AT)
        assert work is not None
        with connected(engine) as connection:
            leases.finish(connection, work.claim, AT, {"result": {}})
        job = cancel(engine, work.job.id, AT + MINUTE)
        assert (job.status, job.cancel_requested) == ("done", False)
