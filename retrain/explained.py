"""From the ids of two runs to why they differ: reads both, and fits what has to be fitted again."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from app.store.run_records import RecordedRun, run_record
from app.store.stored_forecast import stored_forecast
from forecasting.forecast import Forecast
from forecasting.forecaster import fit
from forecasting.panel import DemandPanel
from ingestion.monthly import build_panel
from ingestion.snapshot_store import SnapshotStore
from retrain.errors import NothingToCompare
from retrain.plan import Plan
from retrain.recorded import recorded_plan
from retrain.run_diff import RunDiff, Said, Side, explain

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
    on_stage: Callable[[str], None] = lambda stage: None,
) -> Explained:
    """Why the second run says something else than the first; ids, or how they begin.

    Raises `UnknownRun`, `AmbiguousRun`, `MadeUnknown`, `NothingToCompare`, or what is wrong with a snapshot.
    """
    on_stage(STAGES[0])
    records = [run_record(engine, each) for each in (before, after)]
    sides = [_side(engine, snapshots, record) for record in records]
    fits = iter(STAGES[1:])

    def refit(plan: Plan, panel: DemandPanel) -> Forecast:
        on_stage(next(fits))
        # Means do not follow from the quantiles asked for, and quantiles are not compared.
        return fit(plan.recipe, panel, plan.horizon).forecast(())

    return Explained(records[0], records[1], explain(sides[0], sides[1], refit))


def _side(engine: Engine, snapshots: SnapshotStore, run: RecordedRun) -> Side:
    stored = stored_forecast(engine, run)
    if not stored.whole:
        raise NothingToCompare(f"rows of run {run.id} are missing or changed; look with tonnage reproduce")
    snapshot = snapshots.read(run.snapshot)

    def panel(plan: Plan) -> DemandPanel:
        return build_panel(snapshot, plan.keys, plan.levels)

    return Side(recorded_plan(run), Said(stored.nodes, run.origin + 1, stored.mean), panel)
