"""API keys as people see them."""

import datetime as dt
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.store.api_keys import ApiKey


def print_keys(console: Console, keys: Sequence[ApiKey]) -> None:
    """One row for each key, those that are good no more among them."""
    if not keys:
        console.print("There are no keys. Make one: tonnage keys create NAME --role viewer", highlight=False)
        return
    table = Table("id", "name", "role", "organizations", "created", "last used", "good until")
    for key in keys:
        table.add_row(
            key.id,
            escape(key.name),
            key.role,
            "all" if key.organizations is None else escape(", ".join(sorted(key.organizations))),
            _moment(key.created_at),
            "never" if key.last_used_at is None else _moment(key.last_used_at),
            _end(key),
            style="dim" if key.expired or key.revoked_at is not None else None,
        )
    console.print(table)


def _end(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {_moment(key.revoked_at)}"
    if key.expires_at is None:
        return "for ever"
    return f"expired {_moment(key.expires_at)}" if key.expired else _moment(key.expires_at)


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
