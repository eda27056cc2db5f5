"""What a monitoring system asks: how old forecasts are, how good, whether months run; as Prometheus text."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from app.store.drift_events import DriftEvent
from app.store.selection import PublishedRun
from app.store.stage_times import MonthTimes
from forecasting.hierarchy import Level, level_name


@dataclass(frozen=True)
class Facts:
    """What is known at a moment; what is not known has no line.

    `rejects` are lines set aside in the newest snapshot by reason; `wape` is that of the newest month, as it
    was said a month before.
    """

    now: dt.datetime
    current: PublishedRun | None
    outcomes: Mapping[str, int]
    times: MonthTimes | None
    events: tuple[DriftEvent, ...]
    rejects: Mapping[str, int] | None
    wape: Mapping[Level, float]


def metrics_text(facts: Facts) -> str:
    """The facts in Prometheus' text format, names with the prefix `tonnage`, in base units."""
    registry = CollectorRegistry()
    registry.register(_Collected(tuple(_metrics(facts))))
    return generate_latest(registry).decode()


@dataclass(frozen=True, eq=False)
class _Collected(Collector):
    metrics: tuple[Metric, ...]

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def _metrics(facts: Facts) -> Iterable[Metric]:
    if facts.current is not None:
        origin = dt.datetime.combine((facts.current.origin + 1).first_day, dt.time(), dt.UTC)
        yield _gauge(
            "run_origin_timestamp_seconds",
            "End of the last month of history behind the current run.",
            "run",
            {facts.current.id: origin.timestamp()},
        )
        yield _gauge("run_age_seconds", "Time since then.", "", {"": (facts.now - origin).total_seconds()})
        yield _gauge(
            "run_published_timestamp_seconds",
            "When the current run was published.",
            "",
            {"": facts.current.published_at.timestamp()},
        )
    ended = dict.fromkeys(("published", "repeated", "refused", "failed"), 0) | dict(facts.outcomes)
    yield _gauge("months_run", "Months that were run, by how they ended.", "outcome", ended)
    if facts.times is not None:
        stages = {each.stage: each.seconds for each in facts.times.stages}
        peak = max(each.peak_memory for each in facts.times.stages)
        yield _gauge("stage_seconds", "How long each stage of the last month took.", "stage", stages)
        yield _gauge("month_peak_memory_bytes", "The most that the last month held.", "", {"": peak})
    kinds = {kind: sum(each.kind == kind for each in facts.events) for kind in ("errors", "data")}
    yield _gauge("drift_events_open", "Drift events that are open.", "kind", kinds)
    if facts.rejects is not None:
        what = "Lines that the newest snapshot set aside, by reason."
        yield _gauge("snapshot_rejects_lines", what, "reason", facts.rejects)
    wape = {level_name(level): value for level, value in facts.wape.items()}
    what = "Sum of absolute errors by demand in the newest month."
    yield _gauge("wape_one_month_ahead_ratio", what, "level", wape)


def _gauge(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    """A value for each value of a label, or one value where the label has no name."""
    family = GaugeMetricFamily(f"tonnage_{name}", what, labels=[label] if label else [])
    for each, value in values.items():
        family.add_metric([each] if label else [], value)
    return family
