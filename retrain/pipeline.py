"""The month, readable as a paragraph."""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from forecasting.forecaster import fit
from forecasting.hierarchy import Level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun
from ingestion.monthly import build_panel
from ingestion.snapshot import Snapshot
from retrain.errors import Refused
from retrain.guard import guard
from retrain.jumps import Bounds, Shown, top_levels
from retrain.plan import Plan

STAGES = ("snapshot", "panel", "fit", "forecast", "publish")


class RunStore(Protocol):
    """Where runs are published."""

    def publish(self, run: ForecastRun, published_at: dt.datetime) -> bool:
        """Show a run; False when it was shown already."""
        ...

    def shown(self, levels: Sequence[Level]) -> Shown:
        """What the run that is shown says of all nodes of these levels; nothing where there is none."""
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
    bounds: Bounds,
    accepted: str | None = None,
) -> RetrainedMonth:
    """Train and publish for `month`. Running it twice changes nothing the second time.

    Raises `Refused` when the guard finds a run that must not be shown, unless a person has accepted that for
    a reason; the run then tells both.
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
    previous = store.shown(top_levels(forecast.hierarchy))
    guarded = guard(forecast, panel, plan.horizon, previous, bounds, accept=accepted)
    because = f"recipe {plan.recipe.name} is the only candidate"
    if guarded.accepted:
        because += f"; shown although {'; '.join(guarded.reasons)}: {guarded.accepted}"
    run = ForecastRun(
        id=f"{month}-{key}",
        forecast=forecast,
        snapshot=snapshot.id,
        model=f"{plan.recipe.name}-{key}",
        unit=snapshot.demand.value,
        because=because,
    )
    if not guarded.shown:
        raise Refused(run.id, list(guarded.reasons))

    on_stage("publish")
    return RetrainedMonth(run, snapshot, panel, store.publish(run, published_at))


def version_key(plan: Plan, snapshot: Snapshot, code_version: str) -> str:
    """Twelve hexadecimal digits that stand for everything a run's numbers come from."""
    content = f"{plan.key}\n{snapshot.id}\n{code_version}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]
