"""What the explorer's address asks for; the browser keeps it (`explorer.js`) and hands it to callbacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from app.absences import NothingOfYours
from app.access.caller import Caller
from app.api.parameters import CURRENT
from app.denials import ForeignLevel
from app.refusals import BadParameter
from app.store.node_id import NodeId
from app.store.read import Reader
from app.store.scope import levels_told
from app.store.selection import PublishedRun, Selection, select_from
from app.store.summaries import Ranking
from forecasting.hierarchy import TOTAL, Level, level_name

LARGE = 20_000
"""So many nodes are in serving order unless asked otherwise: to sort more takes a second."""

type Told = Mapping[str, Any]
"""Parameters as JSON: texts, and lists of texts for filters."""


@dataclass(frozen=True)
class ListAsked:
    """Which nodes the grid shows, of which run; without a level see `first_level`."""

    run: str
    level: str | None
    where: Mapping[str, tuple[str, ...]]
    search: str | None
    ranking: Ranking | None

    @classmethod
    def of(cls, told: Told) -> "ListAsked":
        """From what the browser hands on; raises `BadParameter`."""
        ranking = told.get("sort")
        if ranking is not None and ranking not in get_args(Ranking.__value__):
            raise BadParameter(
                "nothing is sorted so", "sort by nodes, year or -year", field="sort", value=str(ranking)
            )
        where = {
            _text(name): tuple(_text(value) for value in values)
            for name, values in told.get("where", {}).items()
        }
        return cls(
            run=_text(told.get("run") or CURRENT),
            level=told.get("level") or None,
            where=where,
            search=told.get("search") or None,
            ranking=cast("Ranking | None", ranking),
        )

    def select(self, reader: Reader, caller: Caller) -> Selection:
        """What is selected; raises what the API would."""
        run = run_of(reader, self.run)
        levels = [level_name(level) for level in levels_told(caller.organizations, run)]
        if not levels:
            raise ForeignLevel(TOTAL, [])
        level = self.level or first_level(levels)
        return select_from(run, level=level, where=self.where, search=self.search)


@dataclass(frozen=True)
class NodeAsked:
    """Which node is shown, of which run, and with how many earlier forecasts and months of history."""

    run: str
    node: NodeId | None
    history: int
    earlier: int
    by: str | None

    @classmethod
    def of(cls, told: Told) -> "NodeAsked":
        """From what the browser hands on; raises `BadNode` and `BadParameter`."""
        text = told.get("node")
        return cls(
            run=_text(told.get("run") or CURRENT),
            node=None if not text else NodeId.parse(_text(text)),
            history=_count(told, "history", 36, 1200),
            earlier=_count(told, "earlier", 6, 60),
            by=told.get("by") or None,
        )

    def find(self, reader: Reader, caller: Caller) -> tuple[PublishedRun, NodeId]:
        """The run and the node, or the top of what the caller sees; raises what the API would."""
        run = run_of(reader, self.run)
        if self.node is not None:
            return run, self.node
        top = select_from(run, level=level_name(_top(run, caller)), where={})
        found = reader.walk([top], 1).rows
        if not found:
            raise NothingOfYours
        return run, found[0]


def run_of(reader: Reader, name: str) -> PublishedRun:
    """The run of a name; raises `NothingPublished`, `UnknownRun` and `AmbiguousRun`."""
    return reader.current_run() if name == CURRENT else reader.run(name)


def first_level(levels: Sequence[str]) -> str:
    """The level that is listed where none is chosen: the one below the total, where there is one."""
    return levels[1] if levels[0] == TOTAL and len(levels) > 1 else levels[0]


def _top(run: PublishedRun, caller: Caller) -> Level:
    """The highest level that the caller is told of."""
    levels = levels_told(caller.organizations, run)
    if not levels:
        raise ForeignLevel(TOTAL, [])
    return levels[0]


def _count(told: Told, name: str, usual: int, most: int) -> int:
    text = told.get(name)
    if text is None:
        return usual
    if not str(text).isdecimal() or int(text) > most:
        raise BadParameter(
            f"{name} is no number from 0 to {most}", "correct the address", field=name, value=str(text)
        )
    return int(text)


def _text(value: object) -> str:
    """A text that PostgreSQL can hold; raises `BadParameter`."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadParameter(
            "the address holds what is no text", "correct the address", value=repr(value)[:200]
        )
    return value
