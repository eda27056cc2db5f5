"""`/v1/lineage`: where a number comes from."""

import datetime as dt
import shlex
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.asking import Asker
from app.api.nodes import NodeText
from app.api.parameters import KeyValue
from app.api.problems import declared
from app.api.run_schemas import Code, RegisteredModel, Shape, code_of, registered, utc
from app.api.schemas import MonthName, NodeName, node_name
from app.api.sight import CURRENT, Sight, find_run
from app.refusals import BadParameter
from app.store.keys import KEYS
from app.store.node_id import NodeId
from app.store.number_origin import NumberOrigin, number_origin
from forecasting.errors import BadMonth
from forecasting.forecast import quantile_name
from forecasting.hierarchy import level_name
from forecasting.months import Month, months_from

router = APIRouter(tags=["lineage"])

# FastAPI takes none but plain types in a path.
MonthSegment = Annotated[
    str,
    Path(
        description="A month forecast, or one of history, YYYY-MM.",
        pattern=r"^\d{4}-\d{2}$",
        examples=["2026-11"],
    ),
]


class LineageQuery(BaseModel):
    """Which run's number."""

    model_config = ConfigDict(frozen=True)

    run: KeyValue = Field(default=CURRENT, description="A run's id, or `current`.")


class LineageRun(Shape):
    """The run that says the number."""

    id: str
    origin: MonthName
    published_at: dt.datetime | None
    because: str = Field(description="Why this model was chosen; empty for callers of some organizations.")
    recipe: str | None
    code: Code | None


class LineageModel(Shape):
    """The model of the node's level."""

    version: str = Field(description="Our name for it.", examples=["ensemble-3f9c1a2b4d5e"])
    registered: RegisteredModel | None = Field(description="In MLflow; null where it was not kept.")


class LineageSource(Shape):
    """A source of the snapshot."""

    name: str = Field(examples=["erp"])
    dialect: str = Field(examples=["postgresql"])
    consistency: str = Field(description="How far it was read from one state.")


class LineageSnapshot(Shape):
    """The snapshot of order lines; what older versions did not keep is null."""

    id: str
    month: MonthName | None
    taken_at: dt.datetime | None
    sources: list[LineageSource] | None


class MonthBought(Shape):
    """What the node bought in a month."""

    month: MonthName
    quantity: float


class LineageLines(Shape):
    """How to get at the order lines: the service has none."""

    command: str = Field(examples=["tonnage trace 2026-10-3f9c1a2b4d5e --month 2026-11 --customer K-104"])
    needs: str


class Lineage(Shape):
    """A number and what it comes from, step by step."""

    level: str
    node: NodeName
    month: MonthName
    kind: Literal["forecast", "history"]
    unit: Literal["t", "piece"]
    value: float = Field(description="The mean forecast, or what was bought.")
    quantiles: dict[str, float] = Field(examples=[{"p10": 30.5, "p50": 40.8, "p90": 53.0}])
    run: LineageRun
    model: LineageModel
    snapshot: LineageSnapshot
    history: list[MonthBought] | None = Field(
        description="The months that the forecast learned from, or the month itself. Null where the run did "
        "not keep them."
    )
    lines: LineageLines


@router.get(
    "/v1/lineage/{node}/{month}",
    summary="Where a number comes from",
    responses=declared(404, 422, 503),
)
def get_lineage(
    connection: Sight,
    caller: Asker,
    node: NodeText,
    month: MonthSegment,
    asked: Annotated[LineageQuery, Query()],
) -> Lineage:
    """Run, model version, snapshot, the node's months, and the command that shows their order lines."""
    where = NodeId.parse(node).where
    run = find_run(connection, caller, asked.run)
    return lineage(number_origin(connection, run, where, _month(month)), where)


def lineage(found: NumberOrigin, where: dict[str, str]) -> Lineage:
    """As `Lineage`."""
    run, facts = found.run, found.snapshot.facts
    names = [quantile_name(probability) for probability in run.probabilities]
    value = found.bought if found.mean is None else found.mean
    level = level_name(found.selection.level)
    return Lineage.model_validate(
        {
            "level": level,
            "node": node_name(found.selection, found.node),
            "month": str(found.month),
            "kind": "history" if found.mean is None else "forecast",
            "unit": run.unit,
            "value": value,
            "quantiles": dict(zip(names, found.quantiles, strict=False)),
            "run": {
                "id": run.id,
                "origin": str(run.origin),
                "published_at": None if run.published_at is None else utc(run.published_at),
                "because": run.because,
                "recipe": None if run.recipe is None else run.recipe["name"],
                "code": code_of(run),
            },
            "model": {"version": run.model, "registered": registered(run, level)},
            "snapshot": {
                "id": run.snapshot,
                "month": None if facts is None else str(facts.month),
                "taken_at": None if facts is None else utc(facts.taken_at),
                "sources": None
                if facts is None
                else [
                    {"name": each.name, "dialect": each.dialect, "consistency": each.consistency}
                    for each in facts.sources
                ],
            },
            "history": _history(found),
            "lines": {
                "command": _command(found, where),
                "needs": "the snapshots (TONNAGE_SNAPSHOTS) and the database (TONNAGE_DATABASE_URL)",
            },
        }
    )


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except BadMonth as error:
        raise BadParameter(str(error), "write a month as 2026-11", field="month", value=text) from None


def _history(found: NumberOrigin) -> list[dict[str, object]] | None:
    if found.mean is None:
        return [{"month": str(found.month), "quantity": found.bought}]
    if found.history is None or found.history_first is None:
        return None
    months = months_from(found.history_first, len(found.history))
    return [
        {"month": str(month), "quantity": quantity}
        for month, quantity in zip(months, found.history, strict=True)
    ]


def _command(found: NumberOrigin, where: dict[str, str]) -> str:
    words = ["tonnage", "trace", found.run.id, "--month", str(found.month)]
    for name, value in where.items():
        words += [f"--{name}={value}"] if name in KEYS else [f"--where={name}={value}"]
    return shlex.join(words)
