"""`/v1/jobs`: what the workers are asked to do."""

import datetime as dt
import json
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection, Engine

from app.access.caller import Caller
from app.api import jobs_schemas as schemas
from app.api.asking import Asker
from app.api.audited import noted
from app.api.problems import declared
from app.refusals import BadCursor, BadParameter
from app.store import jobs as store
from app.store.audit import Entry, record
from app.store.jobs import Job
from app.store.moment import moment
from forecasting.months import Month

router = APIRouter(tags=["jobs"])

MOST_WAITING = 20
"""Jobs of one caller that may wait at a time."""

JobId = Annotated[uuid.UUID, Path(alias="id", description="The job's id.")]

type Place = tuple[dt.datetime, uuid.UUID]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Your own name for this question; asked again under it, it is the same job.",
        examples=["2026-10-after-the-correction"],
    ),
]


@router.post(
    "/v1/jobs",
    summary="Ask for a month or a snapshot to be made",
    status_code=202,
    response_model=schemas.JobShown,
    responses={
        202: {
            "description": "It will be done; where to look is in the Location header.",
            "headers": {"Location": {"schema": {"type": "string"}, "description": "The job."}},
        },
        **declared(422, 429, 503),
    },
)
def post_job(
    request: Request,
    caller: Asker,
    asked: Annotated[schemas.JobAsked, Body()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A worker does it as soon as no month is due; nothing is stored where the question is refused."""

    def entry(job: Job) -> Entry:
        return noted(request, 202, job=str(job.id), kind=job.kind, **asked.arguments)

    job = ask_for(request.app.state.engine, caller, asked, idempotency_key, entry)
    return JSONResponse(schemas.job_shown(job), 202, headers={"Location": f"/v1/jobs/{job.id}"})


def ask_for(
    engine: Engine,
    caller: Caller,
    asked: schemas.JobAsked,
    idempotency_key: str | None,
    entry: Callable[[Job], Entry],
) -> Job:
    """Ask for a job in a caller's name, with its entry in the audit trail, or neither.

    Raises `BadParameter` for a month that is not over, and what `app.store.jobs.ask` does.
    """
    now = moment(engine)
    _check_month(asked.month, now)

    def witness(connection: Connection, job: Job) -> None:
        record(connection, entry(job))

    return store.ask(
        engine,
        asked.kind,
        asked.arguments,
        asked_by=caller.name,
        asked_at=now,
        idempotency_key=idempotency_key,
        most_waiting=MOST_WAITING,
        witness=witness,
    )


@router.get(
    "/v1/jobs",
    summary="What was asked for",
    response_model=schemas.Jobs,
    responses=declared(422, 503),
)
def get_jobs(request: Request, caller: Asker, asked: Annotated[schemas.JobsQuery, Query()]) -> Response:
    """The last first, whoever asked."""
    after = None if asked.cursor is None else _place(asked.cursor)
    found = store.jobs(request.app.state.engine, asked.limit + 1, after, asked.status)
    page = found[: asked.limit]
    following = _cursor(page[-1]) if len(found) > len(page) else None
    return JSONResponse({"jobs": [schemas.job_shown(job) for job in page], "next": following})


@router.get(
    "/v1/jobs/{id}",
    summary="What has become of a job",
    response_model=schemas.JobShown,
    responses=declared(404, 422, 503),
)
def get_job(request: Request, caller: Asker, job: JobId) -> Response:
    """Its status, stage, progress, and what came of it."""
    return JSONResponse(schemas.job_shown(store.read_job(request.app.state.engine, job)))


@router.post(
    "/v1/jobs/{id}/cancel",
    summary="Do not do it",
    response_model=schemas.JobShown,
    responses=declared(404, 422, 503),
)
def cancel_job(request: Request, caller: Asker, job: JobId) -> Response:
    """At once where nobody has begun, else at the worker's next stage. What has ended stays as it is."""

    def witness(connection: Connection, found: Job) -> None:
        record(connection, noted(request, 200, job=str(found.id), status=found.status))

    engine = request.app.state.engine
    return JSONResponse(schemas.job_shown(store.cancel(engine, job, moment(engine), witness)))


def _check_month(month: str | None, now: dt.datetime) -> None:
    if month is not None and month[:4] == "0000":
        raise BadParameter("month: there is no year 0", "write YYYY-MM", field="month", value=month)
    this = Month.of(now.date())
    if month is not None and Month.parse(month) >= this:
        raise BadParameter(
            f"month: {month} is not over", f"ask for {this - 1} or earlier", field="month", value=month
        )


def _cursor(job: Job) -> str:
    return urlsafe_b64encode(json.dumps([job.asked_at.isoformat(), str(job.id)]).encode()).decode()


def _place(cursor: str) -> Place:
    try:
        match json.loads(urlsafe_b64decode(cursor)):
            case [str(at), str(job)]:
                place = dt.datetime.fromisoformat(at), uuid.UUID(job)
                if place[0].tzinfo is not None:
                    return place
    except (ValueError, RecursionError):
        pass
    raise BadCursor(cursor)
