"""`/v1/drift`: when the world moved, and on what evidence."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.absences import UnknownEvent
from app.api.parameters import KeyValue, MonthText
from app.api.problems import declared
from app.api.run_schemas import Shape
from app.api.schemas import MonthName
from app.api.sight import Sight
from app.store.drift_events import DriftEvent, find_event, find_events

router = APIRouter(tags=["drift"])


class Event(Shape):
    """What was seen after a run was published, and what was decided."""

    id: str = Field(examples=["2026-10-1f3a5b7c"])
    kind: Literal["errors", "data"] = Field(description="Forecast errors, or demand itself.")
    scope: str = Field(description="A node as people write it.", examples=["customer K-104"])
    opened: MonthName = Field(description="The month that raised it.")
    closed: MonthName | None = Field(description="Null while it is open.")
    by_run: str = Field(description="The run after which it was seen.")
    statistic: float
    threshold: float = Field(description="What the statistic had to pass.")
    decision: Literal["notify", "retrain"]
    evidence: dict[str, JsonValue] = Field(
        description="In `words`; the `months` that speak with what was `observed` and `expected` in `unit`, "
        "and the `nodes` that explain most of it.",
        examples=[{"words": "customer K-104: demand of 12 t in 2026-10 where 40 t was usual (-70%)."}],
    )


class Events(Shape):
    """Drift events, the newest first."""

    events: list[Event]
    more: bool = Field(description="Whether there are more than were asked for.")


class DriftQuery(BaseModel):
    """Which events."""

    model_config = ConfigDict(frozen=True)

    status: Literal["open", "closed"] | None = Field(default=None, description="Both if left out.")
    kind: Literal["errors", "data"] | None = Field(default=None, description="Both if left out.")
    scope: KeyValue | None = Field(
        default=None, description="Only of this node, as people write it.", examples=["customer K-104"]
    )
    first: MonthText | None = Field(
        default=None, alias="from", description="Only what was open in this month, YYYY-MM, or later."
    )
    last: MonthText | None = Field(
        default=None, alias="to", description="Only what was opened in this month or before."
    )
    limit: int = Field(default=100, ge=1, le=1000, description="Most events in one answer.")


@router.get("/v1/drift", summary="When the world moved", responses=declared(422, 503))
def get_drift(connection: Sight, asked: Annotated[DriftQuery, Query()]) -> Events:
    """Events open and closed, with their evidence."""
    found = find_events(
        connection,
        asked.limit + 1,
        is_open=None if asked.status is None else asked.status == "open",
        kind=asked.kind,
        scope=asked.scope,
        first=asked.first,
        last=asked.last,
    )
    return Events(events=[event(each) for each in found[: asked.limit]], more=len(found) > asked.limit)


@router.get("/v1/drift/{event}", summary="One drift event", responses=declared(404, 422, 503))
def get_drift_event(
    connection: Sight,
    identity: Annotated[str, Path(alias="event", description="An event's id.", pattern=r"^[^\x00]+$")],
) -> Event:
    """What came, what was expected, and who explains it."""
    found = find_event(connection, identity)
    if found is None:
        raise UnknownEvent(identity)
    return event(found)


def event(found: DriftEvent) -> Event:
    """As `Event`."""
    return Event.model_validate(
        {
            "id": found.id,
            "kind": found.kind,
            "scope": found.scope,
            "opened": str(found.opened),
            "closed": None if found.closed is None else str(found.closed),
            "by_run": found.by_run,
            "statistic": found.statistic,
            "threshold": found.threshold,
            "decision": found.decision,
            "evidence": dict(found.evidence),
        }
    )
