"""What the address asks of `/accuracy`: a level, how far ahead, and how many of the last months."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from app.api.accuracy import AccuracyQuery, get_accuracy
from app.api.accuracy_schemas import AccuracyRow
from app.api.parameters import KeyValue
from app.api.sight import CURRENT, find_run
from app.store.run_records import as_published
from app.store.selection import PublishedRun, find_level
from app.store.worst_nodes import MOST_MONTHS
from app.ui import asking
from app.ui.parts import Asked, checked
from forecasting.hierarchy import Level, level_name
from forecasting.months import Month

MONTHS = (3, 6, 12, MOST_MONTHS)
_DEFAULT_MONTHS = 12


class _Query(BaseModel):
    """The names in the address; the level is the finest where none is named."""

    model_config = ConfigDict(frozen=True)

    level: KeyValue | None = None
    lead: Annotated[int, Field(ge=1, le=60)] = 1
    months: Annotated[int, Field(ge=1, le=MOST_MONTHS)] = _DEFAULT_MONTHS


@dataclass(frozen=True)
class Scope:
    """A level of the shown run, a lead, and months up to the run's origin."""

    run: PublishedRun
    level: Level
    lead: int
    months: int

    @property
    def first(self) -> Month:
        return self.run.origin - (self.months - 1)

    @property
    def level_text(self) -> str:
        return level_name(self.level)


def scope_of(connection: Connection, asked: Asked) -> Scope:
    """What is asked, of the run that is shown; raises `BadParameter`, `UnknownLevel`, `NothingPublished`."""
    query = checked(_Query, asked)
    run = as_published(find_run(connection, asking.caller(), CURRENT))
    return Scope(
        run, find_level(run, query.level) if query.level else run.levels[-1], query.lead, query.months
    )


def rows(connection: Connection, scope: Scope, by: str, **filters: str) -> list[AccuracyRow]:
    """The API's rows of these months, parted and filtered further."""
    question = {"by": by, "from": str(scope.first), "to": str(scope.run.origin)} | filters
    return get_accuracy(connection, AccuracyQuery.model_validate(question)).rows
