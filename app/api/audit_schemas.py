"""The audit trail as it is asked for and shown."""

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.jobs_schemas import moment_text
from app.api.schemas import Json
from app.store.audit import Link


class AuditQuery(BaseModel):
    """Which entries, and which page of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    caller: Annotated[str, StringConstraints(pattern=r"^[^\x00]+$")] | None = Field(
        default=None, description="Only what this caller asked."
    )
    limit: int = Field(default=100, ge=1, le=1000, description="Most entries in one answer.")
    before: int | None = Field(
        default=None,
        ge=1,
        lt=2**63,
        description="`next` of the page before: only entries before this number.",
    )


class AuditEntry(BaseModel):
    """Who asked what, when, from where, and what came of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "number": 42,
                "at": "2026-11-25T08:00:00.123456Z",
                "caller": "planning",
                "key": "k7Qm2x",
                "address": "10.0.0.7",
                "action": "POST /v1/jobs",
                "subject": "/v1/jobs",
                "outcome": "202",
                "details": {
                    "job": "6f1c1f6e-5f3a-4a57-9d0e-0d1f3f0c2b7a",
                    "kind": "retrain",
                    "month": "2026-10",
                },
                "previous": "0c4f…",
                "hash": "9b1e…",
            }
        },
    )

    number: int = Field(description="1, 2, 3, … without a gap.")
    at: dt.datetime = Field(description="When it was written, by the database's clock.")
    caller: str = Field(description="Empty for a stranger.")
    key: str | None = Field(description="Id of the key that was shown.")
    address: str | None
    action: str = Field(description="Method and route, or the command.")
    subject: str | None
    outcome: str = Field(description="Status of the answer, or what came of it.")
    details: dict[str, Any]
    previous: str = Field(description="Hash of the entry before.")
    hash: str = Field(description="SHA-256 over all of the rest.")


class AuditTrail(BaseModel):
    """A page of the trail, the newest first."""

    model_config = ConfigDict(extra="forbid")

    entries: list[AuditEntry]
    next: int | None = Field(description="`before` of the next page; null on the last.")


def audit_entry(link: Link) -> Json:
    """As `AuditEntry`."""
    place: Json = {"number": link.number, "at": moment_text(link.at)}
    return place | vars(link.entry) | {"previous": link.previous, "hash": link.hash}
