"""What people do at the command line, for the audit trail: the caller is the operating system's user."""

import getpass
import socket

from sqlalchemy import Connection

from app.store.audit import Detail, Entry, record
from app.store.leases import Fence


def by_hand(action: str, outcome: str, subject: str | None = None, /, **details: Detail) -> Entry:
    """The entry for something that a command does."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        user = "unknown"
    return Entry(
        caller=f"os:{user}",
        action=action,
        outcome=outcome,
        subject=subject,
        address=socket.gethostname(),
        details={name: value for name, value in details.items() if value is not None},
    )


def witnessed(action: str, /, **details: Detail) -> Fence:
    """Writes into the transaction that shows a run who has it shown: without the entry it is not shown."""

    def fence(connection: Connection, run: str) -> None:
        record(connection, by_hand(action, "done", run, **details))

    return fence
