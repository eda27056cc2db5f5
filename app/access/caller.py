"""Who is asking, and what they may do and see."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What a caller may do; each may do what those before it may."""

    VIEWER = 1
    """Looks: forecasts, history, accuracy, runs."""
    PLANNER = 2
    """Also asks for forecasts of history of their own."""
    OPERATOR = 3
    """Also asks for months and snapshots to be run, and cancels them."""
    ADMIN = 4
    """Also reads the audit trail."""


@dataclass(frozen=True)
class Caller:
    """Somebody who has shown who they are.

    `organizations` are the only ones whose nodes they see; None means all, and totals over them.
    `key` is the id of the API key that was shown, if it was one.
    """

    name: str
    role: Role
    organizations: frozenset[str] | None
    key: str | None = None
