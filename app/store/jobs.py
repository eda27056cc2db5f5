"""What people and programs have asked the workers to do."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, case, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from app.absences import UnknownJob
from app.refusals import BadParameter, IdempotencyKeyReused, TooManyWaiting
from app.store import tables
from app.store.leases import RETRAIN, UNFINISHED, Claim, Terms, one_by_one, ready, retraining, take
from app.store.session import connected

INGEST = "ingest"
KINDS = (RETRAIN, INGEST)
_ROW = tables.job.c
_LOCK = 0x746F6E_06  # any number, the same in every process that asks

type Witness = Callable[[Connection, "Job"], None]
"""Called with the job at the end of the transaction that asks for it or cancels it; raises to undo that."""


@dataclass(frozen=True)
class Job:
    """Something that was asked for, and what has become of it so far; `progress` runs from 0 to 1."""

    id: uuid.UUID
    kind: str
    arguments: Mapping[str, Any]
    asked_by: str
    asked_at: dt.datetime
    status: str
    stage: str | None
    progress: float
    cancel_requested: bool
    result: Mapping[str, Any] | None
    detail: str | None
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


@dataclass(frozen=True)
class ClaimedJob:
    """A job that a worker is to do now."""

    job: Job
    claim: Claim


def ask(
    engine: Engine,
    kind: str,
    arguments: Mapping[str, Any],
    *,
    asked_by: str,
    asked_at: dt.datetime,
    idempotency_key: str | None = None,
    most_waiting: int | None = None,
    witness: Witness | None = None,
) -> Job:
    """Ask for a job, or find the one that the same asker has asked for under the same key.

    Raises `IdempotencyKeyReused` where that was another one, and `TooManyWaiting` where so many jobs of the
    asker wait already; then nothing is stored.
    """
    if kind not in KINDS:
        raise BadParameter(
            f"there is no job {kind!r}", f"ask for one of: {', '.join(KINDS)}", field="kind", value=kind
        )
    asked = insert(tables.job).values(
        id=uuid.uuid4(),
        kind=kind,
        arguments=dict(arguments),
        asked_by=asked_by,
        asked_at=asked_at,
        idempotency_key=idempotency_key,
    )
    new = asked.on_conflict_do_nothing(index_elements=["asked_by", "idempotency_key"])
    before = select(tables.job).where(_ROW.asked_by == asked_by, _ROW.idempotency_key == idempotency_key)
    with connected(engine) as connection:
        row = connection.execute(new.returning(tables.job)).one_or_none()
        job = _job(row or connection.execute(before).one())
        if (job.kind, job.arguments) != (kind, dict(arguments)):
            raise IdempotencyKeyReused(str(idempotency_key), str(job.id))
        if row is not None and most_waiting is not None:
            _check_waiting(connection, asked_by, most_waiting)
        if witness is not None:
            witness(connection, job)
    return job


def _check_waiting(connection: Connection, asked_by: str, most: int) -> None:
    """Raise `TooManyWaiting`; whoever asks for more at the same time waits for the end of the transaction."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(asked_by))))
    theirs = select(func.count()).where(_ROW.asked_by == asked_by, _ROW.status == "waiting")
    if (connection.scalar(theirs) or 0) > most:
        raise TooManyWaiting(asked_by, most)


def read_job(engine: Engine, job_id: uuid.UUID) -> Job:
    """The job of an id; raises `UnknownJob`."""
    with connected(engine) as connection:
        return _read(connection, job_id)


def jobs(
    engine: Engine, most: int, after: tuple[dt.datetime, uuid.UUID] | None = None, status: str | None = None
) -> list[Job]:
    """The jobs asked for last, the last first; of one status, and after a job of the page before."""
    question = select(tables.job).order_by(_ROW.asked_at.desc(), _ROW.id.desc()).limit(most)
    if after is not None:
        question = question.where(tuple_(_ROW.asked_at, _ROW.id) < tuple_(*map(literal, after)))
    if status is not None:
        question = question.where(_ROW.status == status)
    with connected(engine) as connection:
        return [_job(row) for row in connection.execute(question)]


def cancel(engine: Engine, job_id: uuid.UUID, at: dt.datetime, witness: Witness | None = None) -> Job:
    """Do not do it: at once where nobody has begun, else as soon as its worker can stop.

    A job that has ended stays as it is. Raises `UnknownJob`.
    """
    waiting = _ROW.status == "waiting"
    asked = (
        update(tables.job)
        .where(_ROW.id == job_id, _ROW.status.in_(UNFINISHED))
        .values(
            cancel_requested=True,
            status=case((waiting, "cancelled"), else_=_ROW.status),
            finished_at=case((waiting, literal(at, _ROW.finished_at.type)), else_=_ROW.finished_at),
        )
    )
    with connected(engine) as connection:
        connection.execute(asked)
        job = _read(connection, job_id)
        if witness is not None:
            witness(connection, job)
    return job


def claim_job(engine: Engine, terms: Terms, at: dt.datetime) -> ClaimedJob | None:
    """The job that was asked for first among those that are ready; a month only while no other is run.

    Who claims is alone with it, so no row needs to be locked and skipped: one that a frozen worker had
    locked would be skipped for as long as it is frozen.
    """
    with connected(engine) as connection:
        one_by_one(connection)
        allowed = or_(_ROW.kind != RETRAIN, literal(not retraining(connection)))
        question = (
            select(tables.job)
            .where(and_(ready(tables.job), allowed))
            .order_by(_ROW.asked_at, _ROW.id)
            .limit(1)
        )
        while row := connection.execute(question).one_or_none():
            claim = take(connection, tables.job, row, terms, at)
            if claim:
                return ClaimedJob(_read(connection, row.id), claim)
    return None


def _read(connection: Connection, job_id: uuid.UUID) -> Job:
    row = connection.execute(select(tables.job).where(_ROW.id == job_id)).one_or_none()
    if row is None:
        raise UnknownJob(str(job_id))
    return _job(row)


def _job(row: Row[Any]) -> Job:
    return Job(
        row.id,
        row.kind,
        row.arguments,
        row.asked_by,
        row.asked_at,
        row.status,
        row.stage,
        row.progress,
        row.cancel_requested,
        row.result,
        row.detail,
        row.started_at,
        row.finished_at,
    )
