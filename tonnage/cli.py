"""The command line: `tonnage COMMAND`.

Exit codes: 0 done or nothing due, 2 your mistake, 3 refused by a guard, 1 our fault.
"""

import atexit
import gc
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.errors import AppError
from forecasting.errors import ForecastingError
from forecasting.months import Month
from ingestion.errors import IngestionError
from ingestion.snapshot_errors import ClosedMonthChanged
from retrain.errors import Refused, RetrainError
from tonnage import clock
from tonnage.audit_commands import audit
from tonnage.closing import command
from tonnage.consoles import aside, screen
from tonnage.demo_command import demo
from tonnage.errors import FrontDoorError
from tonnage.explain_commands import diff, reproduce, trace
from tonnage.file_commands import backtest, forecast
from tonnage.key_commands import keys
from tonnage.mart_commands import mart
from tonnage.model_commands import mlflow
from tonnage.options import AcceptOption, ConfigOption, MonthOption, PortOption, probabilities
from tonnage.progress import log_to, rows_read, stages
from tonnage.run_commands import rollback, runs
from tonnage.snapshot_commands import snapshots
from tonnage.tune_command import tune
from tonnage.watch_commands import accuracy, drift, metrics
from tonnage.worker_commands import schedule, worker

# Each command imports its own rooms when it runs, so that --help and usage errors answer at once.

DONE, OUR_FAULT, YOUR_MISTAKE, REFUSED = 0, 1, 2, 3

app = typer.Typer(
    name="tonnage",
    help="Monthly demand forecasts for steel purchases that add up at every level.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version. The embedded database does it by itself."""
    from tonnage.stores import Stores

    Stores.for_command().migrate()
    screen.print("The database has the schema of this version.")


@app.command()
def ingest(
    month: MonthOption = None,
    config: ConfigOption = None,
    full: Annotated[bool, typer.Option("--full", help="Pull every month, changed or not.")] = False,
    accept: AcceptOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only connect, read ten lines and explain them.")
    ] = False,
) -> None:
    """Take a snapshot of the order lines up to a month, from the sources in the configuration.

    Only what changed since the last snapshot is pulled. The same lines give the same snapshot: a second
    run changes nothing. Exit code 3 means that months which were over have changed; --accept lets that, or
    too many rejects, pass for a reason.
    """
    from tonnage.report import print_snapshot
    from tonnage.source_check import check_sources
    from tonnage.wiring import House

    house = House.for_command()
    if check:
        order = house.order(config)
        check_sources(screen, order)
        return
    moment = clock.now()
    with rows_read(aside, "ingest") as progress:
        snapshot = house.ingest(
            month or clock.last_complete_month(moment),
            house.order(config, full=full, accepted=accept),
            moment=moment,
            progress=progress,
        )
    print_snapshot(screen, snapshot)


@app.command()
def profile(
    snapshot: Annotated[
        str | None, typer.Argument(help="An id, or its beginning. Default: the newest snapshot.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="An .html file. Default: profile-ID.html in this folder.")
    ] = None,
) -> None:
    """Look into a snapshot: its months, gaps, outliers, buyers and classes, as one page.

    The page needs nothing else: send it by mail, open it in any browser.
    """
    from tonnage.profile_file import profile_snapshot
    from tonnage.profile_screen import print_profile
    from tonnage.wiring import House

    print_profile(screen, profile_snapshot(House.for_command().snapshots, snapshot, output))


@app.command()
def retrain(month: MonthOption = None, config: ConfigOption = None, accept: AcceptOption = None) -> None:
    """Run a month: take the snapshot, hold the contest, learn, forecast, publish.

    Running it twice changes nothing the second time. Exit code 3 means that a guard refused the new
    run; it is recorded, and the last one stays.
    """
    from retrain.pipeline import STAGES
    from tonnage.by_hand import witnessed
    from tonnage.report import print_month, print_verdict
    from tonnage.wiring import House

    house = House.for_command()
    moment = clock.now()
    with stages(aside, "retrain", len(STAGES)) as on_stage:
        done = house.retrain(
            month or clock.last_complete_month(moment),
            config,
            accepted=accept,
            moment=moment,
            on_stage=on_stage,
            fence=witnessed("tonnage retrain", accept=accept),
        )
    print_verdict(screen, done.verdict)
    print_month(screen, done, done.run.forecast.hierarchy.levels[0])


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address. Default: TONNAGE_HOST, or 127.0.0.1.")] = None,
    port: PortOption = None,
) -> None:
    """Serve the published forecasts over HTTP until Ctrl-C, to those who hold a key: see tonnage keys."""
    from tonnage.server import serve_until_stopped
    from tonnage.stores import Stores

    serve_until_stopped(Stores.for_command(), host, port)


@app.command()
def export(
    level: Annotated[str, typer.Option(help="Keys and attributes joined by commas, or total.")] = "total",
    organization: Annotated[str | None, typer.Option(help="Only this organization.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    material: Annotated[str | None, typer.Option(help="Only this material.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Only this value of a key or attribute; may be repeated."),
    ] = None,
    first: Annotated[
        Month | None, typer.Option("--from", parser=Month.parse, metavar="YYYY-MM", help="First month.")
    ] = None,
    last: Annotated[
        Month | None, typer.Option("--to", parser=Month.parse, metavar="YYYY-MM", help="Last month.")
    ] = None,
    quantiles: Annotated[str | None, typer.Option(help="For example 0.1,0.5,0.9. Default: all.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="A .csv, .parquet or .xlsx file. Default: CSV on standard output.")
    ] = None,
    shape: Annotated[
        Literal["long", "wide"] | None,
        typer.Option(help="wide: a column for each month. Default: a row for each month."),
    ] = None,
    sep: Annotated[
        Literal[",", ";"] | None, typer.Option(help="Between the cells of CSV. Default: a comma.")
    ] = None,
    decimal: Annotated[
        Literal[".", ","] | None, typer.Option(help="The decimal sign of CSV. Default: a point.")
    ] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin CSV with a byte order mark, for Excel.")] = False,
) -> None:
    """Write the current run's forecasts to a file: the same bytes as GET /v1/forecasts answers."""
    from tonnage.export import Question, read_filters, read_form
    from tonnage.export import export as write_export
    from tonnage.stores import Stores

    keys = {"organization": organization, "customer": customer, "material": material}
    question = Question(
        level=level,
        where=read_filters(keys, where or ()),
        first=first,
        last=last,
        probabilities=None if quantiles is None else probabilities(quantiles),
    )
    form = read_form(output, shape, sep, decimal, bom=bom)
    write_export(Stores.for_command().engine, question, form, output)


app.command()(demo)
app.command()(forecast)
app.command()(backtest)
app.command()(tune)
app.command()(rollback)
app.command()(reproduce)
app.command()(trace)
runs.command()(diff)
app.add_typer(runs, name="runs")
app.command()(worker)
app.command()(schedule)
app.command()(mlflow)
app.command()(accuracy)
app.command()(metrics)
app.add_typer(audit, name="audit")
app.add_typer(snapshots, name="snapshots")
app.add_typer(drift, name="drift")
app.add_typer(keys, name="keys")
app.add_typer(mart, name="mart")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; what went wrong becomes a sentence and an exit code."""
    log_to(sys.stderr)
    # What is imported stays: to look through all of it again, now and at the end, takes a third of a second.
    gc.freeze()
    atexit.register(gc.freeze)
    try:
        with command():
            app(arguments)
    except SystemExit as stop:  # how Typer ends, well or with a usage error
        return int(stop.code or DONE)
    except (Refused, ClosedMonthChanged) as refusal:
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
