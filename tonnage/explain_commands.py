"""`tonnage runs diff`, `tonnage reproduce` and `tonnage trace`: where published numbers come from."""

import json
from typing import Annotated

import typer

from forecasting.months import Month
from tonnage.consoles import aside, screen
from tonnage.progress import stages
from tonnage.run_commands import JsonOption, RunArgument

DIFFERS = 3


def diff(
    before: RunArgument,
    after: RunArgument,
    level: Annotated[
        str | None,
        typer.Option(
            help="Keys and attributes joined by commas, or total. Default: the last that both have."
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many nodes, the largest changes first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Why two runs say different things of the same months: each node's change in tonnes, by cause.

    Causes are history that changed afterwards, months that came in between, another plan, another recipe and
    other code; they add up to the change. Up to five models are fitted again.
    """
    from forecasting.hierarchy import parse_level
    from retrain.explained import STAGES, explain_runs
    from tonnage.diff_report import chosen_level, diff_json, print_diff
    from tonnage.wiring import House

    house = House.for_command()
    with stages(aside, "diff", len(STAGES)) as on_stage:
        explained = explain_runs(house.engine, house.snapshots, before, after, on_stage=on_stage)
    found = explained.diff
    chosen = chosen_level(found, None if level is None else parse_level(level))
    if chosen is None:
        known = "; ".join(found.nodes["level"].unique(maintain_order=True))
        raise typer.BadParameter(
            f"{level!r} is no level of both runs; there are {known}", param_hint="--level"
        )
    if as_json:
        _say_json(diff_json(explained.before, explained.after, found, level=chosen, top=top))
        return
    print_diff(screen, explained.before, explained.after, found, level=chosen, top=top)


def reproduce(run: RunArgument, as_json: JsonOption = False) -> None:
    """Make a recorded run again from its snapshot, and say whether it is identical, byte for byte.

    Exit code 3 means that it is not: the snapshot is damaged, or the numbers differ; what differs is named.
    """
    from app.store.run_records import run_record
    from app.store.stored_forecast import stored_forecast
    from retrain.reproduce import STAGES
    from retrain.reproduce import reproduce as made_again
    from tonnage.reproduce_report import print_reproduction, reproduction_json
    from tonnage.wiring import House

    house = House.for_command()
    record = run_record(house.engine, run)
    stored = stored_forecast(house.engine, record)
    with stages(aside, "reproduce", len(STAGES)) as on_stage:
        found = made_again(record, stored, house.snapshots, house.code, on_stage=on_stage)
    if as_json:
        _say_json(reproduction_json(found))
    else:
        print_reproduction(screen, found)
    if not found.identical:
        raise typer.Exit(DIFFERS)


def trace(
    run: RunArgument,
    month: Annotated[
        Month,
        typer.Option(parser=Month.parse, metavar="YYYY-MM", help="A month forecast, or one of history."),
    ],
    organization: Annotated[str | None, typer.Option(help="The organization of the node.")] = None,
    customer: Annotated[str | None, typer.Option(help="The customer of the node.")] = None,
    material: Annotated[str | None, typer.Option(help="The material of the node.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A key or attribute of the node; may be repeated."),
    ] = None,
    lines: Annotated[int, typer.Option(min=0, help="How many order lines to show, the newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Walk a number back: its run, recipe and verdict, its snapshot, its months, and their order lines.

    What is given names the node; nothing is the total. A month of history has its own lines, a month that was
    forecast those of all history.
    """
    from retrain.trace import trace as walked_back
    from tonnage.export import read_filters
    from tonnage.trace_report import print_trace, trace_json
    from tonnage.wiring import House

    house = House.for_command()
    keys = {"organization": organization, "customer": customer, "material": material}
    node = read_filters(keys, where or ())
    found = walked_back(house.engine, house.snapshots, run, node, month, most_lines=lines)
    if as_json:
        _say_json(trace_json(found))
    else:
        print_trace(screen, found)


def _say_json(said: dict[str, object]) -> None:
    typer.echo(json.dumps(said, ensure_ascii=False, indent=1))
