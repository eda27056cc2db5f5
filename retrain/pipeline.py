"""The month, readable as a paragraph."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from forecasting.forecaster import fit
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun
from ingestion.monthly import build_panel
from ingestion.snapshot import Snapshot
from retrain.errors import Refused
from retrain.guard import reasons_to_refuse
from retrain.plan import Plan

STAGES = ("snapshot", "panel", "fit", "forecast", "publish")


class RunStore(Protocol):
    """Where runs are published."""

    def publish(self, run: ForecastRun, published_at: dt.datetime) -> bool:
        """Show a run; False when it was shown already."""
        ...


@dataclass(frozen=True, eq=False)
class RetrainedMonth:
    """What a month ended with; `published` is False when nothing was left to do."""

    run: ForecastRun
    snapshot: Snapshot
    panel: DemandPanel
    published: bool


def retrain_month(
    month: Month,
    plan: Plan,
    *,
    take_snapshot: Callable[[Month], Snapshot],
    store: RunStore,
    published_at: dt.datetime,
    code_version: str,
    on_stage: Callable[[str], None],
) -> RetrainedMonth:
    """Train and publish for `month`. Running it twice changes nothing the second time.

    Raises `Refused` when a guard finds a run that must not be shown.
    """
    on_stage("snapshot")
    snapshot = take_snapshot(month)
    on_stage("panel")
    panel = build_panel(snapshot, plan.keys, plan.levels)

    on_stage("fit")
    fitted = fit(plan.recipe, panel, plan.horizon)
    on_stage("forecast")
    forecast = fitted.forecast(plan.probabilities)
    key = version_key(plan, snapshot, code_version)
    run = ForecastRun(
        id=f"{month}-{key}",
        forecast=forecast,
        snapshot=snapshot.id,
        model=f"{plan.recipe.name}-{key}",
        unit=snapshot.demand.value,
        because=f"recipe {plan.recipe.name} is the only candidate",
    )
    if reasons := reasons_to_refuse(forecast):
        raise Refused(run.id, reasons)

    on_stage("publish")
    return RetrainedMonth(run, snapshot, panel, store.publish(run, published_at))


def version_key(plan: Plan, snapshot: Snapshot, code_version: str) -> str:
    """Twelve hexadecimal digits that stand for everything a run's numbers come from."""
    content = f"{plan.key}\n{snapshot.id}\n{code_version}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]
