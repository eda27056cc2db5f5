"""`tonnage accuracy`, `drift` and `metrics`: how the forecasts do, and whether the world moved."""

import json
import sys
from typing import Annotated

import typer

from forecasting.months import Month
from tonnage import clock
from tonnage.consoles import screen

drift = typer.Typer(help="When the world moved: what was seen, and on what evidence.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def accuracy(
    level: Annotated[
        str | None, typer.Option(help="Only this level: keys joined by commas, or total.")
    ] = None,
    first: Annotated[
        Month | None,
        typer.Option("--from", parser=Month.parse, metavar="YYYY-MM", help="First month that came."),
    ] = None,
    last: Annotated[
        Month | None,
        typer.Option("--to", parser=Month.parse, metavar="YYYY-MM", help="Last month that came."),
    ] = None,
    as_json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
) -> None:
    """How earlier published forecasts did, by level and lead month, beside the seasonal naive.

    Each month that came is held against every run that forecast it, with the newest snapshot.
    """
    import polars as pl

    from app.store.scores import read_scores
    from app.store.session import connected
    from forecasting.hierarchy import level_name, parse_level
    from tonnage.accuracy import accuracy_table
    from tonnage.watch_screen import print_accuracy
    from tonnage.wiring import House

    with connected(House.for_command().engine) as connection:
        table = accuracy_table(read_scores(connection, first=first, last=last))
    if level is not None:
        wanted = set(parse_level(level))
        names = [name for name in table["level"].unique() if set(parse_level(name)) == wanted]
        table = table.filter(pl.col("level").is_in(names or [level_name(parse_level(level))]))
    if as_json:
        sys.stdout.write(table.write_json() + "\n")
    elif csv:
        sys.stdout.write(table.write_csv())
    else:
        print_accuracy(screen, table)


@drift.command("list")
def list_events(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are open.")] = False,
    as_json: JsonOption = False,
) -> None:
    """All drift events, the newest first."""
    from app.store.drift_events import read_events
    from app.store.session import connected
    from tonnage.watch_screen import event_json, print_events
    from tonnage.wiring import House

    with connected(House.for_command().engine) as connection:
        events = read_events(connection, only_open=only_open)
    if as_json:
        sys.stdout.write(json.dumps([event_json(each) for each in events], ensure_ascii=False) + "\n")
    else:
        print_events(screen, events)


@drift.command()
def show(
    event: Annotated[str, typer.Argument(help="An event's id, or its beginning.")],
    as_json: JsonOption = False,
) -> None:
    """One drift event: what came, what was expected, and who explains it."""
    from app.store.drift_events import read_events
    from app.store.session import connected
    from tonnage.watch_screen import event_json, pick_event, print_event
    from tonnage.wiring import House

    with connected(House.for_command().engine) as connection:
        found = pick_event(read_events(connection), event)
    if as_json:
        sys.stdout.write(json.dumps(event_json(found), ensure_ascii=False) + "\n")
    else:
        print_event(screen, found)


def metrics() -> None:
    """What a monitoring system asks, as Prometheus text: age, accuracy, drift, rejects, stages."""
    from app.export.metrics import metrics_text
    from tonnage.facts import gather_facts
    from tonnage.stores import Stores

    sys.stdout.write(metrics_text(gather_facts(Stores.for_command(), clock.now())))
