"""`tonnage audit`: who asked to change or to take out what, and whether that is still as it was written."""

import json
import re
from typing import Annotated

import typer

from tonnage.consoles import screen

BROKEN = 3
_ANCHOR = re.compile(r"([1-9]\d*):([0-9a-f]{64})")

audit = typer.Typer(help="Who asked to change or to take out what.", no_args_is_help=True)


def _anchor(text: str) -> str:
    if not _ANCHOR.fullmatch(text):
        raise typer.BadParameter("write it as verify printed it: NUMBER:HASH")
    return text


@audit.command("list")
def list_entries(
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 50,
    caller: Annotated[str | None, typer.Option(help="Only what this caller asked.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """The newest entries of the audit trail, the newest first."""
    from app.store.audit import read_links
    from app.store.session import still
    from tonnage.audit_screen import link_json, print_links
    from tonnage.stores import Stores

    with still(Stores.for_command().engine) as connection:
        found = read_links(connection, limit, caller=caller)
    if as_json:
        typer.echo(json.dumps([link_json(link) for link in found], ensure_ascii=False, indent=1))
    else:
        print_links(screen, found)


@audit.command()
def verify(
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER:HASH",
            callback=lambda text: None if text is None else _anchor(text),
            help="What an earlier verify printed: the trail up to there must be the same.",
        ),
    ] = None,
) -> None:
    """Walk the audit trail from its beginning, and name the first entry that is not as it was written.

    It prints the number and the hash of the last entry: keep them elsewhere, for only by them can anybody
    tell that the end was cut off, or all of it made anew. Exit code 3 means that the trail is broken.
    """
    from app.store.audit import Anchor, verify
    from app.store.session import still
    from tonnage.audit_screen import print_checked
    from tonnage.stores import Stores

    number, _, own = (anchor or "").partition(":")
    with still(Stores.for_command().engine) as connection:
        checked = verify(connection, None if anchor is None else Anchor(int(number), own))
    print_checked(screen, checked)
    if checked.broken is not None:
        raise typer.Exit(BROKEN)
