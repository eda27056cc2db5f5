"""What a run was made by, from what was recorded of it."""

from app.store.run_records import RecordedRun
from retrain.errors import MadeUnknown
from retrain.plan import Plan, plan_of
from retrain.recipes import recipe_of


def recorded_plan(run: RecordedRun) -> Plan:
    """The plan of a run, with its recipe; raises `MadeUnknown` for a run of before version 0.3."""
    if run.plan is None or run.recipe is None:
        raise MadeUnknown(run.id)
    return plan_of(run.plan, recipe_of(run.recipe))
