"""The commands that need no database: from a history file to a forecast or a backtest."""

from pathlib import Path
from typing import Annotated

import typer

from tonnage.consoles import aside, screen
from tonnage.options import (
    HistoryArgument,
    HorizonOption,
    KeysOption,
    LevelsOption,
    MonthColumn,
    QuantilesOption,
    QuantityColumn,
    RecipeOption,
    probabilities,
)
from tonnage.progress import stages


def forecast(
    history: HistoryArgument,
    keys: KeysOption,
    output: Annotated[Path, typer.Option(help="Where to write: a .csv or .parquet file.")],
    levels: LevelsOption = None,
    horizon: HorizonOption = 12,
    quantiles: QuantilesOption = "0.1,0.5,0.9",
    month: MonthColumn = "month",
    quantity: QuantityColumn = "quantity",
    recipe: RecipeOption = None,
    paths: Annotated[
        Path | None, typer.Option(help="Also write sample paths of all leaves: a .csv or .parquet file.")
    ] = None,
    path_count: Annotated[int, typer.Option(min=1, max=10_000, help="How many sample paths.")] = 200,
) -> None:
    """Forecast a history file into a forecast file, without any database.

    Rows of the same keys and month add up. The last month in the file is the origin for all series;
    months missing inside count as zero, and before its first row a series did not exist. Sample paths say
    how all leaves may go on together: add them up over any leaves and months and count.
    """
    from forecasting.hierarchy import parse_level
    from retrain.recipes import find_recipe
    from tonnage.file_forecast import FileForecast, forecast_file
    from tonnage.history_file import HistoryColumns, default_levels
    from tonnage.path_file import PathFile

    columns = HistoryColumns(tuple(key.strip() for key in keys.split(",")), month, quantity)
    question = FileForecast(
        history,
        columns,
        default_levels(columns.keys) if levels is None else tuple(map(parse_level, levels.split(";"))),
        horizon,
        probabilities(quantiles),
        find_recipe(recipe),
        None if paths is None else PathFile(paths, path_count),
    )
    with stages(aside, "forecast", 4 if paths is None else 5) as on_stage:
        answer = forecast_file(question, output, on_stage)
    if answer.empty_quantities:
        aside.print(f"{answer.empty_quantities:,} rows had an empty quantity, taken as zero demand")
    screen.print(
        f"{answer.nodes:,} nodes x {horizon} months from {answer.first}, in {answer.seconds:.1f} s: {output}",
        highlight=False,
    )


def backtest(
    history: HistoryArgument,
    keys: KeysOption,
    output: Annotated[
        Path | None, typer.Option(help="A .csv, .json or .html file, or a folder for all three.")
    ] = None,
    levels: LevelsOption = None,
    origins: Annotated[int, typer.Option(min=1, max=120, help="How many past months to forecast from.")] = 5,
    step: Annotated[int, typer.Option(min=1, max=60, help="Months between two origins.")] = 12,
    horizon: HorizonOption = 12,
    quantiles: QuantilesOption = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9",
    month: MonthColumn = "month",
    quantity: QuantityColumn = "quantity",
    recipe: RecipeOption = None,
) -> None:
    """Measure the forecast on a history file: forecast from past months, compare with what came.

    From each origin only what was known then is used. Absolute errors (WAPE, MASE) are those of the
    median, signed and squared ones (bias, RMSSE) those of the mean. Value added is the WAPE of a naive
    forecast less ours. A broken or too short series is listed with its reason.
    """
    from forecasting.forecaster import fit
    from forecasting.hierarchy import parse_level
    from retrain.recipes import find_recipe
    from tonnage.backtest_screen import print_backtest
    from tonnage.file_backtest import FileBacktest, backtest_file
    from tonnage.history_file import HistoryColumns, default_levels

    columns = HistoryColumns(tuple(key.strip() for key in keys.split(",")), month, quantity)
    chosen = find_recipe(recipe)
    question = FileBacktest(
        history,
        columns,
        default_levels(columns.keys) if levels is None else tuple(map(parse_level, levels.split(";"))),
        origins,
        step,
        horizon,
        probabilities(quantiles),
        chosen.name,
    )
    with stages(aside, "backtest", 2 + origins) as on_stage:
        answer = backtest_file(
            question,
            lambda panel, ahead, asked: fit(chosen, panel, ahead).forecast(asked),
            output,
            on_stage,
        )
    if answer.empty_quantities:
        aside.print(f"{answer.empty_quantities:,} rows had an empty quantity, taken as zero demand")
    print_backtest(screen, answer)
