"""Who reads the star for analysts, as people see it."""

import datetime as dt
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.store.mart_grants import MartGrant


def print_grants(console: Console, grants: Sequence[MartGrant]) -> None:
    """One row for each login."""
    if not grants:
        console.print(
            "No login sees anything. Let one in: tonnage mart grant LOGIN --organization NORD",
            highlight=False,
            markup=False,
        )
        return
    table = Table("login", "organizations", "since")
    for grant in grants:
        table.add_row(
            escape(grant.login),
            "all" if grant.organizations is None else escape(", ".join(sorted(grant.organizations))),
            f"{grant.granted_at.astimezone(dt.UTC):%Y-%m-%d %H:%M}",
        )
    console.print(table)
