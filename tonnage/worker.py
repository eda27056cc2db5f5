"""What a worker does when it wakes: the months that are due, then what was asked for, one by one."""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Engine

from app.store.jobs import ClaimedJob, claim_job, read_job
from app.store.leases import RETRAIN, Fence, Terms
from app.store.periods import ClaimedMonth, claim_month, newest_period, note_due
from forecasting.months import Month
from retrain.due import due, due_moment
from retrain.messages import Message, late_message
from retrain.schedule import Schedule
from tonnage.clock import last_complete_month
from tonnage.task import Ending, Task

LATE = dt.timedelta(hours=12)
"""A month that begins so long after it was due is told of: somebody has to look after the workers."""


class Retrain(Protocol):
    """Runs a month and publishes it; the id of the run."""

    def __call__(
        self,
        month: Month,
        *,
        accepted: str | None,
        moment: dt.datetime,
        on_stage: Callable[[str], None],
        fence: Fence,
    ) -> str: ...


class Ingest(Protocol):
    """Takes the snapshot of a month; its id."""

    def __call__(
        self,
        month: Month,
        *,
        accepted: str | None,
        full: bool,
        moment: dt.datetime,
        progress: Callable[[str, int], None],
    ) -> str: ...


@dataclass(frozen=True)
class Ended:
    """What became of a piece of work."""

    what: str
    ending: Ending


@dataclass(frozen=True)
class Worker:
    """One of any number of workers on a database.

    `evict` keeps a worker that was replaced from writing snapshots; `stop` is set when this one is to end.
    """

    engine: Engine
    name: str
    schedule: Callable[[], Schedule]
    retrain: Retrain
    ingest: Ingest
    evict: Callable[[str], None]
    now: Callable[[], dt.datetime]
    tell: Callable[[Message], None]
    stop: threading.Event = field(default_factory=threading.Event)

    def work_off(self) -> list[Ended]:
        """Note what is due, then do all there is to do now that nobody else is doing."""
        schedule = self.schedule()
        terms = Terms(self.name, schedule.lease, schedule.attempts)
        ended = []
        while not self.stop.is_set():
            now = self.now()
            note_due(self.engine, due(now, schedule, newest_period(self.engine)))
            work = claim_month(self.engine, terms, now) or claim_job(self.engine, terms, now)
            if work is None:
                break
            if work.claim.replaced:
                self.evict(work.claim.replaced)
            ended.append(
                self._month(work, terms, due_moment(work.month, schedule))
                if isinstance(work, ClaimedMonth)
                else self._job(work, terms)
            )
        return ended

    def _month(self, work: ClaimedMonth, terms: Terms, due_at: dt.datetime) -> Ended:
        what = f"month {work.month}"
        now = self.now()
        if work.claim.attempt == 1 and now - due_at > LATE:
            self.tell(late_message(work.month, due_at, now))
        task = Task(what, self.engine, work.claim, terms, self.now, self.stop, _of_month)
        return Ended(what, task.run(lambda task: _of_month(self._run(task, work.month, None))))

    def _job(self, work: ClaimedJob, terms: Terms) -> Ended:
        job = work.job
        what = f"job {job.id}"

        def cancelled() -> bool:
            return read_job(self.engine, job.id).cancel_requested

        def do(task: Task) -> Mapping[str, object]:
            asked = job.arguments
            last = last_complete_month(job.asked_at)
            month = Month.parse(asked["month"]) if asked.get("month") else last
            if job.kind == RETRAIN:
                return _of_job(self._run(task, month, asked.get("accept")))
            task.on_stage("snapshot")
            snapshot = self.ingest(
                month,
                accepted=asked.get("accept"),
                full=bool(asked.get("full", False)),
                moment=self.now(),
                progress=lambda source, rows: task.check(),
            )
            return {"result": {"snapshot": snapshot}}

        task = Task(what, self.engine, work.claim, terms, self.now, self.stop, _of_job, cancelled)
        return Ended(what, task.run(do))

    def _run(self, task: Task, month: Month, accepted: str | None) -> str:
        return self.retrain(
            month, accepted=accepted, moment=self.now(), on_stage=task.on_stage, fence=task.fence
        )


def _of_month(run: str) -> Mapping[str, object]:
    return {"run_id": run}


def _of_job(run: str) -> Mapping[str, object]:
    return {"result": {"run": run}}
