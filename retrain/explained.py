"""From the ids of two runs to why they differ: reads both, and fits what has to be fitted again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Engine

from app.store.run_changes import Moved, causes_of, keep_causes, shown_before
from app.store.run_records import RecordedRun, run_record
from app.store.session import still
from app.store.stored_forecast import stored_forecast
from forecasting.forecast import Forecast
from forecasting.forecaster import fit
from forecasting.hierarchy import Level
from forecasting.panel import DemandPanel
from ingestion.monthly import build_panel
from ingestion.snapshot_store import SnapshotStore
from retrain.errors import NothingToCompare
from retrain.plan import Plan
from retrain.recorded import recorded_plan
from retrain.registry import CodeIdentity
from retrain.run_diff import CAUSES, RunDiff, Said, Side, explain

STAGES = ("runs", "fit 1", "fit 2", "fit 3", "fit 4", "fit 5")


@dataclass(frozen=True, eq=False)
class Explained:
    """Two recorded runs and why they differ."""

    before: RecordedRun
    after: RecordedRun
    diff: RunDiff


def explain_runs(
    engine: Engine,
    snapshots: SnapshotStore,
    before: str,
    after: str,
    *,
    code: CodeIdentity | None = None,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> Explained:
    """Why the second run says something else than the first; ids, or how they begin.

    Runs that `code`, that of now, has made are taken at their word; without it both are made again. Raises
    `UnknownRun`, `AmbiguousRun`, `MadeUnknown`, `NothingToCompare`, or what is wrong with a snapshot.
    """
    on_stage(STAGES[0])
    records = [run_record(engine, each) for each in (before, after)]
    sides = [_side(engine, snapshots, record) for record in records]
    fits = iter(STAGES[1:])

    def refit(plan: Plan, panel: DemandPanel) -> Forecast:
        on_stage(next(fits))
        # Means do not follow from the quantiles asked for, and quantiles are not compared.
        return fit(plan.recipe, panel, plan.horizon).forecast(())

    trusted = [side for side, record in zip(sides, records, strict=True) if _made_by(code, record)]
    return Explained(records[0], records[1], explain(sides[0], sides[1], refit, trusted=trusted))


def explain_shown(engine: Engine, snapshots: SnapshotStore, run: str, code: CodeIdentity) -> bool:
    """Keep why a run says something else than the one shown before it; False where there is nothing to do.

    Where the history of old has not changed, and neither has the recipe nor the code, nothing is fitted.
    """
    with still(engine) as connection:
        before = shown_before(connection, run)
        if before is None or causes_of(connection, run) is not None:
            return False
    diff = explain_runs(engine, snapshots, before, run, code=code).diff
    return keep_causes(engine, Moved(before, run, diff.months[0], CAUSES, diff.nodes, diff.causes))


def _made_by(code: CodeIdentity | None, run: RecordedRun) -> bool:
    """Whether this very code made a run; changes that no commit has could be any."""
    made = CodeIdentity(run.code_version or "", run.code_commit or "", run.code_lock or "")
    return made == code and "+" not in made.commit


def _side(engine: Engine, snapshots: SnapshotStore, run: RecordedRun) -> Side:
    stored = stored_forecast(engine, run)
    if not stored.whole:
        raise NothingToCompare(f"rows of run {run.id} are missing or changed; look with tonnage reproduce")
    snapshot = snapshots.read(run.snapshot)

    @cache
    def panel(keys: Level, levels: tuple[Level, ...]) -> DemandPanel:
        return build_panel(snapshot, keys, levels)

    said = Said(stored.nodes, run.origin + 1, stored.mean)
    return Side(recorded_plan(run), said, lambda plan: panel(plan.keys, plan.levels))
