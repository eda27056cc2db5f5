"""The command line: `tonnage COMMAND`.

Exit codes: 0 done or nothing due, 2 your mistake, 3 refused by a guard, 1 our fault.
"""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.errors import AppError
from forecasting.errors import ForecastingError
from forecasting.months import Month
from ingestion.errors import IngestionError
from retrain.errors import Refused, RetrainError
from tonnage import clock
from tonnage.errors import FrontDoorError
from tonnage.options import (
    ConfigOption,
    HistoryArgument,
    HorizonOption,
    KeysOption,
    LevelsOption,
    MonthColumn,
    MonthOption,
    PortOption,
    QuantilesOption,
    QuantityColumn,
    RecipeOption,
    probabilities,
)
from tonnage.progress import log_to, rows_read, stages

# Each command imports its own rooms when it runs, so that --help and usage errors answer at once.

DONE, OUR_FAULT, YOUR_MISTAKE, REFUSED = 0, 1, 2, 3

# Tables go to standard output; progress and errors go beside it.
_UNCUT = None if sys.stdout.isatty() else 130
screen = Console(width=_UNCUT)
aside = Console(stderr=True, width=_UNCUT)

app = typer.Typer(
    name="tonnage",
    help="Monthly demand forecasts for steel purchases that add up at every level.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command()
def demo(
    serve: Annotated[bool, typer.Option(help="Serve the forecasts afterwards, until Ctrl-C.")] = True,
    port: PortOption = None,
) -> None:
    """Make a steel order book, run a month on it, show the forecast, and serve it.

    Everything happens in the data folder (TONNAGE_HOME, default .tonnage) and in its own database.
    A second run finds what the first one made.
    """
    from retrain.pipeline import STAGES
    from tonnage.demo import MONTH, prepare_demo
    from tonnage.report import print_how_to_ask, print_month, print_snapshot
    from tonnage.server import serve_until_stopped
    from tonnage.wiring import House

    house = House.from_environment()
    with stages(aside, "demo", 1 + len(STAGES)) as on_stage:
        on_stage("order book")
        config = prepare_demo(house)
        month = house.retrain(MONTH, config, moment=clock.now(), on_stage=on_stage)
    print_snapshot(screen, month.snapshot)
    print_month(screen, month, ("organization",))
    print_how_to_ask(screen, port or house.service.port, month.run.forecast.first)
    if serve:
        serve_until_stopped(house, None, port)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version. The embedded database does it by itself."""
    from tonnage.wiring import House

    House.from_environment().migrate()
    screen.print("The database has the schema of this version.")


@app.command()
def ingest(month: MonthOption = None, config: ConfigOption = None) -> None:
    """Take a snapshot of the order lines up to a month, from the sources in the configuration.

    The same lines give the same snapshot: a second run changes nothing.
    """
    from tonnage.report import print_snapshot
    from tonnage.wiring import House

    house = House.from_environment()
    moment = clock.now()
    with rows_read(aside, "ingest") as progress:
        snapshot = house.ingest(
            month or clock.last_complete_month(moment), config, moment=moment, progress=progress
        )
    print_snapshot(screen, snapshot)


@app.command()
def retrain(month: MonthOption = None, config: ConfigOption = None) -> None:
    """Run a month: take the snapshot, learn, forecast, publish.

    Running it twice changes nothing the second time. Exit code 3 means that a guard refused the new
    run; the last one stays.
    """
    from retrain.pipeline import STAGES
    from tonnage.report import print_month
    from tonnage.wiring import House

    house = House.from_environment()
    moment = clock.now()
    with stages(aside, "retrain", len(STAGES)) as on_stage:
        done = house.retrain(
            month or clock.last_complete_month(moment), config, moment=moment, on_stage=on_stage
        )
    print_month(screen, done, done.run.forecast.hierarchy.levels[0])


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address. Default: TONNAGE_HOST, or 127.0.0.1.")] = None,
    port: PortOption = None,
) -> None:
    """Serve the published forecasts over HTTP until Ctrl-C; on this machine only, for now."""
    from tonnage.server import serve_until_stopped
    from tonnage.wiring import House

    serve_until_stopped(House.from_environment(), host, port)


@app.command()
def export(
    level: Annotated[str, typer.Option(help="Keys joined by commas, or total.")] = "total",
    organization: Annotated[str | None, typer.Option(help="Only this organization.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    material: Annotated[str | None, typer.Option(help="Only this material.")] = None,
    first: Annotated[
        Month | None, typer.Option("--from", parser=Month.parse, metavar="YYYY-MM", help="First month.")
    ] = None,
    last: Annotated[
        Month | None, typer.Option("--to", parser=Month.parse, metavar="YYYY-MM", help="Last month.")
    ] = None,
    quantiles: Annotated[str | None, typer.Option(help="For example 0.1,0.5,0.9. Default: all.")] = None,
    output: Annotated[Path | None, typer.Option(help="A .csv file. Default: standard output.")] = None,
) -> None:
    """Write the current run's forecasts as CSV: the same bytes as GET /v1/forecasts?format=csv."""
    from tonnage.export import Question, export_csv
    from tonnage.wiring import House

    where = {"organization": organization, "customer": customer, "material": material}
    question = Question(
        level=level,
        where={key: value for key, value in where.items() if value is not None},
        first=first,
        last=last,
        probabilities=None if quantiles is None else probabilities(quantiles),
    )
    export_csv(House.from_environment().engine, question, output)


@app.command()
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
) -> None:
    """Forecast a history file into a forecast file, without any database.

    Rows of the same keys and month add up. The last month in the file is the origin for all series;
    months missing inside count as zero, and before its first row a series did not exist.
    """
    from forecasting.hierarchy import parse_level
    from retrain.recipes import find_recipe
    from tonnage.file_forecast import FileForecast, forecast_file
    from tonnage.history_file import HistoryColumns, default_levels

    columns = HistoryColumns(tuple(key.strip() for key in keys.split(",")), month, quantity)
    question = FileForecast(
        history,
        columns,
        default_levels(columns.keys) if levels is None else tuple(map(parse_level, levels.split(";"))),
        horizon,
        probabilities(quantiles),
        find_recipe(recipe),
    )
    with stages(aside, "forecast", 4) as on_stage:
        answer = forecast_file(question, output, on_stage)
    if answer.empty_quantities:
        aside.print(f"{answer.empty_quantities:,} rows had an empty quantity, taken as zero demand")
    screen.print(
        f"{answer.nodes:,} nodes x {horizon} months from {answer.first}, in {answer.seconds:.1f} s: {output}",
        highlight=False,
    )


@app.command()
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; what went wrong becomes a sentence and an exit code."""
    log_to(sys.stderr)
    try:
        app(arguments)
    except SystemExit as stop:  # how Typer ends, well or with a usage error
        return int(stop.code or DONE)
    except Refused as refusal:
        _say(refusal)
        return REFUSED
    except (FrontDoorError, ForecastingError, IngestionError, RetrainError, AppError) as mistake:
        _say(mistake)
        return YOUR_MISTAKE
    except Exception:  # noqa: BLE001  # the outermost door: whatever is left is our fault, and is told in full
        traceback.print_exc()
        aside.print("[bold]This is our fault, not yours.[/] Please report it with the lines above.")
        return OUR_FAULT
    return DONE


def _say(error: Exception) -> None:
    aside.print("error:", style="bold red", end=" ")
    aside.print(str(error), markup=False, highlight=False, soft_wrap=True)
