"""What people read: the subject, the facts, and what to do next."""

import datetime as dt

import numpy as np
import pytest

from app.store.drift_events import DriftEvent
from app.store.scores import Score
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.run import ForecastRun
from retrain.messages import (
    drift_message,
    failed_message,
    late_message,
    published_message,
    refused_message,
)

OCTOBER = Month(2026, 10)


def event(scope: str) -> DriftEvent:
    words = f"{scope}: demand of 0 t in 2026-10 where 650 t were expected (-100%)."
    return DriftEvent(
        f"2026-10-{scope}", "errors", scope, OCTOBER, "r", 5.0, 3.5, {"words": words}, "retrain"
    )


def test_published(tiny: Hierarchy) -> None:
    mean = tiny.aggregate(np.full((4, 2), 250.0))
    run = ForecastRun(
        "2026-10-a", Forecast(tiny, OCTOBER + 1, mean, (), mean[None][:0]), "s", "m", "t", "it won"
    )
    score = Score("r", (), OCTOBER, 1, 1, 0, 0, 900.0, 900.0, 90.0, 90.0, 99.0, None, (), ())
    found = published_message(run, [score, Score(**{**vars(score), "lead": 2, "absolute_error": 1.0})])
    assert found.subject == "Tonnage 2026-10: forecasts from 2026-11 are published"
    assert found.body == (
        "Run 2026-10-a: it won.\n"
        "2026-11: 1,000 t; the next 2 months together: 2,000 t.\n"
        "2026-10 against what was said a month before, WAPE: total 10.0%.\n"
        "Next: nothing. tonnage accuracy shows how earlier months did."
    )
    assert len(published_message(run).lines) == 3


def test_refused_and_failed() -> None:
    refused = refused_message(OCTOBER, "2026-10-a", ["the total jumps", "it lacks 3 nodes"])
    assert refused.subject == "Tonnage 2026-10: the new run was refused"
    assert refused.lines[1:3] == ("- the total jumps", "- it lacks 3 nodes")
    assert '--accept "why"' in refused.lines[-1]
    failed = failed_message(OCTOBER, "source erp does not answer")
    assert failed.lines[0] == "source erp does not answer"
    assert "Users keep the last run" in failed.body
    assert "Run 2026-10-a is published" in failed_message(OCTOBER, "boom", "2026-10-a").body


def test_late() -> None:
    due = dt.datetime(2026, 11, 4, 6, tzinfo=dt.UTC)
    found = late_message(OCTOBER, due, due + dt.timedelta(hours=26))
    assert found.lines[0] == "It was due at 2026-11-04 06:00 UTC, 26.0 hours ago. A worker begins it now."


@pytest.mark.parametrize(("retrain", "says"), [(True, "a retrain was asked for"), (False, "tonnage retrain")])
def test_drift(retrain: bool, says: str) -> None:
    found = drift_message(OCTOBER, [event("customer K-104"), event("organization NORD")], retrain)
    assert found.subject == "Tonnage 2026-10: drift in customer K-104, organization NORD"
    assert found.lines[0].startswith("- customer K-104: demand of 0 t")
    assert says in found.lines[2]
    assert found.lines[-1] == "All of it: tonnage drift show 2026-10-customer K-104"


def test_many_events_stay_short() -> None:
    found = drift_message(OCTOBER, [event(f"customer with a long name K-{at}") for at in range(9)], False)
    assert len(found.subject) == 120
    assert found.lines[5] == "- and 4 more"
