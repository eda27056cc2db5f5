"""`/v1/accuracy`: how earlier published forecasts did, and where most was lost."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from app.api.accuracy_schemas import AccuracyOfNodes, AccuracyTable, accuracy_of_nodes, accuracy_row
from app.api.asking import Asker
from app.api.node_filter import NodeFilter, misspelling_first
from app.api.parameters import ATTRIBUTES, KeyValue, MonthText
from app.api.problems import declared
from app.api.sight import CURRENT, Sight, find_run
from app.refusals import BadParameter
from app.store.accuracy import GROUPINGS, Grouping, read_accuracy
from app.store.run_records import as_published
from app.store.worst_nodes import MOST_MONTHS, worst_nodes
from forecasting.errors import BadHierarchy
from forecasting.hierarchy import Level, parse_level
from forecasting.months import Month

router = APIRouter(tags=["accuracy"])

_MOST_LEADS = 60


def _groupings(text: str) -> tuple[Grouping, ...]:
    asked = [part.strip() for part in text.split(",") if part.strip()]
    if len(set(asked)) != len(asked) or not set(asked) <= set(GROUPINGS):
        raise ValueError(f"write some of {','.join(GROUPINGS)}, each once")
    return tuple(name for name in GROUPINGS if name in asked)


def _level(text: str) -> Level:
    try:
        return parse_level(text)
    except BadHierarchy as error:
        raise ValueError(str(error)) from None


# Lazy aliases, for FastAPI takes a bare tuple to mean a parameter that is repeated.
type Groupings = Annotated[
    tuple[Grouping, ...], PlainValidator(_groupings), WithJsonSchema({"type": "string"})
]
type LevelText = Annotated[Level, PlainValidator(_level), WithJsonSchema({"type": "string"})]


class AccuracyQuery(BaseModel):
    """Which scores, and what to part them by."""

    model_config = ConfigDict(frozen=True)

    by: Groupings = Field(
        default=("level",),
        description="What to part the scores by, joined by commas: "
        "`level`, `lead`, `month`, `run`, `demand_class`, `abc`. Levels are never added to each other: "
        "rows are always parted by level.",
        examples=["level,lead", "month", "demand_class,abc"],
    )
    level: LevelText | None = Field(default=None, description="Only this level.", examples=["customer"])
    lead: int | None = Field(default=None, ge=1, le=_MOST_LEADS, description="Only this many months ahead.")
    run: KeyValue | None = Field(default=None, description="Only this run's forecasts.")
    first: MonthText | None = Field(default=None, alias="from", description="First month that came, YYYY-MM.")
    last: MonthText | None = Field(default=None, alias="to", description="Last month that came, YYYY-MM.")
    limit: int = Field(default=1000, ge=1, le=10_000, description="Most rows in the answer.")


class NodesAccuracyQuery(NodeFilter):
    """Which nodes and months."""

    lead: int = Field(default=1, ge=1, le=_MOST_LEADS, description="Forecasts of so many months before.")
    first: MonthText | None = Field(
        default=None, alias="from", description="First month, YYYY-MM; twelve months to the last if left out."
    )
    last: MonthText | None = Field(
        default=None,
        alias="to",
        description=f"Last month, YYYY-MM; the run's origin if left out. At most {MOST_MONTHS} months.",
    )


@router.get(
    "/v1/accuracy",
    summary="WAPE, bias, MASE, WQL, coverage and value added of published forecasts",
    responses=declared(422, 503),
)
def get_accuracy(connection: Sight, asked: Annotated[AccuracyQuery, Query()]) -> AccuracyTable:
    """Each month that came is held against every run that forecast it, by the newest snapshot."""
    _refuse_backwards(asked.first, asked.last)
    rows = read_accuracy(
        connection,
        asked.by,
        level=asked.level,
        lead=asked.lead,
        first=asked.first,
        last=asked.last,
        run=asked.run,
        limit=asked.limit + 1,
    )
    return AccuracyTable(
        rows=[accuracy_row(each) for each in rows[: asked.limit]], more=len(rows) > asked.limit
    )


@router.get(
    "/v1/accuracy/nodes",
    summary="Where the forecasts lost most tonnes",
    responses=declared(404, 422, 503),
    openapi_extra=ATTRIBUTES,
)
def get_accuracy_of_nodes(
    connection: Sight, caller: Asker, asked: Annotated[NodesAccuracyQuery, Query()], request: Request
) -> AccuracyOfNodes:
    """Nodes by what forecasts made `lead` months before have lost, from the history of the current run."""
    _refuse_backwards(asked.first, asked.last)
    with misspelling_first(request):
        run = as_published(find_run(connection, caller, CURRENT))
    selection = asked.select(request, run)
    found = worst_nodes(
        connection,
        selection,
        lead=asked.lead,
        first=asked.first,
        last=asked.last,
        limit=asked.limit,
    )
    return accuracy_of_nodes(selection, asked.lead, found)


def _refuse_backwards(first: Month | None, last: Month | None) -> None:
    if first is not None and last is not None and first > last:
        raise BadParameter(
            f"from {first} is after to {last}", "ask from the earlier month", field="from", value=str(first)
        )
