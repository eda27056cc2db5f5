"""`tonnage runs` and `tonnage rollback`: what was recorded, what is in it, and which one is shown."""

import json
from typing import Annotated

import typer

from tonnage import clock
from tonnage.consoles import screen

runs = typer.Typer(help="List and show what was recorded of every run.", no_args_is_help=True)

RunArgument = Annotated[str, typer.Argument(metavar="ID", help="A run's id, or how it begins.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@runs.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """The newest runs: when each was published, which is shown now, its model, its verdict, refusals."""
    from app.store.run_records import runs as recorded
    from tonnage.run_report import print_list, run_json
    from tonnage.wiring import House

    found = recorded(House.for_command().engine, limit)
    if as_json:
        typer.echo(json.dumps([run_json(run) for run in found], ensure_ascii=False, indent=1))
    else:
        print_list(screen, found)


@runs.command()
def show(run: RunArgument, as_json: JsonOption = False) -> None:
    """Everything that was recorded of a run: what made it, the verdict, the guard's reasons, its showings."""
    from app.store.run_records import run_record
    from tonnage.run_report import print_run, run_json
    from tonnage.wiring import House

    found = run_record(House.for_command().engine, run)
    if as_json:
        typer.echo(json.dumps(run_json(found), ensure_ascii=False, indent=1))
    else:
        print_run(screen, found)


def rollback(run: RunArgument) -> None:
    """Show a run again that was shown before; its recipe is champion again.

    Back or forth, at once and for everybody. Exit code 2 means that there is no such run, or that it was
    never shown; then nothing has changed.
    """
    from tonnage.by_hand import witnessed
    from tonnage.run_report import print_rollback
    from tonnage.wiring import House

    fence = witnessed("tonnage rollback")
    back, before = House.for_command().roll_back(run, moment=clock.now(), fence=fence)
    print_rollback(screen, back, before)
