"""The shapes of the answers, and how stored rows become them."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.store.forecasts import NodeForecast
from app.store.node_id import Node
from app.store.selection import PublishedRun, Selection
from forecasting.hierarchy import level_name

type Json = dict[str, object]

EXAMPLE_RUN: JsonDict = {
    "id": "2026-10-3f9c1a2b4d5e",
    "origin": "2026-10",
    "published_at": "2026-11-02T06:00:00Z",
    "snapshot": "3f9c1a2b4d5e",
    "model": "smoothing/3",
}

MonthName = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", examples=["2026-11"])]


class RunName(BaseModel):
    """The run behind an answer: enough to walk any number back to its order lines."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(examples=["2026-10-3f9c1a2b4d5e"])
    origin: MonthName = Field(description="Last month of history behind the run.")
    published_at: dt.datetime
    snapshot: str = Field(description="The snapshot of order lines it was made from.")
    model: str = Field(description="The model version that made it.")


class NodeName(BaseModel):
    """A node's keys, null where it sums over one, and a member for each attribute that the level names."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]

    organization: str | None
    customer: str | None = Field(examples=["K-104"])
    material: str | None


class MonthForecast(BaseModel):
    """One month: its mean, and a member for each quantile (`p50` is the median, `p97_5` is 97.5 %)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float]

    month: MonthName
    mean: float


class NodeMonths(NodeName):
    """The forecast of one node."""

    months: list[MonthForecast]


class Forecasts(BaseModel):
    """A page of forecasts, in the order that was asked for.

    Means are in full precision: at every month those of a level sum to the total.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "run": EXAMPLE_RUN,
                "unit": "t",
                "level": "customer",
                "forecasts": [
                    {
                        "organization": None,
                        "customer": "K-104",
                        "material": None,
                        "months": [{"month": "2026-11", "mean": 41.2, "p10": 30.5, "p50": 40.8, "p90": 53.0}],
                    }
                ],
                "next": None,
            }
        },
    )

    run: RunName
    unit: Literal["t", "piece"]
    level: str
    forecasts: list[NodeMonths]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class Health(BaseModel):
    """How the process is."""

    status: Literal["live", "ready"]


# The answers are built as plain data, not as models: a page may hold 12,000 months. A test validates them.


def run_name(run: PublishedRun) -> Json:
    """As `RunName`."""
    return {
        "id": run.id,
        "origin": str(run.origin),
        "published_at": run.published_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "snapshot": run.snapshot,
        "model": run.model,
    }


def node_name(selection: Selection, node: Node) -> Json:
    """As `NodeName`."""
    keys: Json = {"organization": node.organization, "customer": node.customer, "material": node.material}
    return keys | dict(zip(selection.attributes, node.attributes, strict=True))


def forecasts(selection: Selection, rows: list[NodeForecast], following: str | None) -> Json:
    """As `Forecasts`."""
    names = selection.measures
    months = [str(month) for month in selection.months]
    return {
        "run": run_name(selection.run),
        "unit": selection.run.unit,
        "level": level_name(selection.level),
        "forecasts": [
            node_name(selection, row.node)
            | {
                "months": [
                    {"month": month, **dict(zip(names, numbers, strict=True))}
                    for month, numbers in zip(months, row.numbers, strict=True)
                ]
            }
            for row in rows
        ],
        "next": following,
    }
