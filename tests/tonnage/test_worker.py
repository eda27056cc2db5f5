"""What a worker does when it wakes, with a clock and a month made for the purpose."""

import dataclasses
import datetime as dt
import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import structlog
from sqlalchemy import Engine, text

from app.errors import DatabaseUnavailable
from app.store.engine import open_engine
from app.store.jobs import Job, ask, cancel, read_job
from app.store.leases import Fence
from app.store.periods import Period, note_due, periods, run_again
from app.store.session import connected
from forecasting.months import Month
from ingestion.snapshot_errors import ClosedMonthChanged
from retrain.errors import Refused
from retrain.messages import Message
from retrain.pipeline import STAGES
from retrain.schedule import Schedule
from tonnage.progress import log_to
from tonnage.worker import Worker

AFTERNOON = dt.datetime(2026, 11, 4, 14, tzinfo=dt.UTC)
OCTOBER = Month(2026, 10)


@dataclass
class AMonth:
    """A month of our own making: goes through its stages and shows a run, unless something is to happen."""

    engine: Engine
    happens: Callable[[Month, str], None] = lambda month, stage: None
    runs: list[str] = field(default_factory=list)
    accepted: list[str | None] = field(default_factory=list)

    def __call__(
        self,
        month: Month,
        *,
        accepted: str | None,
        moment: dt.datetime,
        on_stage: Callable[[str], None],
        fence: Fence,
    ) -> str:
        self.accepted.append(accepted)
        for stage in STAGES:
            on_stage(stage)
            self.happens(month, stage)
        with connected(self.engine) as connection:
            fence(connection, f"{month}-aaaa")
        self.runs.append(f"{month}-aaaa")
        return f"{month}-aaaa"


@pytest.fixture(autouse=True)
def logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    log_to(stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def database(new_migrated: Callable[[], str]) -> Iterator[Engine]:
    engine = open_engine(new_migrated())
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database: Engine) -> Engine:
    with database.begin() as connection:
        connection.execute(text("delete from period"))
        connection.execute(text("delete from job"))
    return database


@pytest.fixture
def month(engine: Engine) -> AMonth:
    return AMonth(engine)


def ingest(
    month: Month,
    *,
    accepted: str | None,
    full: bool,
    moment: dt.datetime,
    progress: Callable[[str, int], None],
) -> str:
    progress("erp", 1000)
    return f"snapshot of {month}, {accepted}, {full}"


@pytest.fixture
def worker(engine: Engine, month: AMonth) -> Worker:
    return Worker(
        engine,
        "anna",
        Schedule,
        month,
        ingest,
        lambda replaced: None,
        lambda: AFTERNOON,
        lambda message: None,
    )


def endings(worker: Worker) -> list[str]:
    return [each.ending for each in worker.work_off()]


def known(engine: Engine) -> dict[str, Period]:
    return {str(each.month): each for each in periods(engine, 99)}


def rested(engine: Engine) -> None:
    """The wait after a failure is over."""
    with engine.begin() as connection:
        connection.execute(text("update period set not_before = clock_timestamp()"))
        connection.execute(text("update job set not_before = clock_timestamp()"))


def nothing_more(engine: Engine) -> bool:
    with engine.connect() as connection:
        return (
            connection.scalar(text("select count(*) from period where status in ('waiting', 'running')")) == 0
        )


