"""What a study found, as a file of recipes that tells its own evidence."""

import datetime as dt
import json

from forecasting.hierarchy import level_name
from forecasting.recipe import Recipe
from retrain.tuning import Tuned, named
from retrain.tuning_folds import TuningTask


def tuned_toml(tuned: Tuned, task: TuningTask, snapshot: str, written_at: dt.datetime) -> str:
    """The best recipe in the form of `recipes.toml`: a challenger, its evidence above it in comments."""
    recipe = named(tuned)
    levels = level_name(task.levels[0]) if len(task.levels) == 1 else "all levels"
    first, last = task.origins[0], task.origins[-1]
    comments = [
        f"Written by tonnage tune on {written_at:%Y-%m-%d}: a challenger for the next contest, no promotion.",
        "",
        f"Snapshot {snapshot}.",
        f"Loss: {task.loss}, {levels}, {task.plan.horizon} months ahead.",
        f"Folds: from the ends of {len(task.origins)} months, {first} to {last}. Nothing after "
        f"{task.panel.origin} was looked at:",
        "those are the months that a contest judges.",
        f"Study {json.dumps(task.study)}: {tuned.trials} trials, {tuned.recipes} recipes measured, "
        f"{tuned.failed} failed.",
        *evidence(tuned, task),
    ]
    lines = [f"# {comment}".rstrip() for comment in comments]
    return "\n".join([*lines, f"default = {json.dumps(recipe.name)}", "", *_table(recipe)]) + "\n"


def evidence(tuned: Tuned, task: TuningTask) -> list[str]:
    """What the best recipe lost beside the champion, in sentences."""
    best, champion = tuned.best, tuned.champion
    said = [f"It lost {_share(best.lost, best.demand)} of the demand there."]
    name = task.plan.recipe.name
    if champion is None:
        return [*said, f"The champion {name} could not be judged there."]
    said.append(f"The champion {name} lost {_share(champion.lost, champion.demand)}.")
    if champion.lost > 0:
        said.append(
            f"That is {1 - best.lost / champion.lost:.2%} less, on the folds that chose it: expect less."
        )
    return said


def _share(lost: float, demand: float) -> str:
    return f"{lost / demand:.2%}" if demand > 0 else f"{lost:g}, where there was no demand"


def _table(recipe: Recipe) -> list[str]:
    settings: list[tuple[str, object]] = [
        ("members", list(recipe.members)),
        ("calendar", recipe.calendar),
        ("learned", recipe.learned),
    ]
    if recipe.slow_members:
        settings += [
            ("slow_members", list(recipe.slow_members)),
            ("slow_nodes", recipe.slow_nodes),
            ("slow_seconds", recipe.slow_seconds),
        ]
    # Lists of names, switches and numbers are written alike in JSON and TOML.
    return [f"[recipes.{recipe.name}]", *(f"{name} = {json.dumps(value)}" for name, value in settings)]
