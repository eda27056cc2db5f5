"""`tonnage tune`: look for a better recipe where no contest will look."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tonnage import clock
from tonnage.consoles import aside, screen
from tonnage.options import ConfigOption
from tonnage.progress import stages

INTERRUPTED = 130


def tune(
    level: Annotated[
        str | None,
        typer.Option(help="The level whose loss counts, for example customer. Default: all."),
    ] = None,
    trials: Annotated[
        int, typer.Option(min=1, help="How many recipes the study asks for, those of earlier calls included.")
    ] = 50,
    timeout: Annotated[
        float | None, typer.Option(min=0.0, metavar="SECONDS", help="Begin no fold after so many seconds.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Give workers side by side different ones.")] = 0,
    output: Annotated[
        Path | None, typer.Option(help="A .toml file. Default: recipes/tuned-….toml in the data folder.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Search for a recipe that would have lost less, on past months that no contest judges.

    The newest snapshot is tuned on. What was measured stays in the database: the same command goes on where
    it was stopped, and others may work on it at the same time. The result is a recipe that a contest may
    take as challenger; it promotes nothing.
    """
    from ingestion.monthly import build_panel
    from ingestion.snapshot_errors import UnknownSnapshot
    from retrain.tuning import open_storage
    from retrain.tuning import tune as search
    from retrain.tuning_folds import tuning_task
    from tonnage.forecast_file import check_output
    from tonnage.tune_report import print_tuned, write_challenger
    from tonnage.wiring import House

    house = House.for_command()
    if output is not None:
        check_output(output, (".toml",))
    rules = house.rules(config)
    snapshot = house.snapshots.newest()
    if snapshot is None:
        raise UnknownSnapshot("newest", house.snapshots.place, 0)
    # Whom the result will have to beat: the plan names only the first.
    champion = house.registry.champion(snapshot.month + 1) or rules.plan.recipe
    plan = replace(rules.plan, recipe=champion)
    panel = build_panel(snapshot, plan.keys, plan.levels)
    task = tuning_task(panel, snapshot.id, plan, rules.policy, level=level, code=house.code)
    moment = clock.now()
    end = None if timeout is None else moment + dt.timedelta(seconds=timeout)
    try:
        with (
            open_storage(house.engine) as storage,
            stages(aside, "tune", trials * len(task.origins)) as on_fold,
        ):
            tuned = search(
                task,
                storage,
                trials=trials,
                seed=seed,
                out_of_time=lambda: end is not None and clock.now() >= end,
                on_fold=on_fold,
            )
    except KeyboardInterrupt:
        aside.print(f"Stopped. What was measured is kept in study {task.study!r}; the same command goes on.")
        raise typer.Exit(INTERRUPTED) from None
    path = write_challenger(tuned, task, snapshot.id, output or house.settings.home / "recipes", moment)
    print_tuned(screen, tuned, task, path)
