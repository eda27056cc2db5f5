"""Rows that one worker at a time works on, and what keeps a worker that was given up from doing harm.

A worker claims a row for a while, its lease, and renews it as long as it lives. When the lease has run out,
another may claim the row: `attempt` grows, the connections of the worker before are cut, and whatever
that worker still tries to write finds another attempt than its own and raises `LeaseLost`.

Leases are measured by the database's clock alone. Those of the workers differ, and a worker that is an
hour ahead must not take what another has just begun. `clock_timestamp()`, not `now()`: a transaction that
had to wait would be given a lease that began before the wait. Moments for people come in as arguments.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, and_, func, or_, select, update

from app.errors import LeaseLost
from app.store import tables
from app.store.engine import application_name
from app.store.session import connected

type Fence = Callable[[Connection, str], None]
"""Called with the id of a run at the end of the transaction that shows it; raises to undo all of it."""

RETRAIN = "retrain"
UNFINISHED = ("waiting", "running")
_LOCK = 0x746F6E_03  # any number, the same in every process that claims
_IDLE = "10s"
_DYING = 5_000  # milliseconds that a connection may take to be gone


@dataclass(frozen=True)
class Claim:
    """A row that a worker has claimed; `attempt` tells this claim from every other of the row.

    `replaced` is the worker that it was taken from, where one had let its lease run out.
    """

    table: Table
    key: Mapping[str, object]
    attempt: int
    failures: int
    worker: str
    replaced: str | None


@dataclass(frozen=True)
class Terms:
    """Who claims, for how long, and at which failure a row is given up."""

    worker: str
    lease: dt.timedelta
    attempts: int


def one_by_one(connection: Connection) -> None:
    """Wait for whoever is claiming; until the transaction ends nobody else does.

    A claim takes milliseconds. One that is frozen in the middle of it is ended by the server, or nobody could
    claim any more.
    """
    connection.execute(select(func.set_config("idle_in_transaction_session_timeout", _IDLE, True)))
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def retraining(connection: Connection) -> bool:
    """Whether a worker that is alive runs a month, for the schedule or because somebody asked.

    One month at a time: an older one that ends after a newer would take its place on the page.
    """
    period, job = tables.period, tables.job
    asked = and_(_at_work(job), job.c.kind == RETRAIN)
    return bool(connection.scalar(select(or_(sa.exists().where(_at_work(period)), sa.exists().where(asked)))))


def ready(table: Table) -> ColumnElement[bool]:
    """Whether nobody is at work on a row that has not ended, and its time has come."""
    now = func.clock_timestamp()
    rested = or_(table.c.not_before.is_(None), table.c.not_before <= now)
    return or_(
        and_(table.c.status == "waiting", rested),
        and_(table.c.status == "running", table.c.lease_until <= now),
    )


def take(
    connection: Connection,
    table: Table,
    row: Row[tuple[object, ...]],
    terms: Terms,
    at: dt.datetime,
) -> Claim | None:
    """Claim a row that is ready; None if it was given up, or is not as it was read.

    A worker that let its lease run out has failed once; a row that has cost too many is given up.
    """
    key = {column.name: row._mapping[column] for column in table.primary_key}
    failures, silent = row._mapping[table.c.failures], None
    # Whoever was late may have renewed its lease, or ended, since the row was read.
    found = [*_is(table, key), table.c.attempt == row._mapping[table.c.attempt], ready(table)]
    found.append(table.c.status == row._mapping[table.c.status])
    if row._mapping[table.c.status] == "running":
        failures += 1
        silent = row._mapping[table.c.worker]
        if silent != terms.worker:
            _cut_off(connection, silent)
        if failures >= terms.attempts:
            detail = f"worker {silent} was not heard of any more; it was failure {failures} of {failures}"
            ended = update(table).where(*found)
            connection.execute(
                ended.values(status="failed", failures=failures, detail=detail, finished_at=at)
            )
            return None
    now = func.clock_timestamp()
    claimed = (
        update(table)
        .where(*found)
        .values(
            status="running",
            attempt=table.c.attempt + 1,
            failures=failures,
            not_before=None,
            worker=terms.worker,
            lease_until=now + terms.lease,
            heartbeat=now,
            stage=None,
            progress=0,
            started_at=at,
            finished_at=None,
        )
        .returning(table.c.attempt)
    )
    attempt = connection.scalar(claimed)
    return None if attempt is None else Claim(table, key, attempt, failures, terms.worker, silent)


def renew(engine: Engine, claim: Claim, lease: dt.timedelta) -> None:
    """Say that the worker lives, for one more lease from now; raises `LeaseLost`."""
    now = func.clock_timestamp()
    _write(engine, claim, lease_until=now + lease, heartbeat=now)


def tell(engine: Engine, claim: Claim, stage: str, progress: float) -> None:
    """Say what the worker is doing; raises `LeaseLost`."""
    _write(engine, claim, stage=stage, progress=progress)


def finish(connection: Connection, claim: Claim, at: dt.datetime, outcome: Mapping[str, object]) -> None:
    """The work is done, if the transaction commits; raises `LeaseLost`."""
    _set(connection, claim, status="done", progress=1, finished_at=at, detail=None, **outcome)


def end(engine: Engine, claim: Claim, status: str, at: dt.datetime, detail: str) -> None:
    """The work is over without being done, and nobody tries again; raises `LeaseLost`."""
    _write(engine, claim, status=status, finished_at=at, detail=detail)


def fail(
    engine: Engine, claim: Claim, terms: Terms, *, at: dt.datetime, wait: dt.timedelta, detail: str
) -> bool:
    """The attempt failed; whether another may be made after a while. Raises `LeaseLost`."""
    failures = claim.failures + 1
    if failures >= terms.attempts:
        _write(engine, claim, status="failed", failures=failures, finished_at=at, detail=detail)
        return False
    not_before = func.clock_timestamp() + wait
    _write(engine, claim, status="waiting", failures=failures, not_before=not_before, detail=detail)
    return True


def put_back(engine: Engine, claim: Claim) -> None:
    """The worker stops; whoever wants may go on at once. Raises `LeaseLost`."""
    _write(engine, claim, status="waiting")


def _write(engine: Engine, claim: Claim, **values: object) -> None:
    with connected(engine) as connection:
        _set(connection, claim, **values)


def _set(connection: Connection, claim: Claim, **values: object) -> None:
    """Write to the row if it is still claimed by this claim."""
    table = claim.table
    ours = [*_is(table, claim.key), table.c.attempt == claim.attempt, table.c.status == "running"]
    changed = update(table).where(*ours).values(**values).returning(table.c.attempt)
    if connection.scalar(changed) is None:
        raise LeaseLost(claim.worker, claim.attempt)


def _is(table: Table, key: Mapping[str, object]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]


def _at_work(table: Table) -> ColumnElement[bool]:
    return and_(table.c.status == "running", table.c.lease_until > func.clock_timestamp())


def _cut_off(connection: Connection, worker: str) -> None:
    """End the connections of a worker that is silent.

    One that was frozen while it published holds the publishers' lock for as long as it is frozen. Only
    those of our own role, for others are not ours to end.
    """
    connection.execute(
        sa.text(
            "select pg_terminate_backend(pid, :dying) from pg_stat_activity "
            "where datname = current_database() and usename = current_user "
            "and application_name = :name and pid <> pg_backend_pid()"
        ),
        {"dying": _DYING, "name": application_name(worker)},
    )
