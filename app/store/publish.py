"""Which run is shown: all its rows, its record and the pointer in one transaction."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.absences import NeverShown, UnknownRun
from app.errors import Unpublishable
from app.store import tables
from app.store.leases import Fence
from app.store.lineage import Lineage
from app.store.run_records import What
from app.store.run_rows import check_storable, write_run
from app.store.session import connected
from forecasting.run import ForecastRun

_LOCK = 0x746F6E_02  # any number, the same in every process that publishes


def publish(
    engine: Engine,
    run: ForecastRun,
    published_at: dt.datetime,
    lineage: Lineage | None = None,
    fence: Fence | None = None,
) -> bool:
    """Store a run and show it, or, if anything fails, leave everything as it was; True if it was not shown.

    A run never changes: publishing an id that is already stored writes no rows, and keeps the moment when
    it was first shown. It only becomes the run that is shown, for the first time where it was recorded
    and refused. Publishers wait for each other. Only runs of old have no lineage. The `fence` is the
    transaction's last act: what it raises undoes the rest, and what it writes is there with the run.
    """
    check_storable(run, lineage)
    _check_moment(published_at, "published_at")
    with _alone(engine) as connection:
        known = _known(connection, run.id)
        if known is None:
            write_run(connection, run, lineage, published_at)
        first = known is None or known["published_at"] is None
        if first:
            _settle(connection, run, lineage, published_at=published_at)
        accepted = lineage.accepted if first and lineage is not None else None
        if accepted is not None:
            moved = _point_to(connection, run.id, published_at, "accepted", accepted)
        else:
            moved = _point_to(connection, run.id, published_at, "published", run.because)
        if fence is not None:
            fence(connection, run.id)
        return moved


def record(engine: Engine, run: ForecastRun, recorded_at: dt.datetime, lineage: Lineage) -> bool:
    """Store a run without showing it, all or nothing; True if it was new.

    Of a run that is stored and was never shown, what the guard says of it is brought up to date; one that was
    shown stays as it is.
    """
    check_storable(run, lineage)
    _check_moment(recorded_at, "recorded_at")
    with _alone(engine) as connection:
        known = _known(connection, run.id)
        if known is None:
            write_run(connection, run, lineage, recorded_at)
        elif known["published_at"] is None:
            _settle(connection, run, lineage)
    return known is None


def roll_back(engine: Engine, run_id: str, at: dt.datetime, fence: Fence | None = None) -> str:
    """Show a run again that was shown before; the id of the run that was shown until now.

    Raises `UnknownRun` and `NeverShown`. Where it is shown already, nothing changes. The `fence` is as
    in `publish`.
    """
    _check_moment(at, "at")
    with _alone(engine) as connection:
        known = _known(connection, run_id)
        if known is None:
            raise UnknownRun(run_id)
        if known["published_at"] is None:
            raise NeverShown(run_id)
        # What was shown once leaves a run that is shown, so there is one.
        before = str(connection.execute(select(tables.current_run.c.run_id)).scalar_one())
        _point_to(connection, run_id, at, "rolled back", f"in place of {before}")
        if fence is not None:
            fence(connection, run_id)
        return before


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other publisher shares its time with."""
    with connected(engine) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        yield connection


def _check_moment(moment: dt.datetime, name: str) -> None:
    if moment.tzinfo is None:
        raise Unpublishable(f"{name} has no time zone", "give an aware datetime", field=name)


def _known(connection: Connection, run_id: str) -> RowMapping | None:
    run = tables.run.c
    question = select(run.id, run.published_at).where(run.id == run_id)
    return connection.execute(question).mappings().one_or_none()


def _settle(connection: Connection, run: ForecastRun, lineage: Lineage | None, **shown: dt.datetime) -> None:
    """Write what may still change of a run that was never shown: what the guard and a person say of it."""
    said: dict[str, object] = {"because": run.because, **shown}
    if lineage is not None:
        said |= {"refused": list(lineage.refused), "accepted": lineage.accepted}
    connection.execute(update(tables.run).where(tables.run.c.id == run.id).values(said))


def _point_to(connection: Connection, run_id: str, at: dt.datetime, what: What, because: str) -> bool:
    """Make a run the one that is shown, and write that down; False where it was already."""
    if connection.scalar(select(tables.current_run.c.run_id)) == run_id:
        return False
    pointer = upsert(tables.current_run).values(run_id=run_id)
    connection.execute(
        pointer.on_conflict_do_update(index_elements=["single"], set_={"run_id": pointer.excluded.run_id})
    )
    connection.execute(insert(tables.shown).values(run_id=run_id, at=at, what=what, because=because))
    return True
