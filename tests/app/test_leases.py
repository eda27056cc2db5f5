"""Whose turn it is: months and jobs are claimed by one worker at a time, and one given up does no harm."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select, text

from app.absences import NothingPublished
from app.errors import DatabaseUnavailable, LeaseLost
from app.refusals import NotToBeRunAgain
from app.store import leases, tables
from app.store.engine import open_engine
from app.store.leases import Claim, Terms
from app.store.periods import claim_month, newest_period, note_due, periods, run_again
from app.store.publish import publish
from app.store.read import reading
from app.store.session import connected
from forecasting.months import Month, months_from
from forecasting.run import ForecastRun

AT = dt.datetime(2026, 11, 4, 5, tzinfo=dt.UTC)
SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)
HOUR, GONE, NO_WAIT = dt.timedelta(hours=1), dt.timedelta(0), dt.timedelta(0)


def terms(worker: str = "anna", lease: dt.timedelta = HOUR, attempts: int = 5) -> Terms:
    return Terms(worker, lease, attempts)


def claim(
    engine: Engine, worker: str = "anna", lease: dt.timedelta = HOUR, attempts: int = 5
) -> Claim | None:
    """The claim on the month that this worker gets; a lease of nothing has run out at once."""
    work = claim_month(engine, terms(worker, lease, attempts), AT)
    return work.claim if work else None


def sure(found: Claim | None) -> Claim:
    assert found is not None
    return found


def status(engine: Engine) -> dict[str, str]:
    return {str(each.month): each.status for each in periods(engine, 99)}


def finish(engine: Engine, own: Claim, run: str = "2026-10-aaaa") -> None:
    with connected(engine) as connection:
        leases.finish(connection, own, AT, {"run_id": run})


class TestAMonth:
    def test_has_one_row_whoever_notes_it(self, engine: Engine) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: note_due(engine, [SEPTEMBER, OCTOBER]), range(8)))
        note_due(engine, [])
        assert status(engine) == {"2026-10": "waiting", "2026-09": "waiting"}
        assert newest_period(engine) == OCTOBER

    def test_is_claimed_once(self, engine: Engine) -> None:
        note_due(engine, [OCTOBER])
        start = threading.Barrier(6)

        def try_to(n: int) -> Claim | None:
            start.wait(20)
            return claim(engine, f"worker {n}")

        with ThreadPoolExecutor(6) as pool:
            claims = [each for each in pool.map(try_to, range(6)) if each]
        assert len(claims) == 1
        assert claims[0].attempt == 1

    def test_waits_for_the_one_before(self, engine: Engine) -> None:
        note_due(engine, [SEPTEMBER, OCTOBER])
        september = sure(claim(engine, "anna"))
        assert september.key["month"] == SEPTEMBER.first_day
        assert claim(engine, "bert") is None
        assert leases.fail(engine, september, terms(), at=AT, wait=HOUR, detail="no network")
        assert claim(engine, "bert") is None  # September rests, and October must not overtake it
        with engine.begin() as connection:
            connection.execute(text("update period set not_before = clock_timestamp()"))
        again = sure(claim(engine, "bert"))
        assert (again.key["month"], again.attempt, again.failures) == (SEPTEMBER.first_day, 2, 1)
        finish(engine, again, "2026-09-aaaa")
        assert sure(claim(engine, "bert")).key["month"] == OCTOBER.first_day

    def test_that_is_given_up_or_refused_lets_the_next_one_by(self, engine: Engine) -> None:
        note_due(engine, months_from(SEPTEMBER, 3))
        assert not leases.fail(
            engine, sure(claim(engine)), terms(attempts=1), at=AT, wait=HOUR, detail="no disk"
        )
        leases.end(engine, sure(claim(engine)), "refused", AT, "a jump")
        assert sure(claim(engine)).key["month"] == (OCTOBER + 1).first_day
        assert status(engine) == {"2026-11": "running", "2026-10": "refused", "2026-09": "failed"}

    def test_is_not_claimed_while_somebody_asked_for_another(self, engine: Engine) -> None:
        note_due(engine, [OCTOBER])
        asked = "insert into job (id, kind, arguments, asked_by, asked_at, status, lease_until) values " + (
            "(gen_random_uuid(), '{}', '{{}}', 'me', now(), 'running', clock_timestamp() + interval '{}')"
        )
        with engine.begin() as connection:
            connection.execute(text(asked.format("ingest", "1 hour")))
            connection.execute(text(asked.format("retrain", "-1 hour")))
            connection.execute(text(asked.format("retrain", "1 hour")))
        assert claim(engine) is None
        with engine.begin() as connection:
            connection.execute(text("delete from job where kind = 'retrain' and lease_until > now()"))
        assert claim(engine) is not None

    def test_that_is_put_back_is_free_at_once_and_has_not_failed(self, engine: Engine) -> None:
        note_due(engine, [OCTOBER])
        leases.put_back(engine, sure(claim(engine)))
        again = sure(claim(engine, "bert"))
        assert (again.attempt, again.failures) == (2, 0)

    def test_can_be_run_again_when_it_ended_in_vain(self, engine: Engine) -> None:
        note_due(engine, [SEPTEMBER, OCTOBER])
        with pytest.raises(NotToBeRunAgain, match="says that it is waiting"):
            run_again(engine, SEPTEMBER)
        with pytest.raises(NotToBeRunAgain, match="has not come to it"):
            run_again(engine, OCTOBER + 1)
        leases.end(engine, sure(claim(engine)), "refused", AT, "a jump")
        run_again(engine, SEPTEMBER)
        leases.end(engine, sure(claim(engine)), "failed", AT, "no disk")
        finish(engine, sure(claim(engine)))
        with pytest.raises(NotToBeRunAgain, match="newer month than 2026-09 is done"):
            run_again(engine, SEPTEMBER)
        assert status(engine) == {"2026-10": "done", "2026-09": "failed"}


def test_who_is_frozen_while_it_claims_does_not_keep_others_from_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_IDLE", "300ms")
    note_due(engine, [OCTOBER])

    def freeze_claiming() -> None:
        with connected(engine) as frozen:
            leases.one_by_one(frozen)
            sure(claim(engine))  # waits until the server has ended the other
            frozen.scalar(select(1))

    with pytest.raises(DatabaseUnavailable):
        freeze_claiming()
    assert status(engine) == {"2026-10": "running"}


class TestALease:
    @pytest.mark.parametrize("ending", ["done", "refused", "failed", "put back"])
    def test_is_over_with_the_work(self, engine: Engine, ending: str) -> None:
        note_due(engine, [OCTOBER])
        own = sure(claim(engine))
        if ending == "done":
            finish(engine, own)
        elif ending == "put back":
            leases.put_back(engine, own)
        else:
            leases.end(engine, own, ending, AT, "a jump")
        before = periods(engine, 9)
        with pytest.raises(LeaseLost):
            leases.renew(engine, own, HOUR)
        with pytest.raises(LeaseLost):
            finish(engine, own, "2026-10-bbbb")
        assert periods(engine, 9) == before

    def test_that_ran_out_is_another_worker_s(self, engine: Engine) -> None:
        note_due(engine, [OCTOBER])
        dead = sure(claim(engine, "anna", GONE))
        alive = sure(claim(engine, "bert"))
        assert (alive.attempt, alive.failures, alive.worker) == (2, 1, "bert")
        for write in (
            lambda: leases.renew(engine, dead, HOUR),
            lambda: leases.tell(engine, dead, "fit", 0.4),
            lambda: leases.end(engine, dead, "refused", AT, "a jump"),
            lambda: leases.fail(engine, dead, terms(), at=AT, wait=NO_WAIT, detail="no disk"),
            lambda: leases.put_back(engine, dead),
            lambda: finish(engine, dead),
        ):
            with pytest.raises(LeaseLost, match="attempt 1 of worker anna"):
                write()
        finish(engine, alive)
        (found,) = periods(engine, 9)
        assert (found.status, found.run, found.worker, found.failures) == ("done", "2026-10-aaaa", "bert", 1)

    def test_is_kept_by_renewing_it_also_late(self, engine: Engine) -> None:
        note_due(engine, [OCTOBER])
        own = sure(claim(engine, "anna", GONE))
        leases.renew(engine, own, HOUR)  # nobody had come meanwhile
        assert claim(engine, "bert") is None

    def test_that_is_renewed_at_the_last_moment_is_kept(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between the look at the row and the claim."""
        note_due(engine, [OCTOBER])
        late = sure(claim(engine, "anna", GONE))
        monkeypatch.setattr(leases, "_cut_off", lambda *_: leases.renew(engine, late, HOUR))
        assert claim(engine, "bert") is None
        leases.tell(engine, late, "fit", 0.4)

    def test_begins_when_it_is_given_not_when_the_transaction_began(self, engine: Engine) -> None:
        """Who had to wait for another claimer gets all of it."""
        note_due(engine, [OCTOBER])
        waiting = text("select exists (select from pg_locks where locktype = 'advisory' and not granted)")
        with ThreadPoolExecutor(1) as pool, engine.begin() as holder:
            leases.one_by_one(holder)
            claiming = pool.submit(claim, engine)
            while not holder.scalar(waiting):
                assert not claiming.done(), "it did not wait"
            begun = holder.scalar(text("select clock_timestamp()"))
            while holder.scalar(text("select clock_timestamp()")) < begun + dt.timedelta(milliseconds=50):
                pass
            holder.commit()
            assert sure(claiming.result(60)).attempt == 1
        with engine.connect() as connection:
            until = connection.scalar(select(tables.period.c.lease_until))
        assert until is not None and until > begun + HOUR + dt.timedelta(milliseconds=50)

    def test_of_a_month_that_kills_its_workers_is_given_only_so_often(self, engine: Engine) -> None:
        note_due(engine, [OCTOBER, OCTOBER + 1])
        for n in range(3):
            assert sure(claim(engine, f"worker {n}", GONE, 3)).attempt == n + 1
        following = sure(claim(engine, "worker 3", HOUR, 3))
        assert following.key["month"] == (OCTOBER + 1).first_day
        found = {str(each.month): each for each in periods(engine, 9)}["2026-10"]
        assert (found.status, found.failures) == ("failed", 3)
        assert found.detail == "worker worker 2 was not heard of any more; it was failure 3 of 3"


