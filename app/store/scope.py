"""Which nodes a caller of some organizations is told of: theirs, at levels that name organization."""

import sqlalchemy as sa

from app.denials import ForeignLevel
from app.store import tables
from app.store.selection import PublishedRun
from forecasting.hierarchy import Level, level_name

_KEY = "organization"

type Scope = frozenset[str] | None
"""Organizations, or None for all."""


def refuse_foreign(scope: Scope, level: Level, run: PublishedRun) -> None:
    """Raise `ForeignLevel` for a level whose nodes sum over organizations, with those that do not."""
    if scope is not None and _KEY not in level:
        raise ForeignLevel(level_name(level), [level_name(other) for other in run.levels if _KEY in other])


def within(scope: Scope) -> sa.ColumnElement[bool]:
    """Whether a node is one that may be told of."""
    return sa.true() if scope is None else tables.node.c[_KEY].in_(sorted(scope))
