"""Which nodes of which level, for questions without pages."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from app.absences import NothingPublished
from app.api.parameters import KeyValue, refuse_unknown_attributes
from app.store.keys import KEYS
from app.store.selection import PublishedRun, Selection, select_from
from forecasting.hierarchy import level_name


@contextmanager
def misspelling_first(request: Request) -> Iterator[None]:
    """Where there is no run yet that could have attributes, a parameter that is none is told first."""
    try:
        yield
    except NothingPublished:
        refuse_unknown_attributes(request, ())
        raise


class NodeFilter(BaseModel):
    """Which nodes. What no field declares is a filter on an attribute."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, KeyValue]

    level: KeyValue | None = Field(
        default=None,
        description="Keys and attributes joined by commas, in any order, or `total`; the last of the run's "
        "levels if left out.",
        examples=["customer", "organization,material"],
    )
    organization: KeyValue | None = Field(default=None, description="Only this organization.")
    customer: KeyValue | None = Field(default=None, description="Only this customer.", examples=["K-104"])
    material: KeyValue | None = Field(default=None, description="Only this material.")
    limit: int = Field(default=20, ge=1, le=1000, description="Most nodes in the answer.")

    def select(self, request: Request, run: PublishedRun) -> Selection:
        """These nodes of a run; raises what `select_from` does, or `UnknownParameter`."""
        refuse_unknown_attributes(request, run.attributes)
        asked = {key: getattr(self, key) for key in KEYS}
        where = {key: value for key, value in asked.items() if value is not None} | self.__pydantic_extra__
        return select_from(run, level=self.level or level_name(run.levels[-1]), where=where)
