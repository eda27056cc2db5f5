"""What the command line prints and writes about a study."""

import datetime as dt
from pathlib import Path

from rich.console import Console

from retrain.tuned_recipe import evidence, tuned_toml
from retrain.tuning import Tuned, named
from retrain.tuning_folds import TuningTask
from tonnage.forecast_file import check_output, write_whole


def write_challenger(
    tuned: Tuned, task: TuningTask, snapshot: str, output: Path, written_at: dt.datetime
) -> Path | None:
    """Write the best recipe to a file, or into a folder by its name; None where the champion is best."""
    if champion_stays(tuned, task):
        return None
    path = output
    if output.suffix != ".toml":
        output.mkdir(parents=True, exist_ok=True)
        path = output / f"{named(tuned).name}.toml"
    check_output(path, (".toml",))
    text = tuned_toml(tuned, task, snapshot, written_at)
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))
    return path


def champion_stays(tuned: Tuned, task: TuningTask) -> bool:
    """Whether the champion is the best one that was tried."""
    return tuned.champion is not None and tuned.champion.recipe == tuned.best.recipe


def print_tuned(console: Console, tuned: Tuned, task: TuningTask, path: Path | None) -> None:
    """What was found, and how to let it take part in a contest."""
    console.print(
        f"Recipes asked for: {tuned.trials}, measured: {tuned.recipes}, failed: {tuned.failed}, "
        f"from the ends of {len(task.origins)} months, {task.origins[0]} to {task.origins[-1]}",
        highlight=False,
        soft_wrap=True,
    )
    best = named(tuned)
    if path is None:
        console.print(f"None lost less than the champion, {task.plan.recipe.name}: no file is written.")
        return
    switches = [name for name in ("calendar", "learned") if getattr(best, name)]
    parts = [*best.members, *best.slow_members, *switches]
    console.print(f"[bold]{best.name}[/]: {', '.join(parts)}", highlight=False, soft_wrap=True)
    for sentence in evidence(tuned, task):
        console.print(sentence, highlight=False, soft_wrap=True)
    console.print("Let it take part in the next contest, in tonnage.toml:", style="bold")
    console.print(
        f'  [contest]\n  challengers = ["{path}:{best.name}"]', markup=False, highlight=False, soft_wrap=True
    )