class TestMonths:
    def test_that_begin_late_are_told_of_once(self, worker: Worker, month: AMonth, engine: Engine) -> None:
        told: list[Message] = []

        def lost(month: Month, stage: str) -> None:
            raise DatabaseUnavailable

        month.happens = lost
        late = dataclasses.replace(worker, tell=told.append, now=lambda: AFTERNOON + dt.timedelta(hours=9))
        assert endings(late) == ["failed"]
        rested(engine)
        assert endings(late) == ["failed"]
        assert [each.subject for each in told] == ["Tonnage 2026-10: the month is late"]

    def test_that_begin_in_time_are_not_told_of(self, worker: Worker, month: AMonth) -> None:
        told: list[Message] = []
        assert endings(dataclasses.replace(worker, tell=told.append)) == ["done"]
        assert told == []

    def test_the_first_time_the_newest_and_only_once(
        self, worker: Worker, month: AMonth, engine: Engine
    ) -> None:
        assert endings(worker) == ["done"]
        assert endings(worker) == []
        assert month.runs == ["2026-10-aaaa"]
        found = known(engine)["2026-10"]
        assert (found.status, found.run, found.stage) == ("done", "2026-10-aaaa", STAGES[-1])
        assert (found.started_at, found.finished_at) == (AFTERNOON, AFTERNOON)

    def test_not_before_their_time(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        note_due(engine, [OCTOBER])
        worker.work_off()
        december = dt.datetime(2026, 12, 3, 5, 59, 59, tzinfo=dt.UTC)
        assert endings(dataclasses.replace(worker, now=lambda: december)) == []
        later = dataclasses.replace(worker, now=lambda: december + dt.timedelta(seconds=1))
        assert endings(later) == ["done"]
        assert month.runs == ["2026-10-aaaa", "2026-11-aaaa"]

    def test_after_an_outage_the_oldest_first(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        note_due(engine, [Month(2026, 7)])
        assert endings(worker) == ["done"] * 4
        assert month.runs == [f"2026-{number:02d}-aaaa" for number in (7, 8, 9, 10)]

    def test_a_failure_is_tried_again_after_a_wait(
        self, worker: Worker, engine: Engine, month: AMonth
    ) -> None:
        month.happens = fail_at("fit")
        assert endings(worker) == ["failed"]
        found = known(engine)["2026-10"]
        assert (found.status, found.detail) == ("waiting", "RuntimeError: no memory")
        assert endings(worker) == []  # it rests
        rested(engine)
        month.happens = fail_at("nothing")
        assert endings(worker) == ["done"]
        found = known(engine)["2026-10"]
        assert (found.status, found.detail, found.attempt, found.failures) == ("done", None, 2, 1)

    def test_each_wait_is_longer(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        month.happens = fail_at("fit")
        minutes = []
        for _ in range(5):
            assert endings(worker) == ["failed"]
            with engine.connect() as connection:
                wait = connection.scalar(text("select not_before - clock_timestamp() from period"))
            minutes.append(None if wait is None else round(wait.total_seconds() / 60))
            rested(engine)
        assert minutes[:4] == [1, 4, 16, 60]
        found = known(engine)["2026-10"]
        assert (found.status, found.failures, found.finished_at) == ("failed", 5, AFTERNOON)
        assert endings(worker) == []

    def test_given_up_can_be_run_again(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        month.happens = fail_at("fit")
        assert endings(dataclasses.replace(worker, schedule=lambda: Schedule(attempts=1))) == ["failed"]
        month.happens = fail_at("nothing")
        assert endings(worker) == []
        run_again(engine, OCTOBER)
        assert endings(worker) == ["done"]

    @pytest.mark.parametrize("refusal", [Refused("2026-10-aaaa", ["gaps"]), ClosedMonthChanged([], 0.1, "t")])
    def test_a_refusal_is_final(
        self, worker: Worker, engine: Engine, month: AMonth, refusal: Exception
    ) -> None:
        def refuse(month: Month, stage: str) -> None:
            if stage == "forecast":
                raise refusal

        month.happens = refuse
        assert endings(worker) == ["refused"]
        assert endings(worker) == []
        found = known(engine)["2026-10"]
        assert (found.status, found.failures) == ("refused", 0)
        assert found.detail == str(refusal)


def test_a_failure_is_logged_without_what_variables_held(
    worker: Worker, month: AMonth, logged: io.StringIO
) -> None:
    def happens(month: Month, stage: str) -> None:
        password = "right@secret"
        raise RuntimeError(f"a password of {len(password)} characters")

    month.happens = happens
    assert endings(worker) == ["failed"]
    told = logged.getvalue()
    assert "Traceback" in told and "12 characters" in told
    assert "right@secret" not in told


def fail_at(stage: str) -> Callable[[Month, str], None]:
    def happens(month: Month, now: str) -> None:
        if now == stage:
            raise RuntimeError("no memory")

    return happens


class TestSeveral:
    def test_run_each_month_once(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        note_due(engine, [Month(2025, 3)])
        schedule = Schedule(catch_up=19)
        team = [dataclasses.replace(worker, name=f"worker {n}", schedule=lambda: schedule) for n in range(5)]

        def work(one: Worker) -> None:
            for _ in range(5_000):
                one.work_off()
                if nothing_more(engine) and len(known(engine)) == 20:
                    return

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(work, team))
        assert month.runs == [f"{Month(2025, 3) + n}-aaaa" for n in range(20)]
        assert [each.status for each in periods(engine, 99)] == ["done"] * 20

    def test_a_frozen_one_is_replaced_and_does_no_harm_when_it_wakes(
        self, worker: Worker, engine: Engine, month: AMonth
    ) -> None:
        """Frozen: no heartbeat, and no lease any more; the other does the month meanwhile."""
        other = AMonth(engine)

        def freeze(month: Month, stage: str) -> None:
            if stage == STAGES[-1]:
                with engine.begin() as connection:
                    connection.execute(text("update period set lease_until = clock_timestamp()"))
                assert endings(dataclasses.replace(worker, name="bert", retrain=other)) == ["done"]

        month.happens = freeze
        assert endings(worker) == ["lost"]
        assert (month.runs, other.runs) == ([], ["2026-10-aaaa"])
        found = known(engine)["2026-10"]
        assert (found.status, found.worker, found.attempt, found.failures) == ("done", "bert", 2, 1)

    def test_who_lost_its_lease_stops_at_the_next_stage(
        self, worker: Worker, engine: Engine, month: AMonth
    ) -> None:
        seen: list[str] = []

        def lose(month: Month, stage: str) -> None:
            seen.append(stage)
            with engine.begin() as connection:
                connection.execute(text("update period set attempt = attempt + 1"))

        month.happens = lose
        assert endings(worker) == ["lost"]
        assert seen == [STAGES[0]]

    def test_the_lease_is_renewed_during_a_long_stage(
        self, worker: Worker, engine: Engine, month: AMonth
    ) -> None:
        def wait_for_beats(month: Month, stage: str) -> None:
            if stage != "fit":
                return
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                first = connection.scalar(text("select lease_until from period"))
                for _ in range(100):  # ten leases
                    if connection.scalar(text("select lease_until from period, pg_sleep(0.2)")) > first:
                        return
            raise AssertionError("no heartbeat")

        month.happens = wait_for_beats
        short = dataclasses.replace(worker, schedule=lambda: Schedule(lease=dt.timedelta(seconds=2)))
        assert endings(short) == ["done"]


class TestStopping:
    def test_puts_back_what_it_does(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        month.happens = lambda month, stage: worker.stop.set() if stage == "fit" else None
        assert endings(worker) == ["put back"]
        assert endings(worker) == []
        found = known(engine)["2026-10"]
        assert (found.status, found.failures, found.stage) == ("waiting", 0, "fit")
        month.happens = fail_at("nothing")
        assert endings(dataclasses.replace(worker, name="bert", stop=threading.Event())) == ["done"]

    def test_ends_what_has_come_to_its_last_stage(
        self, worker: Worker, engine: Engine, month: AMonth
    ) -> None:
        month.happens = lambda month, stage: worker.stop.set() if stage == STAGES[-2] else None
        assert endings(worker) == ["done"]
        assert known(engine)["2026-10"].status == "done"

    def test_an_exit_puts_back_and_goes_on(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        def leave(month: Month, stage: str) -> None:
            raise SystemExit(0)

        month.happens = leave
        with pytest.raises(SystemExit):
            worker.work_off()
        assert known(engine)["2026-10"].status == "waiting"


class TestJobs:
    @pytest.fixture(autouse=True)
    def no_month_due(self, engine: Engine, worker: Worker) -> None:
        worker.work_off()

    @staticmethod
    def asked(engine: Engine, kind: str = "retrain", **arguments: object) -> Job:
        return ask(engine, kind, arguments, asked_by="planner", asked_at=AFTERNOON)

    def test_a_month_that_somebody_asked_for(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        job = self.asked(engine, month="2026-09", accept="the ERP was moved")
        assert endings(worker) == ["done"]
        found = read_job(engine, job.id)
        assert (found.status, found.result, found.progress) == ("done", {"run": "2026-09-aaaa"}, 1.0)
        assert month.accepted == [None, "the ERP was moved"]
        assert [str(each.month) for each in periods(engine, 9)] == ["2026-10"]

    def test_by_default_the_last_month_that_was_over_when_it_was_asked_for(
        self, worker: Worker, engine: Engine, month: AMonth
    ) -> None:
        self.asked(engine)
        later = dataclasses.replace(worker, now=lambda: AFTERNOON + dt.timedelta(days=27))
        assert endings(later) == ["done"]
        assert month.runs[-1] == "2026-10-aaaa"

    def test_a_snapshot(self, worker: Worker, engine: Engine) -> None:
        job = self.asked(engine, "ingest", month="2026-10", full=True, accept="yes")
        assert endings(worker) == ["done"]
        assert read_job(engine, job.id).result == {"snapshot": "snapshot of 2026-10, yes, True"}

    def test_cancelled_while_it_is_done(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        job = self.asked(engine)

        def change_my_mind(month: Month, stage: str) -> None:
            if stage == "panel":
                cancel(engine, job.id, AFTERNOON)

        month.happens = change_my_mind
        assert endings(worker) == ["cancelled"]
        found = read_job(engine, job.id)
        assert (found.status, found.stage, found.result) == ("cancelled", "panel", None)
        assert len(month.runs) == 1

    def test_that_nobody_can_read(self, worker: Worker, engine: Engine) -> None:
        job = self.asked(engine, month="October")
        assert endings(worker) == ["failed"]
        assert "'October'" in str(read_job(engine, job.id).detail)

    def test_months_that_are_due_come_first(self, worker: Worker, engine: Engine, month: AMonth) -> None:
        self.asked(engine, month="2026-05")
        later = dataclasses.replace(worker, now=lambda: AFTERNOON + dt.timedelta(days=31))
        assert endings(later) == ["done", "done"]
        assert month.runs[1:] == ["2026-11-aaaa", "2026-05-aaaa"]


def test_without_a_database_the_worker_says_so(month: AMonth) -> None:
    nowhere = open_engine("postgresql://me@127.0.0.1:1/tonnage")
    with pytest.raises(DatabaseUnavailable):
        Worker(
            nowhere,
            "anna",
            Schedule,
            month,
            ingest,
            lambda replaced: None,
            lambda: AFTERNOON,
            lambda message: None,
        ).work_off()
