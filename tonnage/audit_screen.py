"""What `tonnage audit` prints."""

import datetime as dt
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.store.audit import Checked, Link


def print_links(console: Console, links: Sequence[Link]) -> None:
    """Entries as a table, in the order given; moments in UTC."""
    table = Table(title="Audit trail, times in UTC", title_justify="left")
    table.add_column("number", justify="right")
    for column in ("at", "caller", "from", "action", "subject", "outcome", "details"):
        table.add_column(column)
    for link in links:
        entry = link.entry
        caller = entry.caller if entry.key is None else f"{entry.caller} (key {entry.key})"
        details = ", ".join(f"{name} {value}" for name, value in sorted(entry.details.items()))
        table.add_row(
            f"{link.number}",
            f"{link.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",
            escape(caller or "stranger"),
            *(escape(text or "") for text in (entry.address, entry.action, entry.subject, entry.outcome)),
            escape(details),
        )
    console.print(table)


def print_checked(console: Console, checked: Checked) -> None:
    """How far the chain holds, and where it ends or breaks."""
    held = f"{checked.entries:,} {'entry holds' if checked.entries == 1 else 'entries hold'}"
    if checked.broken is not None:
        said = f"[bold red]The audit trail is broken[/] at entry {checked.broken.number}: "
        console.print(f"{said}{checked.broken.why}; {held} before it.", highlight=False, soft_wrap=True)
    elif checked.last is None:
        console.print("The audit trail is empty.")
    else:
        anchor = f"{checked.last.number}:{checked.last.hash}"
        console.print(
            f"The audit trail is sound: {held}; the last is {anchor}", highlight=False, soft_wrap=True
        )


def link_json(link: Link) -> dict[str, object]:
    """An entry with its place in the chain, as JSON's own types."""
    place = {"number": link.number, "at": link.at.astimezone(dt.UTC).isoformat()}
    return place | vars(link.entry) | {"previous": link.previous, "hash": link.hash}
