"""Query parameters: read here, trusted behind."""

from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, StringConstraints, WithJsonSchema

from app.errors import RepeatedParameter, UnknownParameter
from app.store.keys import KEYS
from forecasting.errors import BadMonth
from forecasting.hierarchy import TOTAL
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


class NodesQuery(BaseModel):
    """Which nodes, and which page of them."""

    model_config = ConfigDict(frozen=True)

    level: KeyValue = Field(
        default=TOTAL,
        description="Keys joined by commas, in any order; `total` is the top. "
        "`/v1/runs/current` lists the levels of the run.",
        examples=["customer", "organization,material"],
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
        """The key values asked for."""
        asked = {key: getattr(self, key) for key in KEYS}
        return {key: value for key, value in asked.items() if value is not None}


class ForecastsQuery(NodesQuery):
    """Which nodes, months and quantiles, and in which format."""

    model_config = ConfigDict(frozen=True)

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
    """
    operations: dict[str, Any] = request.app.openapi()["paths"][request.scope["route"].path]
    declared = operations[request.method.lower()].get("parameters", [])
    known = [parameter["name"] for parameter in declared if parameter["in"] == "query"]
    seen = set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise UnknownParameter(name, value, known)
        if name in seen:
            raise RepeatedParameter(name, value)
        seen.add(name)
