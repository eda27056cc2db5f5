"""Query parameters of the resources about nodes and series."""

from typing import Literal

from pydantic import Field

from app.api.parameters import (
    LEVEL,
    LEVELS,
    SEARCH,
    Filters,
    KeyValue,
    PageQuery,
    Probabilities,
    RunQuery,
    SearchText,
)


class NodesQuery(PageQuery, Filters):
    """Which nodes, and which page of them."""

    level: KeyValue | None = Field(
        default=None,
        description=f"{LEVEL} A search without it looks at every level that names the filters.",
        examples=LEVELS,
    )
    search: SearchText | None = Field(default=None, description=SEARCH, examples=["heb 2"])


class ChildrenQuery(PageQuery):
    """By what to divide a node."""

    by: KeyValue | None = Field(
        default=None,
        description="A key or attribute; every next finer level of the run if left out.",
        examples=["material"],
    )


class SeriesQuery(RunQuery):
    """How much of a node's past, and in which format."""

    probabilities: Probabilities | None = Field(
        default=None,
        alias="quantiles",
        description="Probabilities joined by commas; all that the run holds if left out. Earlier forecasts "
        "have those of them that their runs hold.",
        examples=["0.1,0.5,0.9"],
    )
    history: int = Field(default=36, ge=0, le=1200, description="Months of history, the last ones.")
    earlier: int = Field(
        default=6, ge=0, le=60, description="Forecasts of runs that were shown before, the latest first."
    )
    format: Literal["json", "csv"] | None = Field(
        default=None, description="Overrules the Accept header, for links and spreadsheets."
    )
