"""`/v1/runs`: what was made, what was said of it, and when it was shown."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.absences import UnknownRun
from app.api.asking import Asker
from app.api.parameters import KeyValue
from app.api.problems import declared
from app.api.run_schemas import RunRecord, Runs, run_document, run_summary
from app.api.sight import CURRENT, Sight, as_seen, find_run
from app.refusals import BadCursor
from app.store.run_records import recorded_run, runs_after

router = APIRouter(tags=["runs"])

RunId = Annotated[
    str,
    Path(description="A run's id, or `current`.", pattern=r"^[^\x00]+$", examples=["2026-10-3f9c1a2b4d5e"]),
]


class RunsQuery(BaseModel):
    """Which page of the runs."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(default=24, ge=1, le=1000, description="Most runs in one answer.")
    cursor: KeyValue | None = Field(default=None, description="`next` of the page before.")


@router.get("/v1/runs", summary="Runs, the newest first", responses=declared(404, 422, 503))
def get_runs(connection: Sight, caller: Asker, asked: Annotated[RunsQuery, Query()]) -> Runs:
    """Every run that was recorded; callers of some organizations see those that were shown."""
    if asked.cursor is not None:
        try:
            recorded_run(connection, asked.cursor)
        except UnknownRun:
            raise BadCursor(asked.cursor) from None
    scoped = caller.organizations is not None
    found = runs_after(connection, asked.limit + 1, asked.cursor, only_shown=scoped)
    page = found[: asked.limit]
    return Runs(
        runs=[run_summary(as_seen(run, caller)) for run in page],
        next=page[-1].id if len(found) > asked.limit else None,
    )


@router.get("/v1/runs/current", summary="The run that is shown", responses=declared(404, 422, 503))
def get_current_run(connection: Sight, caller: Asker) -> RunRecord:
    """Where the numbers come from, and which levels, months and quantiles there are."""
    return run_document(find_run(connection, caller, CURRENT))


@router.get("/v1/runs/{run}", summary="Everything recorded of a run", responses=declared(404, 422, 503))
def get_run(connection: Sight, caller: Asker, run: RunId) -> RunRecord:
    """How it was made, by which code, from which snapshot, the verdict, the guard's reasons, its showings."""
    return run_document(find_run(connection, caller, run))
