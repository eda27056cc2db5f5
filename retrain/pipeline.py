"""The month, readable as a paragraph."""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.store.lineage import Lineage
from forecasting.forecaster import fit
from forecasting.hierarchy import Level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from forecasting.run import ForecastRun
from ingestion.monthly import build_panel
from ingestion.snapshot import Snapshot
from retrain.contest import Progress, contest_origins, hold_contest
from retrain.errors import Refused
from retrain.folds import FoldStore, Memory
from retrain.guard import Guarded, guard
from retrain.jumps import Bounds, Shown, top_levels
from retrain.plan import Plan, plan_content
from retrain.policy import Policy
from retrain.recipes import recipe_content
from retrain.registry import Candidate, CodeIdentity, Registry
from retrain.snapshot_facts import snapshot_facts
from retrain.verdict import Verdict, judge, opponents, unopposed
from retrain.verdict_page import verdict_json

STAGES = ("snapshot", "panel", "contest", "fit", "forecast", "record", "publish")
"""What `on_stage` is told, in order; after a colon a stage may say where within it the month is."""


class RunStore(Protocol):
    """Where runs are recorded and shown."""

    def publish(self, run: ForecastRun, published_at: dt.datetime, lineage: Lineage) -> bool:
        """Record a run and show it; False when it was shown already."""
        ...

    def record(self, run: ForecastRun, recorded_at: dt.datetime, lineage: Lineage) -> bool:
        """Record a run without showing it; False when it was recorded already."""
        ...

    def shown(self, levels: Sequence[Level]) -> Shown:
        """What the run that is shown says of all nodes of these levels; nothing where there is none."""
        ...

    def accepted(self, run_id: str) -> str | None:
        """The reason that somebody gave for showing this run; None where nobody did."""
        ...


@dataclass(frozen=True)
class Rules:
    """What the configuration says of a month: what to make, who may replace whom, what is not shown."""

    plan: Plan
    policy: Policy
    bounds: Bounds


@dataclass(frozen=True, eq=False)
class RetrainedMonth:
    """What a month ended with; `published` is False when nothing was left to do."""

    run: ForecastRun
    snapshot: Snapshot
    panel: DemandPanel
    verdict: Verdict
    published: bool


def retrain_month(
    month: Month,
    rules: Rules,
    *,
    take_snapshot: Callable[[Month], Snapshot],
    registry: Registry,
    store: RunStore,
    folds: FoldStore,
    published_at: dt.datetime,
    code: CodeIdentity,
    on_stage: Callable[[str], None],
    accepted: str | None = None,
) -> RetrainedMonth:
    """Train, judge and publish for `month`. Running it twice changes nothing the second time.

    Nothing is shown that is not recorded, and the two effects that people see come last. Raises `Refused`
    when the guard finds a run that must not be shown; it is recorded with the reasons. Once somebody has
    accepted that for a reason, the run tells both, and the reason stands.
    """
    on_stage("snapshot")
    snapshot = take_snapshot(month)
    on_stage("panel")
    panel = build_panel(snapshot, rules.plan.keys, rules.plan.levels)

    on_stage("contest")
    champion = registry.champion(month) or rules.plan.recipe
    verdict = _hold(champion, panel, rules, Memory(folds, _text(code)), on_stage)
    plan = replace(rules.plan, recipe=verdict.winner)

    on_stage("fit")
    fitted = fit(plan.recipe, panel, plan.horizon)
    on_stage("forecast")
    forecast = fitted.forecast(plan.probabilities)
    key = version_key(plan, snapshot, code.version)
    run_id = f"{month}-{key}"
    previous = store.shown(top_levels(forecast.hierarchy))
    accepted = accepted or store.accepted(run_id)
    guarded = guard(forecast, panel, plan.horizon, previous, rules.bounds, accept=accepted)
    run = ForecastRun(
        id=run_id,
        forecast=forecast,
        snapshot=snapshot.id,
        model=f"{plan.recipe.name}-{key}",
        unit=snapshot.demand.value,
        because=_because(verdict, guarded),
    )

    on_stage("record")
    models = registry.record(Candidate(run, plan.recipe, panel, verdict, code))
    lineage = replace(
        _lineage(plan, panel, verdict, code, guarded),
        models=models,
        snapshot=snapshot_facts(snapshot.manifest),
    )
    if guarded.reasons:
        # Also where it is accepted: whoever starts again after a crash has no reason of their own.
        store.record(run, published_at, lineage)
    if not guarded.shown:
        raise Refused(run.id, list(guarded.reasons))

    on_stage("publish")
    registry.promote(run.id)
    published = store.publish(run, published_at, lineage)
    return RetrainedMonth(run, snapshot, panel, verdict, published)


def _hold(
    champion: Recipe, panel: DemandPanel, rules: Rules, memory: Memory, on_stage: Callable[[str], None]
) -> Verdict:
    """The contest of a month and its verdict; without a challenger nothing is computed."""
    plan, policy = rules.plan, rules.policy
    challengers = opponents(champion, policy)
    if not challengers:
        return unopposed(champion, policy, plan.levels, plan.horizon)

    def tell(progress: Progress) -> None:
        at = f"{progress.done + 1} of {progress.total}"
        on_stage(f"contest: {progress.recipe} from {progress.origin}, {at}")

    contest = hold_contest(
        [champion, *challengers],
        panel,
        plan.horizon,
        contest_origins(panel, policy.origins, policy.step, plan.horizon),
        plan.probabilities,
        memory=memory,
        on_progress=tell,
    )
    return judge(contest, champion, policy)


def _text(code: CodeIdentity) -> str:
    return "\n".join((code.version, code.commit, code.lock))


def _because(verdict: Verdict, guarded: Guarded) -> str:
    if guarded.accepted is None:
        return verdict.because
    return f"{verdict.because}; shown although {'; '.join(guarded.reasons)}: {guarded.accepted}"


def _lineage(
    plan: Plan, panel: DemandPanel, verdict: Verdict, code: CodeIdentity, guarded: Guarded
) -> Lineage:
    return Lineage(
        recipe=recipe_content(plan.recipe),
        plan=plan_content(plan),
        code_version=code.version,
        code_commit=code.commit,
        code_lock=code.lock,
        verdict=verdict_json(verdict),
        history=panel,
        refused=guarded.reasons,
        accepted=guarded.accepted,
    )


def version_key(plan: Plan, snapshot: Snapshot, code_version: str) -> str:
    """Twelve hexadecimal digits that stand for everything a run's numbers come from.

    The plan's recipe is the one that won: whoever won by another contest makes the same run.
    """
    content = f"{plan.key}\n{snapshot.id}\n{code_version}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]
