"""Query parameters: read here, trusted behind."""

import datetime as dt
import re
from typing import Annotated, Any, Literal

from fastapi import Request
from fastapi.openapi.utils import get_openapi
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from app.refusals import RepeatedParameter, UnknownParameter
from app.store.cells import Separator
from app.store.keys import KEYS
from app.store.row_text import Point, Shape
from app.store.selection import Sort
from forecasting.errors import BadMonth
from forecasting.hierarchy import TOTAL, Level
from forecasting.months import Month

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except BadMonth as error:
        raise ValueError(str(error)) from None


def _moment(text: str) -> dt.datetime:
    """A moment in UTC; a day means its end."""
    try:
        if _DAY.fullmatch(text):
            return dt.datetime.combine(dt.date.fromisoformat(text), dt.time.max, dt.UTC)
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("write a day as 2026-11-05 or a moment as 2026-11-05T06:00Z, and + as %2B")


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _probabilities(text: str) -> tuple[float, ...]:
    try:
        probabilities = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError("write numbers joined by commas, for example 0.1,0.5,0.9") from None
    if not all(0 < probability < 1 for probability in probabilities):
        raise ValueError("quantiles lie between 0 and 1, for example 0.1,0.5,0.9")
    if len(set(probabilities)) != len(probabilities):
        raise ValueError("a quantile is named twice; name each once")
    return probabilities


MonthText = Annotated[
    Month, PlainValidator(_month), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}$"})
]
# A lazy alias, for FastAPI takes a bare tuple to mean a parameter that is repeated.
type Probabilities = Annotated[
    tuple[float, ...], PlainValidator(_probabilities), WithJsonSchema({"type": "string"})
]
# PostgreSQL text holds every character but NUL.
KeyValue = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00]+$")]
Moment = Annotated[
    dt.datetime,
    PlainValidator(_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}),
]
Values = tuple[KeyValue, ...]
SearchText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
SEARCH = "A part of a key or of an attribute, whatever its case."


# OpenAPI's way to say that further parameters are named by the data: an object, spread out.
ATTRIBUTES: dict[str, Any] = {
    "parameters": [
        {
            "name": "attributes",
            "in": "query",
            "description": "Only nodes with these attributes, each a parameter of its own that may be "
            "repeated: `level=organization,material_group&material_group=Flat`. The run's levels name them.",
            "required": False,
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
            "example": {"material_group": "Flat"},
        }
    ]
}


CURRENT = "current"

LEVEL = (
    "Keys and attributes joined by commas, in any order; `total`, the top, if left out. "
    "`/v1/runs/current` lists the levels of the run."
)
LEVELS = ["customer", "organization,material", "organization,material_group"]


class RunQuery(BaseModel):
    """Which run: the one that is shown, another, or the one that was shown at a moment."""

    model_config = ConfigDict(frozen=True)

    run: KeyValue = Field(
        default=CURRENT,
        description="Id of a run that is or was shown, or a beginning that no other has.",
        examples=["2026-10-3f9c1a2b4d5e"],
    )
    as_of: Moment | None = Field(
        default=None,
        description="The run that was shown then: at a moment with its offset, or at the end of a day in "
        "UTC. Not together with `run`.",
        examples=["2026-11-05", "2026-11-05T06:00:00Z"],
    )


class PageQuery(RunQuery):
    """Which page of an answer."""

    limit: int = Field(default=100, ge=1, le=1000, description="Most nodes in one answer.")
    cursor: str | None = Field(
        default=None,
        description="`next` of the page before, with the same question but for `limit` and `format`. "
        "Pages stay within the run they began with, even when a newer one is published meanwhile.",
    )


