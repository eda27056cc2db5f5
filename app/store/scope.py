"""Which nodes a caller of some organizations is told of: theirs, at levels that name organization."""

from collections.abc import Sequence
from dataclasses import replace

from app.absences import NodeNotInRun
from app.denials import ForeignLevel
from app.store.node_id import NodeId
from app.store.selection import PublishedRun, Selection
from forecasting.hierarchy import Level, level_name

_KEY = "organization"

type Scope = frozenset[str] | None
"""Organizations, or None for all."""


def refuse_foreign(scope: Scope, level: Level, run: PublishedRun) -> None:
    """Raise `ForeignLevel` for a level whose nodes sum over organizations, with those that do not."""
    if scope is not None and _KEY not in level:
        raise ForeignLevel(level_name(level), [level_name(each) for each in levels_told(scope, run)])


def levels_told(scope: Scope, run: PublishedRun) -> list[Level]:
    """The levels of a run whose nodes may be told of, from the top down."""
    return [level for level in run.levels if scope is None or _KEY in level]


def told(scope: Scope, selections: Sequence[Selection]) -> list[Selection]:
    """What of the selections may be told of; raises `ForeignLevel` where no level of them may."""
    if scope is None:
        return list(selections)
    own = [replace(each, scope=scope) for each in selections if _KEY in each.level]
    if not own and selections:
        refuse_foreign(scope, selections[0].level, selections[0].run)
    return own


def check_node(scope: Scope, run: PublishedRun, node: NodeId) -> None:
    """Raise `ForeignLevel` for a node that sums over organizations, `NodeNotInRun` for one of another's."""
    refuse_foreign(scope, node.level, run)
    if scope is not None and node.where[_KEY] not in scope:
        raise NodeNotInRun(str(node), run.id)
