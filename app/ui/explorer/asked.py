"""What the explorer's address asks for; the browser keeps it (`explorer.js`) and hands it to callbacks."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.absences import NothingOfYours
from app.access.caller import Caller
from app.api.parameters import CURRENT, KeyValue, SearchText, Values
from app.denials import ForeignLevel
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


class ListAsked(BaseModel):
    """Which nodes the grid shows, of which run; without a level see `first_level`."""

    model_config = ConfigDict(frozen=True)

    run: KeyValue = CURRENT
    level: KeyValue | None = None
    where: Mapping[KeyValue, Values] = {}
    search: SearchText | None = None
    sort: Ranking | None = None

    def select(self, reader: Reader, caller: Caller) -> Selection:
        """What is selected; raises what the API would."""
        run = run_of(reader, self.run)
        levels = [level_name(level) for level in levels_of(run, caller)]
        level = self.level or first_level(levels)
        return select_from(run, level=level, where=self.where, search=self.search)


class NodeAsked(BaseModel):
    """Which node is shown, of which run, and with how many earlier forecasts and months of history."""

    model_config = ConfigDict(frozen=True)

    run: KeyValue = CURRENT
    node: KeyValue | None = None
    history: Annotated[int, Field(ge=0, le=1200)] = 36
    earlier: Annotated[int, Field(ge=0, le=60)] = 6
    by: KeyValue | None = None

    def find(self, reader: Reader, caller: Caller) -> tuple[PublishedRun, NodeId]:
        """The run and the node, or the top of what the caller sees; raises what the API would."""
        run = run_of(reader, self.run)
        if self.node is not None:
            return run, NodeId.parse(self.node)
        top = select_from(run, level=level_name(levels_of(run, caller)[0]), where={})
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


def levels_of(run: PublishedRun, caller: Caller) -> list[Level]:
    """The levels that the caller is told of, from the top down; raises `ForeignLevel` where there is none."""
    levels = levels_told(caller.organizations, run)
    if not levels:
        raise ForeignLevel(TOTAL, [])
    return levels
