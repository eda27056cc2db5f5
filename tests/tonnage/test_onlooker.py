"""What follows from a review: at most one retrain of a month, asked of the workers."""

import datetime as dt
from collections.abc import Callable

import pytest

from app.store.engine import open_engine
from app.store.jobs import jobs
from app.store.migrate import migrate
from forecasting.months import Month
from retrain.drift_policy import DriftPolicy
from retrain.notify import parse_notifications
from retrain.review import Review
from tonnage.notifier import Notifier
from tonnage.onlooker import Onlooker

MOMENT = dt.datetime(2026, 11, 4, 5, tzinfo=dt.UTC)
OCTOBER = Month(2026, 10)


def test_a_retrain_is_asked_for_once_a_month_and_only_where_it_was_decided(
    new_database: Callable[[], str],
) -> None:
    engine = open_engine(new_database())
    migrate(engine)
    onlooker = Onlooker(engine, DriftPolicy(), Notifier(parse_notifications({}, {})), lambda run: False)
    quiet, moved = (Review((), (), (), retrain=decided) for decided in (False, True))
    onlooker.follow(quiet, OCTOBER, MOMENT)
    assert jobs(engine, 9) == []
    for minute in range(3):
        onlooker.follow(moved, OCTOBER, MOMENT + dt.timedelta(minutes=minute))
    onlooker.follow(moved, OCTOBER + 1, MOMENT)
    asked = sorted((job.kind, job.arguments["month"], job.asked_by) for job in jobs(engine, 9))
    assert asked == [("retrain", "2026-10", "drift"), ("retrain", "2026-11", "drift")]
    engine.dispose()


def test_a_month_is_not_undone_because_nobody_can_tell_why_it_differs(
    new_database: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_engine(new_database())
    asked = []

    def explain(run: str) -> bool:
        asked.append(run)
        raise RuntimeError("no such snapshot")

    notifier = Notifier(parse_notifications({}, {}))
    Onlooker(engine, DriftPolicy(), notifier, explain).explain_quietly("2026-10-a")
    assert asked == ["2026-10-a"]
    assert "no such snapshot" in capsys.readouterr().out
    engine.dispose()
