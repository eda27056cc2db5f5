"""What may be asked of the workers, and what is said of it."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints

from app.api.schemas import Json
from app.store.jobs import Job

Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]+$")
]
type Status = Literal["waiting", "running", "done", "refused", "failed", "cancelled"]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    month: Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] | None = Field(
        default=None,
        description="Last month of history, which must be over; the last complete month if left out.",
        examples=["2026-10"],
    )
    accept: Reason | None = Field(
        default=None,
        description="Why limits and guards may be passed; it is recorded, here and with the run.",
        examples=["the price list ended, seen by the planners"],
    )

    @property
    def arguments(self) -> dict[str, Any]:
        """What the worker is told: what was given, and nothing else."""
        return self.model_dump(exclude={"kind"}, exclude_defaults=True)


class Retrain(_Asked):
    """Run a month: snapshot, contest, fit, forecast, publish; twice changes nothing."""

    kind: Literal["retrain"]


class Ingest(_Asked):
    """Take the snapshot of a month."""

    kind: Literal["ingest"]
    full: bool = Field(default=False, strict=True, description="Pull every month, changed or not.")


JobAsked = Annotated[Retrain | Ingest, Discriminator("kind")]


class JobShown(BaseModel):
    """Something that was asked for, and what has become of it so far."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "id": "6f1c1f6e-5f3a-4a57-9d0e-0d1f3f0c2b7a",
                "kind": "retrain",
                "arguments": {"month": "2026-10"},
                "asked_by": "planning",
                "asked_at": "2026-11-25T08:00:00Z",
                "status": "running",
                "stage": "contest",
                "progress": 0.4,
                "cancel_requested": False,
                "result": None,
                "detail": None,
                "started_at": "2026-11-25T08:00:03Z",
                "finished_at": None,
            }
        },
    )

    id: uuid.UUID
    kind: Literal["retrain", "ingest"]
    arguments: dict[str, Any] = Field(description="What was asked for, beside the kind.")
    asked_by: str
    asked_at: dt.datetime
    status: Status
    stage: str | None = Field(description="What is being done, or was done last.")
    progress: float = Field(ge=0, le=1)
    cancel_requested: bool = Field(description="Its worker stops at its next stage.")
    result: dict[str, Any] | None = Field(description="`run`, or `snapshot`: the id of what came of it.")
    detail: str | None = Field(description="What went wrong, or why it was refused.")
    started_at: dt.datetime | None = Field(description="Of the last attempt.")
    finished_at: dt.datetime | None


class Jobs(BaseModel):
    """A page of jobs, the last asked for first."""

    model_config = ConfigDict(extra="forbid")

    jobs: list[JobShown]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class JobsQuery(BaseModel):
    """Which jobs, and which page of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status | None = Field(default=None, description="Only jobs of this status.")
    limit: int = Field(default=50, ge=1, le=500, description="Most jobs in one answer.")
    cursor: str | None = Field(default=None, description="`next` of the page before, with the same status.")


def job_shown(job: Job) -> Json:
    """As `JobShown`."""
    return {
        "id": str(job.id),
        "kind": job.kind,
        "arguments": dict(job.arguments),
        "asked_by": job.asked_by,
        "asked_at": moment_text(job.asked_at),
        "status": job.status,
        "stage": job.stage,
        "progress": job.progress,
        "cancel_requested": job.cancel_requested,
        "result": None if job.result is None else dict(job.result),
        "detail": job.detail,
        "started_at": None if job.started_at is None else moment_text(job.started_at),
        "finished_at": None if job.finished_at is None else moment_text(job.finished_at),
    }


def moment_text(moment: dt.datetime) -> str:
    """A moment in UTC, as RFC 3339 writes it."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