class TestAFencedPublish:
    """A worker publishes while another has taken its month: nothing of it may be seen."""

    @staticmethod
    def fence(own: Claim) -> leases.Fence:
        return lambda connection, run: leases.finish(connection, own, AT, {"run_id": run})

    def test_writes_the_period_with_the_run(
        self, engine: Engine, make_run: Callable[..., ForecastRun]
    ) -> None:
        note_due(engine, [OCTOBER])
        assert publish(engine, make_run(), AT, fence=self.fence(sure(claim(engine))))
        (found,) = periods(engine, 9)
        assert (found.status, found.run, found.finished_at) == ("done", "2026-10-aaaa", AT)

    def test_of_a_lost_lease_leaves_nothing(
        self, engine: Engine, make_run: Callable[..., ForecastRun]
    ) -> None:
        note_due(engine, [OCTOBER])
        dead, alive = sure(claim(engine, "anna", GONE)), sure(claim(engine, "bert"))
        with pytest.raises(LeaseLost):
            publish(engine, make_run("2026-10-dead"), AT, fence=self.fence(dead))
        with pytest.raises(NothingPublished), reading(engine) as reader:
            reader.current_run()
        publish(engine, make_run("2026-10-live"), AT, fence=self.fence(alive))
        with pytest.raises(LeaseLost):
            publish(engine, make_run("2026-10-dead"), AT, fence=self.fence(dead))
        with reading(engine) as reader:
            assert reader.current_run().id == "2026-10-live"
        with engine.connect() as connection:
            assert connection.scalars(select(tables.run.c.id)).all() == ["2026-10-live"]

    @pytest.mark.parametrize("frozen_at", ["before the fence", "after the fence"])
    def test_frozen_in_its_transaction_is_cut_off(
        self, engine: Engine, make_run: Callable[..., ForecastRun], frozen_at: str
    ) -> None:
        """It holds the publishers' lock, and perhaps the row: the next one would wait for ever."""
        note_due(engine, [OCTOBER])
        own = open_engine(engine.url.render_as_string(hide_password=False), "anna")
        dead = sure(claim(engine, "anna", GONE))
        frozen, thaw = threading.Event(), threading.Event()

        def freeze(connection: object, run: str) -> None:
            if frozen_at == "after the fence":
                self.fence(dead)(connection, run)  # type: ignore[arg-type]  # it is a connection
            frozen.set()
            assert thaw.wait(60)
            self.fence(dead)(connection, run)  # type: ignore[arg-type]  # it is a connection

        with ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(publish, own, make_run("2026-10-dead"), AT, fence=freeze)
            assert frozen.wait(60)
            alive = sure(claim(engine, "bert"))
            publish(engine, make_run("2026-10-live"), AT, fence=self.fence(alive))
            thaw.set()
            with pytest.raises(DatabaseUnavailable):
                publishing.result(60)
        with pytest.raises(LeaseLost):  # its pool finds back to the database, and finds the row taken
            leases.renew(own, dead, HOUR)
        own.dispose()
        with engine.connect() as connection:
            assert connection.scalars(select(tables.run.c.id)).all() == ["2026-10-live"]
        assert [each.run for each in periods(engine, 9)] == ["2026-10-live"]