class Filters(BaseModel):
    """Which nodes of a level. What no field declares is a filter on an attribute."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Annotated[Values, BeforeValidator(_several)]]

    organization: Values = Field(default=(), description="Only these organizations; may be repeated.")
    customer: Values = Field(
        default=(), description="Only these customers; may be repeated.", examples=[["K-104"]]
    )
    material: Values = Field(default=(), description="Only these materials; may be repeated.")

    @property
    def where(self) -> dict[str, Values]:
        """The values of keys and attributes asked for."""
        asked: dict[str, Values] = {key: getattr(self, key) for key in KEYS}
        return {key: values for key, values in asked.items() if values} | self.__pydantic_extra__


class ForecastsQuery(PageQuery, Filters):
    """Which nodes, months and quantiles, in which order and format."""

    level: KeyValue = Field(default=TOTAL, description=LEVEL, examples=LEVELS)
    search: SearchText | None = Field(default=None, description=SEARCH, examples=["heb 2"])
    first: MonthText | None = Field(
        default=None,
        alias="from",
        description="First month, YYYY-MM; the run's first if left out. A window that reaches "
        "beyond the run is cut to it.",
        examples=["2026-11"],
    )
    last: MonthText | None = Field(
        default=None, alias="to", description="Last month, YYYY-MM.", examples=["2027-10"]
    )
    probabilities: Probabilities | None = Field(
        default=None,
        alias="quantiles",
        description="Probabilities joined by commas, answered in this order; all that the run holds if left "
        "out.",
        examples=["0.1,0.5,0.9"],
    )
    sort: Sort = Field(
        default="nodes",
        description="`nodes`: by organization, customer, material, then attributes by name. `mean`, `-mean`: "
        "by the sum of the means over the months asked for, the smallest or the largest first; nodes of the "
        "same sum as `nodes`. Such a page takes longer, for it adds up every node that was selected.",
    )
    format: Literal["json", "csv", "parquet", "xlsx"] | None = Field(
        default=None, description="Overrules the Accept header, for links and spreadsheets."
    )
    shape: Shape | None = Field(
        default=None,
        description="Of a file: `long`, a row for each node and month, if left out; `wide`, a row for each "
        "node and measure, with a column for each month.",
    )
    sep: Separator | None = Field(
        default=None, description="What stands between the cells of CSV; a comma if left out."
    )
    decimal: Point | None = Field(
        default=None, description="The decimal sign of CSV; a point if left out. A comma needs `sep=;`."
    )
    bom: bool | None = Field(
        default=None,
        description="Whether CSV begins with a byte order mark, by which Excel knows UTF-8; not if left out.",
    )

    @property
    def limited(self) -> bool:
        """Whether the caller asked for a page; a file without a limit holds every node."""
        return "limit" in self.model_fields_set


def refuse_unforeseen(request: Request) -> None:
    """Refuse parameters that the resource does not declare, and those given twice.

    What OpenAPI does not name is not silently ignored: a misspelt filter would answer for everything.
    Where the run's attributes are parameters too, its names are awaited: see `refuse_unknown_attributes`.
    Filters may be given several times.
    """
    known, is_open = _declared(request)
    seen = set()
    for name, value in request.query_params.multi_items():
        if name not in known and not is_open:
            raise UnknownParameter(name, value, list(known))
        if name in seen and not known.get(name, True):
            raise RepeatedParameter(name, value)
        seen.add(name)


def refuse_unknown_attributes(request: Request, attributes: Level) -> None:
    """Refuse parameters that are neither declared nor among a run's attributes."""
    known = [*_declared(request)[0], *attributes]
    for name, value in request.query_params.items():
        if name not in known:
            raise UnknownParameter(name, value, known)


def _declared(request: Request) -> tuple[dict[str, bool], bool]:
    """The parameters that the resource names, and whether each may be repeated; are attributes too?"""
    known: dict[tuple[str, str], tuple[dict[str, bool], bool]] = request.app.state.declared
    route = request.scope["route"]
    question = (route.path, request.method.lower())
    if question not in known:  # the contract does not change while the process lives
        # Of this route alone: all of OpenAPI would have the first caller wait for half a second.
        paths: dict[str, Any] = get_openapi(title="", version="", routes=[route])["paths"]
        declared = paths[question[0]][question[1]].get("parameters", [])
        kinds = {each["name"]: each["schema"].get("type") for each in declared if each["in"] == "query"}
        named = {name: kind == "array" for name, kind in kinds.items() if kind != "object"}
        known[question] = (named, len(named) < len(kinds))
    return known[question]
