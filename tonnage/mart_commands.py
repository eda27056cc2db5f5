"""`tonnage mart`: who may read the star for analysts."""

from typing import Annotated

import typer

from tonnage.consoles import screen

mart = typer.Typer(help="Let logins of PostgreSQL read schema mart, as Power BI does.", no_args_is_help=True)

type Login = Annotated[str, typer.Argument(help="A login of PostgreSQL in the role tonnage_mart.")]


@mart.command()
def grant(
    login: Login,
    organization: Annotated[
        list[str] | None,
        typer.Option("--organization", help="Rows of this organization; may be repeated."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All organizations, sums over them and accuracy.")
    ] = False,
) -> None:
    """Have a login see these organizations from now on, in the place of what it saw before.

    An administrator of the database makes the login: create role NAME login password '…' in role tonnage_mart
    """
    from app.store.session import connected
    from tonnage.granting import let_in
    from tonnage.stores import Stores

    if everything == bool(organization):
        raise typer.BadParameter("name organizations, each by --organization, or say --all")
    if not all(organization or ()):
        raise typer.BadParameter("an organization is empty")
    organizations = None if everything else frozenset(organization or ())
    with connected(Stores.for_command().engine) as connection:
        let_in(connection, login, organizations, "tonnage mart grant")
    seen = "all organizations" if organizations is None else ", ".join(sorted(organizations))
    screen.print(f"{login} sees {seen}, and nothing else.", markup=False, highlight=False)


@mart.command("list")
def list_() -> None:
    """Which login sees which organizations; one that is not listed sees nothing."""
    from app.store.mart_grants import list_grants
    from tonnage.mart_report import print_grants
    from tonnage.stores import Stores

    print_grants(screen, list_grants(Stores.for_command().engine))


@mart.command()
def revoke(login: Login) -> None:
    """Have a login see nothing. The login itself is an administrator's to drop."""
    from app.store.session import connected
    from tonnage.granting import keep_out
    from tonnage.stores import Stores

    with connected(Stores.for_command().engine) as connection:
        keep_out(connection, login, "tonnage mart revoke")
    screen.print(f"{login} sees nothing now.", markup=False, highlight=False)
