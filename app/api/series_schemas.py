"""The shape of a series."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.api.node_schemas import NodeRow, node_row
from app.api.schemas import EXAMPLE_RUN, Json, MonthForecast, MonthName, RunName, run_name
from app.store.series import SaidByRun, Series
from forecasting.forecast import quantile_name

_EARLIER: JsonDict = {
    "id": "2026-09-9b1d0c3e77aa",
    "origin": "2026-09",
    "published_at": "2026-10-05T06:00:00Z",
    "snapshot": "77aa9b1d0c3e",
    "model": "smoothing/2",
}


class Bought(BaseModel):
    """What was bought in a month."""

    month: MonthName
    quantity: float


class Said(BaseModel):
    """What an earlier run said, of those months of the forecast that it had."""

    run: RunName
    unit: Literal["t", "piece"]
    months: list[MonthForecast]


class NodeSeries(BaseModel):
    """A node through time, as one run knows it: all but the earlier forecasts are that run's."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "run": EXAMPLE_RUN,
                "unit": "t",
                "node": {
                    "node": "customer=K-104",
                    "level": "customer",
                    "organization": None,
                    "customer": "K-104",
                    "material": None,
                },
                "history": [{"month": "2026-10", "quantity": 38.7}],
                "forecast": [{"month": "2026-11", "mean": 41.2, "p10": 30.5, "p50": 40.8, "p90": 53.0}],
                "last_year": [{"month": "2025-11", "quantity": 44.1}],
                "earlier": [
                    {
                        "run": _EARLIER,
                        "unit": "t",
                        "months": [{"month": "2026-11", "mean": 43.0, "p10": 29.9, "p50": 42.5, "p90": 58.1}],
                    }
                ],
            }
        },
    )

    run: RunName
    unit: Literal["t", "piece"]
    node: NodeRow
    history: list[Bought] = Field(description="Up to the run's origin; empty for runs that kept none.")
    forecast: list[MonthForecast]
    last_year: list[Bought] = Field(
        description="What was bought twelve months before each month of the forecast, where that is known."
    )
    earlier: list[Said] = Field(
        description="Of runs that were shown before this one and had the node, the latest first."
    )


def node_series(series: Series) -> Json:
    """As `NodeSeries`."""
    return {
        "run": run_name(series.run),
        "unit": series.run.unit,
        "node": node_row(series.node),
        "history": [
            {"month": str(month), "quantity": quantity} for month, quantity in series.history.items()
        ],
        "forecast": _months(series.forecast),
        "last_year": [
            {"month": str(month - 12), "quantity": quantity} for month, quantity in series.last_year.items()
        ],
        "earlier": [
            {"run": run_name(said.run), "unit": said.run.unit, "months": _months(said)}
            for said in series.earlier
        ],
    }


def _months(said: SaidByRun) -> list[Json]:
    names = ("mean", *map(quantile_name, said.probabilities))
    return [
        {"month": str(month), **dict(zip(names, numbers, strict=True))}
        for month, numbers in said.numbers.items()
    ]
