"""A history that a caller brings along, and the forecast of it."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

from app.api.parameters import Probabilities
from app.api.schemas import MonthForecast, MonthName
from app.refusals import BadHistory
from forecasting.months import Month

MOST_SERIES, MOST_MONTHS, MOST_HORIZON = 1_000, 600, 60
LARGEST = 1e30

_Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
_Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]+$")
]
_Quantity = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]


class Series(BaseModel):
    """One series: what it is called, its months and what was bought in each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: dict[_Word, _Word] = Field(
        min_length=1, max_length=5, examples=[{"customer": "K-104", "material": "HEB 200"}]
    )
    first: _Month | None = Field(
        default=None, description="The month of the first quantity; the others follow month by month."
    )
    months: list[_Month] | None = Field(
        default=None, description="Instead of `first`: the month of each quantity."
    )
    quantities: list[_Quantity | None] = Field(
        min_length=1,
        max_length=MOST_MONTHS,
        description="In any unit, none below zero; null is a month without demand.",
    )

    @model_validator(mode="after")
    def _hang_together(self) -> "Series":
        if (self.first is None) == (self.months is None):
            raise ValueError("give either 'first' or 'months'")
        if self.months is not None:
            if len(self.months) != len(self.quantities):
                raise ValueError(
                    f"{len(self.months)} months and {len(self.quantities)} quantities: give one for each"
                )
            for before, after in zip(self.months, self.months[1:], strict=False):
                if after == before:
                    raise ValueError(f"{after} is given twice; add its quantities up")
                if after < before:
                    raise ValueError(f"{after} follows {before}; put the months in order")
                if _month(after) - _month(before) != 1:
                    raise ValueError(f"between {before} and {after} months are missing; write 0 or null")
        if self.start.year < 1 or self.last.year > 9998:
            raise ValueError("a month is beyond the calendar")
        return self

    @property
    def start(self) -> Month:
        """The first month."""
        return _month(self.first if self.first is not None else (self.months or [""])[0])

    @property
    def last(self) -> Month:
        return self.start + (len(self.quantities) - 1)


class PredictAsked(BaseModel):
    """Up to a thousand series that end with the same month, and what is wanted of them."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "example": {
                "series": [
                    {
                        "keys": {"customer": "K-104"},
                        "first": "2025-01",
                        "quantities": [12, 9, 14, 11, 13, 8, 10, 12, 15, 11, 9, 12],
                    },
                    {
                        "keys": {"customer": "K-7"},
                        "months": ["2025-10", "2025-11", "2025-12"],
                        "quantities": [4, None, 6],
                    },
                ],
                "horizon": 3,
                "quantiles": [0.1, 0.5, 0.9],
            }
        },
    )

    series: list[Series] = Field(min_length=1, max_length=MOST_SERIES)
    levels: list[_Word] | None = Field(
        default=None,
        max_length=16,
        description="Keys joined by commas, or `total`; if left out the total, each key, and all of them.",
        examples=[["total", "customer", "customer,material"]],
    )
    horizon: int = Field(default=12, ge=1, le=MOST_HORIZON, strict=True, description="Months ahead.")
    quantiles: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        default=[0.1, 0.5, 0.9], max_length=99, description="Probabilities, answered in this order."
    )
    recipe: _Word | None = Field(default=None, description="One that ships; the default if left out.")

    @model_validator(mode="after")
    def _fit_together(self) -> "PredictAsked":
        if len(set(self.quantiles)) != len(self.quantiles):
            raise ValueError("a quantile is named twice; name each once")
        names = list(self.series[0].keys)
        known: dict[tuple[str, ...], int] = {}
        for place, each in enumerate(self.series, 1):
            if set(each.keys) != set(names):
                given = ", ".join(each.keys)
                raise ValueError(
                    f"series {place} has the keys {given}, the first {', '.join(names)}; give all the same"
                )
            key = tuple(each.keys[name] for name in names)
            if key in known:
                raise ValueError(f"series {place} has the same keys as series {known[key]}; add them up")
            known[key] = place
            if each.last != self.series[0].last:
                raise ValueError(
                    f"series {place} ends with {each.last}, the first with {self.series[0].last}; "
                    "end all with the same month, with 0 where nothing was bought"
                )
        return self


class PredictQuery(BaseModel):
    """How a CSV is read and what is wanted of it; a JSON body says that itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: _Word | None = Field(
        default=None, description="Key columns joined by commas.", examples=["customer,material"]
    )
    month: _Word = Field(default="month", description="Column with the month: a date or YYYY-MM.")
    quantity: _Word = Field(default="quantity", description="Column with the quantity.")
    levels: _Word | None = Field(
        default=None, description="Levels joined by semicolons.", examples=["total;customer"]
    )
    horizon: int = Field(default=12, ge=1, le=MOST_HORIZON, description="Months ahead.")
    quantiles: Probabilities = Field(default=(0.1, 0.5, 0.9), examples=["0.1,0.5,0.9"])
    recipe: _Word | None = Field(default=None, description="One that ships; the default if left out.")
    format: Literal["json", "csv"] | None = Field(
        default=None, description="Of the answer; overrules the Accept header."
    )


class NodePrediction(BaseModel):
    """The forecast of one node."""

    model_config = ConfigDict(extra="forbid")

    level: str = Field(examples=["customer"])
    keys: dict[str, str | None] = Field(
        description="Null where it sums over a key.", examples=[{"customer": "K-104"}]
    )
    fallback: str | None = Field(
        description="Why another model than the recipe's answered; null if none did."
    )
    months: list[MonthForecast]


class Prediction(BaseModel):
    """The forecast: level by level, at each month all levels sum to the same."""

    model_config = ConfigDict(extra="forbid")

    recipe: str
    empty_quantities: int = Field(description="Rows without a quantity, taken as zero.")
    origin: MonthName = Field(description="The last month of history.")
    levels: list[str]
    quantiles: list[float]
    forecasts: list[NodePrediction]


def read_asked(body: bytes) -> PredictAsked:
    """What a JSON body asks; raises `BadHistory`, which names the series and the place in it."""
    try:
        return PredictAsked.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error.errors()[0], body) from None


def predict_components() -> dict[str, Any]:
    """The body's schemas, for an OpenAPI that cannot derive them: the body is read as it comes."""
    schema = PredictAsked.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = schema.pop("$defs", {})
    return {**parts, PredictAsked.__name__: schema}


def _refusal(first: ErrorDetails, body: bytes) -> BadHistory:
    problem = first["msg"].removeprefix("Value error, ")
    value = None if isinstance(first["input"], dict | list) else str(first["input"])[:200]
    match first["loc"]:
        case ("series", int(place), *within):
            named = _named(body, place)
            inside = _place_of(within)
            where = f"series {place + 1}{named}{inside}"
        case where_else:
            where = ".".join(map(str, where_else))
    field = ".".join(map(str, first["loc"])) or None
    return BadHistory(f"{where}: {problem}" if where else problem, field=field, value=value)


def _place_of(within: list[int | str]) -> str:
    """What of a series: a member, or which of its months or quantities, counted from one."""
    match within:
        case [str(name), int(place), *_]:
            return f", {name} {place + 1}"
        case [name, *_]:
            return f", {name}"
    return ""


def _named(body: bytes, place: int) -> str:
    """The keys of a series as people call it, where it has any."""
    keys = json.loads(body)["series"][place]
    named = keys.get("keys") if isinstance(keys, dict) else None
    if not isinstance(named, dict) or not named:
        return ""
    return f" ({', '.join(str(value)[:50] for value in named.values())})"


def _month(text: str) -> Month:
    return Month.parse(text)
