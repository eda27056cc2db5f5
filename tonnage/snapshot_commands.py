"""`tonnage snapshots`: what is in the store, what is in a snapshot, how two differ, whether one is whole."""

from typing import Annotated

import typer

from tonnage.consoles import aside, screen
from tonnage.progress import stages

snapshots = typer.Typer(help="List, show, compare, verify and prune snapshots.", no_args_is_help=True)

SnapshotArgument = Annotated[str, typer.Argument(metavar="ID", help="A snapshot's id, or how it begins.")]


@snapshots.command("list")
def list_() -> None:
    """All snapshots, oldest month first."""
    from tonnage.snapshot_report import print_list
    from tonnage.wiring import House

    print_list(screen, House.for_command().snapshots.manifests())


@snapshots.command()
def show(snapshot: SnapshotArgument) -> None:
    """What a snapshot holds: months by source, what was set aside, what changed since the one before."""
    from tonnage.snapshot_report import print_snapshot_whole
    from tonnage.wiring import House

    print_snapshot_whole(screen, House.for_command().snapshots.read(snapshot))


@snapshots.command()
def diff(before: SnapshotArgument, after: SnapshotArgument) -> None:
    """Which months and leaves of one snapshot are not those of another, by how much."""
    from ingestion.difference import differences
    from tonnage.snapshot_report import print_difference
    from tonnage.wiring import House

    store = House.for_command().snapshots
    print_difference(screen, differences(store.read(before), store.read(after)))


@snapshots.command()
def verify(snapshot: SnapshotArgument) -> None:
    """Read all of a snapshot again and compare every hash. Exit code 2 names what is damaged."""
    from tonnage.wiring import House

    found = House.for_command().snapshots.read(snapshot)
    places = found.places()
    with stages(aside, "verify", len(places)) as on_stage:
        for place in places:
            on_stage(f"{place.source} {place.slice}")
            found.read_part(place.part)
    screen.print(f"Snapshot {found.id[:12]} is whole: {len(places):,} parts, every hash is right.")


@snapshots.command()
def prune(
    keep: Annotated[
        int, typer.Option(min=1, metavar="MONTHS", help="Keep the snapshots of this many newest months.")
    ] = 24,
) -> None:
    """Remove old snapshots; those that a published run was made from always stay."""
    from tonnage.wiring import House

    house = House.for_command()
    removed, parts = house.prune(keep)
    screen.print(f"Removed {removed:,} snapshots and {parts:,} parts that no other snapshot needs.")
