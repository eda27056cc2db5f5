"""Metrics as Prometheus reads them, and what they come from."""

import datetime as dt

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from app.export.metrics import Facts, metrics_text
from app.store.drift_events import DriftEvent, close_events, keep_events, read_events
from app.store.selection import PublishedRun
from app.store.stage_times import MonthTimes, StageTime, keep_times, last_times, outcomes
from forecasting.months import Month

NOW = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
OCTOBER = Month(2026, 10)
RUN = PublishedRun("2026-10-a", OCTOBER, NOW, "s", "m", "t", "b", 12, ((),), (0.5,))
EVENT = DriftEvent(
    "2026-10-1", "errors", 'customer K "9"', OCTOBER, "2026-10-a", 5.0, 3.5, {"words": "…"}, "retrain"
)
TIMES = MonthTimes(
    NOW, OCTOBER, "published", "2026-10-a", (StageTime("fit", 2.5, 400), StageTime("publish", 0.5, 300))
)


def samples(text: str) -> dict[str, float]:
    return {
        "|".join(
            [sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_everything() -> None:
    facts = Facts(
        now=NOW,
        current=RUN,
        outcomes={"published": 3, "refused": 1},
        times=TIMES,
        events=(EVENT,),
        rejects={"unknown unit": 6, 'a "quoted"\nreason': 1},
        wape={(): 0.05, ("organization", "customer"): 0.4},
    )
    assert samples(metrics_text(facts)) == {
        "tonnage_run_origin_timestamp_seconds|run=2026-10-a": dt.datetime(
            2026, 11, 1, tzinfo=dt.UTC
        ).timestamp(),
        "tonnage_run_age_seconds": 2 * 86400.0,
        "tonnage_run_published_timestamp_seconds": NOW.timestamp(),
        "tonnage_months_run|outcome=published": 3.0,
        "tonnage_months_run|outcome=repeated": 0.0,
        "tonnage_months_run|outcome=refused": 1.0,
        "tonnage_months_run|outcome=failed": 0.0,
        "tonnage_stage_seconds|stage=fit": 2.5,
        "tonnage_stage_seconds|stage=publish": 0.5,
        "tonnage_month_peak_memory_bytes": 400.0,
        "tonnage_drift_events_open|kind=errors": 1.0,
        "tonnage_drift_events_open|kind=data": 0.0,
        "tonnage_snapshot_rejects_lines|reason=unknown unit": 6.0,
        'tonnage_snapshot_rejects_lines|reason=a "quoted"\nreason': 1.0,
        "tonnage_wape_one_month_ahead_ratio|level=total": 0.05,
        "tonnage_wape_one_month_ahead_ratio|level=organization,customer": 0.4,
    }


def test_an_empty_house_has_metrics_too() -> None:
    found = samples(metrics_text(Facts(NOW, None, {}, None, (), None, {})))
    assert set(found.values()) == {0.0}
    assert "tonnage_drift_events_open|kind=errors" in found


def test_times_are_kept_once(engine: Engine) -> None:
    with engine.begin() as connection:
        assert last_times(connection) is None
        keep_times(
            connection, MonthTimes(NOW - dt.timedelta(days=1), OCTOBER, "failed", None, TIMES.stages[:1])
        )
        keep_times(connection, TIMES)
        keep_times(connection, TIMES)
        keep_times(connection, MonthTimes(NOW, OCTOBER, "failed", None, ()))
        assert last_times(connection) == TIMES
        assert outcomes(connection) == {"failed": 1, "published": 1}


def test_one_event_is_open_for_each_scope(engine: Engine) -> None:
    later = DriftEvent(**{**vars(EVENT), "id": "2026-11-1", "opened": OCTOBER + 1})
    other = DriftEvent(**{**vars(EVENT), "id": "2026-10-2", "kind": "data"})
    with engine.begin() as connection:
        assert keep_events(connection, []) == []
        assert keep_events(connection, [EVENT, other]) == [EVENT, other]
        assert keep_events(connection, [EVENT, later]) == []
        assert read_events(connection) == [other, EVENT]
        close_events(connection, [DriftEvent(**{**vars(EVENT), "closed": OCTOBER + 1})])
        close_events(connection, [DriftEvent(**{**vars(EVENT), "closed": OCTOBER + 9})])
        assert keep_events(connection, [later]) == [later]
        assert [each.closed for each in read_events(connection)] == [None, None, OCTOBER + 1]
        assert read_events(connection, only_open=True) == [later, other]
