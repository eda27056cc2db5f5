"""`/v1/snapshots`: what runs were made from."""

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.absences import UnknownSnapshot
from app.api.parameters import KeyValue
from app.api.problems import declared
from app.api.run_schemas import Shape, utc
from app.api.schemas import MonthName
from app.api.sight import Sight
from app.refusals import BadCursor
from app.store.snapshots import KeptSnapshot, read_snapshot, read_snapshots

router = APIRouter(tags=["snapshots"])


class LinesCounted(Shape):
    """Order lines, and what they add up to in the snapshot's unit."""

    lines: int
    quantity: int


class Source(Shape):
    """What one source gave."""

    name: str = Field(examples=["erp"])
    dialect: str = Field(examples=["postgresql"])
    consistency: str = Field(description="How far all of it was read from one state of the source.")
    kept: LinesCounted
    later: int = Field(description="Lines dated after the month.")
    set_aside: dict[str, LinesCounted] = Field(description="Lines that do not count, by reason.")


class Change(Shape):
    """A month of a source that is not what it was in the snapshot before."""

    source: str
    month: str = Field(examples=["2026-07"])
    before: LinesCounted
    after: LinesCounted


class Facts(Shape):
    """A snapshot's own account of itself."""

    month: MonthName = Field(description="Its last month.")
    taken_at: dt.datetime
    code_version: str
    unit: Literal["kg", "piece"] = Field(description="Of all quantities here.")
    kept: LinesCounted
    set_aside: dict[str, LinesCounted] = Field(
        description="Lines that do not count, by reason.",
        examples=[{"unknown unit": {"lines": 3, "quantity": 0}}],
    )
    parent: str | None = Field(description="The snapshot that it was compared with.")
    changes: list[Change] = Field(description="Months that were not what they were in the parent.")
    accepted: str | None = Field(description="Somebody's reason to take it although closed months changed.")
    sources: list[Source]


class Snapshot(Shape):
    """A snapshot that runs were made from."""

    id: str = Field(examples=["3f9c1a2b4d5e"])
    runs: list[str] = Field(description="Made from it, the newest first.")
    facts: Facts | None = Field(description="Null where only versions before 0.3 made runs from it.")


class Snapshots(Shape):
    """A page of snapshots, by their newest run's origin, the newest first."""

    snapshots: list[Snapshot]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class SnapshotsQuery(BaseModel):
    """Which page."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(default=24, ge=1, le=1000, description="Most snapshots in one answer.")
    cursor: KeyValue | None = Field(default=None, description="`next` of the page before.")


@router.get("/v1/snapshots", summary="Snapshots that runs were made from", responses=declared(422, 503))
def get_snapshots(connection: Sight, asked: Annotated[SnapshotsQuery, Query()]) -> Snapshots:
    """What each holds, what it set aside and why, and which closed months had changed."""
    if asked.cursor is not None and read_snapshot(connection, asked.cursor) is None:
        raise BadCursor(asked.cursor)
    found = read_snapshots(connection, asked.limit + 1, asked.cursor)
    page = found[: asked.limit]
    return Snapshots(
        snapshots=[snapshot(each) for each in page],
        next=page[-1].id if len(found) > asked.limit else None,
    )


@router.get("/v1/snapshots/{snapshot}", summary="One snapshot", responses=declared(404, 422, 503))
def get_snapshot(
    connection: Sight,
    identity: Annotated[str, Path(alias="snapshot", description="A snapshot's id.", pattern=r"^[^\x00]+$")],
) -> Snapshot:
    """What it holds, what it set aside and why, and the runs made from it."""
    found = read_snapshot(connection, identity)
    if found is None:
        raise UnknownSnapshot(identity)
    return snapshot(found)


def snapshot(kept: KeptSnapshot) -> Snapshot:
    """As `Snapshot`."""
    facts = kept.facts
    if facts is None:
        return Snapshot(id=kept.id, runs=list(kept.runs), facts=None)
    return Snapshot.model_validate(
        {
            "id": kept.id,
            "runs": list(kept.runs),
            "facts": {
                "month": str(facts.month),
                "taken_at": utc(facts.taken_at),
                "code_version": facts.code_version,
                "unit": facts.unit,
                "kept": vars(facts.kept),
                "set_aside": {reason: vars(lines) for reason, lines in facts.set_aside.items()},
                "parent": facts.parent,
                "changes": [asdict(each) for each in facts.changes],
                "accepted": facts.accepted,
                "sources": [asdict(each) for each in facts.sources],
            },
        }
    )
