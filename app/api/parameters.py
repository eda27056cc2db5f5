"""Query parameters: read here, trusted behind."""

from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, StringConstraints, WithJsonSchema

from app.refusals import RepeatedParameter, UnknownParameter
from app.store.keys import KEYS
from forecasting.errors import BadMonth
from forecasting.hierarchy import TOTAL, Level
from forecasting.months import Month


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except BadMonth as error:
        raise ValueError(str(error)) from None


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


# OpenAPI's way to say that further parameters are named by the data: an object, spread out.
ATTRIBUTES: dict[str, Any] = {
    "parameters": [
        {
            "name": "attributes",
            "in": "query",
            "description": "Only nodes with these attributes, each a parameter of its own: "
            "`level=organization,material_group&material_group=Flat`. The run's levels name them.",
            "required": False,
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
            "example": {"material_group": "Flat"},
        }
    ]
}


class NodesQuery(BaseModel):
    """Which nodes, and which page of them. What no field declares is a filter on an attribute."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, KeyValue]

    level: KeyValue = Field(
        default=TOTAL,
        description="Keys and attributes joined by commas, in any order; `total` is the top. "
        "`/v1/runs/current` lists the levels of the run.",
        examples=["customer", "organization,material", "organization,material_group"],
    )
    organization: KeyValue | None = Field(default=None, description="Only this organization.")
    customer: KeyValue | None = Field(default=None, description="Only this customer.", examples=["K-104"])
    material: KeyValue | None = Field(default=None, description="Only this material.")
    limit: int = Field(default=100, ge=1, le=1000, description="Most nodes in one answer.")
    cursor: str | None = Field(
        default=None,
        description="`next` of the page before, with the same level and filters. "
        "Pages stay within the run they began with, even when a newer one is published meanwhile.",
    )

    @property
    def where(self) -> dict[str, str]:
        """The values of keys and attributes asked for."""
        asked = {key: getattr(self, key) for key in KEYS}
        return {key: value for key, value in asked.items() if value is not None} | self.__pydantic_extra__


class ForecastsQuery(NodesQuery):
    """Which nodes, months and quantiles, and in which format."""

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
    format: Literal["json", "csv"] | None = Field(
        default=None, description="Overrules the Accept header, for links and spreadsheets."
    )

    @property
    def limited(self) -> bool:
        """Whether the caller asked for a page; CSV without a limit holds every node."""
        return "limit" in self.model_fields_set


def refuse_unforeseen(request: Request) -> None:
    """Refuse parameters that the resource does not declare, and those given twice.

    What OpenAPI does not name is not silently ignored: a misspelt filter would answer for everything.
    Where the run's attributes are parameters too, its names are awaited: see `refuse_unknown_attributes`.
    """
    known, is_open = _declared(request)
    seen = set()
    for name, value in request.query_params.multi_items():
        if name not in known and not is_open:
            raise UnknownParameter(name, value, known)
        if name in seen:
            raise RepeatedParameter(name, value)
        seen.add(name)


def refuse_unknown_attributes(request: Request, attributes: Level) -> None:
    """Refuse parameters that are neither declared nor among a run's attributes."""
    known = [*_declared(request)[0], *attributes]
    for name, value in request.query_params.items():
        if name not in known:
            raise UnknownParameter(name, value, known)


def _declared(request: Request) -> tuple[list[str], bool]:
    """The parameters that the resource names, and whether attributes are parameters as well."""
    known: dict[tuple[str, str], tuple[list[str], bool]] = request.app.state.declared
    question = (request.scope["route"].path, request.method.lower())
    if question not in known:  # the contract does not change while the process lives
        operations: dict[str, Any] = request.app.openapi()["paths"][question[0]]
        declared = operations[question[1]].get("parameters", [])
        asked = [parameter for parameter in declared if parameter["in"] == "query"]
        named = [parameter["name"] for parameter in asked if parameter["schema"].get("type") != "object"]
        known[question] = (named, len(named) < len(asked))
    return known[question]
