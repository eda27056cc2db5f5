"""A claim, what is done for it, and how that ends."""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import Connection, Engine

from app.errors import AppError, LeaseLost
from app.store.leases import Claim, Terms, end, fail, finish, put_back
from app.store.session import connected
from forecasting.errors import ForecastingError
from ingestion.errors import IngestionError
from ingestion.snapshot_errors import ClosedMonthChanged
from retrain.errors import Refused, RetrainError
from retrain.pipeline import STAGES
from tonnage.errors import FrontDoorError
from tonnage.heartbeat import Heartbeat
from tonnage.progress import log

type Ending = Literal["done", "refused", "failed", "cancelled", "put back", "lost"]
type Do = Callable[["Task"], Mapping[str, object]]
"""The work itself, which gives the columns to write when it is done."""

FIRST_WAIT, LONGEST_WAIT = dt.timedelta(minutes=1), dt.timedelta(hours=1)
"""How long a month rests after its first failure, four times as long after each further one, at most."""

_TOLD = (FrontDoorError, ForecastingError, IngestionError, RetrainError, AppError)
"""Errors whose message says all there is to say."""


class Stopped(Exception):
    """The worker is to end, and what it is doing can be put back."""


class Cancelled(Exception):
    """Who asked for the job does not want it any more."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Task:
    """A piece of work that this worker has claimed. `outcome` makes of a run what its row says of it."""

    what: str
    engine: Engine
    claim: Claim
    terms: Terms
    now: Callable[[], dt.datetime]
    stop: threading.Event
    outcome: Callable[[str], Mapping[str, object]]
    cancelled: Callable[[], bool] = _never

    @cached_property
    def _heartbeat(self) -> Heartbeat:
        return Heartbeat(self.engine, self.claim, self.terms)

    @cached_property
    def _log(self) -> Any:
        return log.bind(worker=self.claim.worker, work=self.what, attempt=self.claim.attempt)

    def run(self, do: Do) -> Ending:
        """Do it, and write down what became of it."""
        self._log.info("begun")
        try:
            with self._heartbeat:
                ending = self._attempt(do)
        except LeaseLost as lost:
            # Whoever has it now writes down what becomes of it.
            self._log.warning("lost", why=str(lost))
            return "lost"
        self._log.info(ending)
        return ending

    def on_stage(self, stage: str) -> None:
        """Tell of a stage that begins; raises what keeps it from beginning."""
        # What has come to its last stage is sooner done than put back, and what follows that is done.
        if stage != STAGES[-1] and not self._heartbeat.stopped:
            self.check()
        name, _, within = stage.partition(":")
        if not within:
            self._log.info("stage", stage=stage)
        self._heartbeat.stage(stage, STAGES.index(name) / len(STAGES) if name in STAGES else 0.0)

    def check(self) -> None:
        """Raise what keeps the work from going on."""
        self._heartbeat.check()
        if self.stop.is_set():
            raise Stopped
        if self.cancelled():
            raise Cancelled

    def fence(self, connection: Connection, run: str) -> None:
        """Write that the work is done into the transaction that shows its run; raises `LeaseLost`."""
        self._heartbeat.stop()
        finish(connection, self.claim, self.now(), self.outcome(run))

    def _attempt(self, do: Do) -> Ending:
        engine, claim = self.engine, self.claim
        try:
            outcome = do(self)
            if not self._heartbeat.stopped:
                with connected(engine) as connection:
                    finish(connection, claim, self.now(), outcome)
        except LeaseLost:
            raise
        except Stopped:
            put_back(engine, claim)
            return "put back"
        except Cancelled:
            end(engine, claim, "cancelled", self.now(), "cancelled by whoever asked for it")
            return "cancelled"
        except (Refused, ClosedMonthChanged) as refusal:
            self._log.warning("refused", why=str(refusal))
            end(engine, claim, "refused", self.now(), str(refusal))
            return "refused"
        except Exception as error:  # noqa: BLE001  # whatever it was, the worker lives on and tries again
            if self._heartbeat.stopped:
                self._log.error("failed after publishing", why=str(error), exc_info=error)
                return "done"
            self._fail(error)
            return "failed"
        except BaseException:  # the process is told to end
            put_back(engine, claim)
            raise
        return "done"

    def _fail(self, error: Exception) -> None:
        told = isinstance(error, _TOLD)
        detail = str(error) if told else f"{type(error).__name__}: {error}"
        self._log.error("attempt failed", why=detail, exc_info=None if told else error)
        wait = min(FIRST_WAIT * 4**self.claim.failures, LONGEST_WAIT)
        if not fail(self.engine, self.claim, self.terms, at=self.now(), wait=wait, detail=detail):
            self._log.error("given up", failures=self.terms.attempts)
