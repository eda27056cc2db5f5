"""Looks on while a month runs: times its stages, reviews what was published, tells people how it ended."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from app.errors import AppError
from app.store.jobs import ask
from app.store.leases import RETRAIN
from app.store.reviews import ReviewTables
from app.store.session import connected
from app.store.stage_times import MonthTimes, keep_times
from forecasting.errors import ForecastingError
from forecasting.months import Month
from ingestion.errors import IngestionError
from retrain.drift_policy import DriftPolicy
from retrain.errors import Refused, RetrainError
from retrain.messages import Message, failed_message, published_message, refused_message
from retrain.pipeline import RetrainedMonth
from retrain.review import Review, review_month
from tonnage import clock
from tonnage.consoles import aside
from tonnage.notifier import Notifier
from tonnage.stage_clock import StageClock, peak_memory

log = structlog.get_logger("tonnage")

# Their messages are written for people and hold no secrets; any other error's may hold anything.
_OURS = (AppError, ForecastingError, IngestionError, RetrainError)


@dataclass(frozen=True)
class Onlooker:
    """Whoever runs a month, by hand or on schedule, runs it under these eyes."""

    engine: sa.Engine
    policy: DriftPolicy
    notifier: Notifier
    explain: Callable[[str], bool]
    """Keeps why a run, by its id, says something else than the one shown before it."""

    def watch(
        self,
        month: Month,
        run: Callable[[Callable[[str], None]], RetrainedMonth],
        *,
        moment: dt.datetime,
        on_stage: Callable[[str], None],
    ) -> RetrainedMonth:
        """Run a month, given a callable that hears of each stage; what it raises is told and raised again."""
        times = StageClock(on_stage, clock.seconds, quiet=aside.is_terminal)
        done: RetrainedMonth | None = None
        try:
            done = run(times.begin)
            times.begin("review")
            review = self.review(done)
            self.follow(review, month, moment)
            times.begin("causes")
            self.explain_quietly(done.run.id)
        except Exception as error:
            outcome = "refused" if isinstance(error, Refused) else "failed"
            self._keep(month, moment, outcome, done, times)
            self.notifier.tell(_told(month, error, done))
            raise
        self._keep(month, moment, "published" if done.published else "repeated", done, times)
        if done.published:
            self.notifier.tell(published_message(done.run, review.scores))
        return done

    def review(self, done: RetrainedMonth) -> Review:
        """Score earlier runs with a published month, and look for drift."""
        tables = ReviewTables(self.engine)
        return review_month(done.run, done.panel, store=tables, policy=self.policy, tell=self._tell)

    def follow(self, review: Review, month: Month, moment: dt.datetime) -> None:
        """Ask the workers to run the month again where a review decided that; once, however often it did."""
        if review.retrain:
            asked = {"month": str(month)}
            ask(
                self.engine,
                RETRAIN,
                asked,
                asked_by="drift",
                asked_at=moment,
                idempotency_key=f"drift {month}",
            )

    def explain_quietly(self, run: str) -> None:
        """Keep why a run says something else; a month is not undone because that cannot be found out."""
        try:
            self.explain(run)
        except Exception as error:  # noqa: BLE001  # whatever it was, tonnage runs diff will say it again
            what = str(error) if isinstance(error, _OURS) else f"{type(error).__name__}: {error}"
            log.warning("causes not kept", run=run, problem=what)

    def _tell(self, message: Message) -> None:
        log.warning(message.occasion, subject=message.subject)
        self.notifier.tell(message)

    def _keep(
        self,
        month: Month,
        moment: dt.datetime,
        outcome: str,
        done: RetrainedMonth | None,
        times: StageClock,
    ) -> None:
        """Log how the month went and store it; where the database is what failed, the log has to do."""
        stages = times.stop()
        if not times.quiet:
            log.info(
                "month",
                month=str(month),
                outcome=outcome,
                seconds=round(sum(each.seconds for each in stages), 3),
                peak_memory=peak_memory(),
                leaves=None if done is None else done.panel.hierarchy.n_leaves,
            )
        run_id = None if done is None else done.run.id
        try:
            with connected(self.engine) as connection:
                keep_times(connection, MonthTimes(moment, month, outcome, run_id, stages))
        except AppError as error:
            log.warning("times not kept", problem=str(error))


def _told(month: Month, error: Exception, done: RetrainedMonth | None) -> Message:
    if isinstance(error, Refused):
        return refused_message(month, error.run, error.reasons)
    what = str(error) if isinstance(error, _OURS) else f"{type(error).__name__}: the log has the rest"
    return failed_message(month, what, None if done is None else done.run.id)
