"""`tonnage keys`: who may ask the service."""

import datetime as dt
from typing import Annotated

import typer

from tonnage import clock
from tonnage.consoles import aside, screen

keys = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who holds it; no other good key is called the same.")],
    role: Annotated[str, typer.Option(help="viewer, planner, operator or admin.")] = "viewer",
    organization: Annotated[
        list[str] | None,
        typer.Option(
            "--organization", help="Only nodes of this organization; may be repeated. Default: all."
        ),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="90d|YYYY-MM-DD|never", help="After so many days, on that day, or never.")
    ] = "365d",
) -> None:
    """Make a key. It is shown this once and kept nowhere: only its hash is stored.

    The key alone goes to standard output: TONNAGE_KEY=$(tonnage keys create …).
    """
    from app.access.grant import Wish
    from app.store.session import connected
    from tonnage.granting import grant
    from tonnage.stores import Stores

    wish = Wish(name, role, organization, _end(expires))
    with connected(Stores.for_command().engine) as connection:
        key = grant(connection, wish, "tonnage keys create")
    typer.echo(str(key))
    aside.print(
        "Keep it now, nobody can show it again. Send it as: Authorization: Bearer KEY", highlight=False
    )


@keys.command("list")
def list_() -> None:
    """All keys, the newest first: role, organizations, expiry and last use."""
    from app.store.api_keys import list_keys
    from tonnage.key_report import print_keys
    from tonnage.stores import Stores

    print_keys(screen, list_keys(Stores.for_command().engine))


@keys.command()
def revoke(key: Annotated[str, typer.Argument(metavar="ID", help="A key's id, or its name.")]) -> None:
    """Make a key worthless. A service that knows it by heart forgets it within 5 seconds."""
    from app.store.session import connected
    from tonnage.granting import take_back
    from tonnage.stores import Stores

    with connected(Stores.for_command().engine) as connection:
        found = take_back(connection, key, "tonnage keys revoke")
    screen.print(
        f"Revoked {found}. It is refused everywhere within 5 seconds.", markup=False, highlight=False
    )


def _end(expires: str) -> dt.datetime | None:
    """When a key ends, in UTC."""
    if expires == "never":
        return None
    try:
        if expires.endswith("d"):
            return clock.now() + dt.timedelta(days=int(expires[:-1]))
        return dt.datetime.combine(dt.date.fromisoformat(expires), dt.time(), dt.UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{expires!r} is no number of days such as 90d, no date, and not never"
        ) from error
