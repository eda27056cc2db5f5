"""The months that the schedule has come to: each has one row, whoever notes it first."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.refusals import NotToBeRunAgain
from app.store import tables
from app.store.leases import RETRAIN, UNFINISHED, Claim, Terms, one_by_one, ready, retraining, take
from app.store.session import connected
from forecasting.months import Month

_ROW = tables.period.c


@dataclass(frozen=True)
class Period:
    """What has become of a month so far."""

    month: Month
    status: str
    run: str | None
    stage: str | None
    worker: str | None
    attempt: int
    failures: int
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    detail: str | None


@dataclass(frozen=True)
class ClaimedMonth:
    """A month that a worker is to run now."""

    month: Month
    claim: Claim


def newest_period(engine: Engine) -> Month | None:
    """The newest month that has a row."""
    with connected(engine) as connection:
        newest = connection.scalar(select(func.max(_ROW.month)).where(_ROW.job == RETRAIN))
    return None if newest is None else Month.of(newest)


def note_due(engine: Engine, months: Collection[Month]) -> None:
    """Give each of these months its row, if it has none."""
    if not months:
        return
    rows = [{"job": RETRAIN, "month": month.first_day} for month in months]
    with connected(engine) as connection:
        connection.execute(insert(tables.period).on_conflict_do_nothing(), rows)


def claim_month(engine: Engine, terms: Terms, at: dt.datetime) -> ClaimedMonth | None:
    """The oldest month that has not ended, if it is ready and no other month is being run.

    Months are run in order: a month waits for the one before to be done, refused or given up.
    """
    question = (
        select(tables.period, ready(tables.period).label("ready"))
        .where(_ROW.job == RETRAIN, _ROW.status.in_(UNFINISHED))
        .order_by(_ROW.month)
        .limit(1)
    )
    with connected(engine) as connection:
        one_by_one(connection)
        if retraining(connection):
            return None
        while (row := connection.execute(question).one_or_none()) and row.ready:
            claim = take(connection, tables.period, row, terms, at)
            if claim:
                return ClaimedMonth(Month.of(row.month), claim)
    return None


def run_again(engine: Engine, month: Month) -> None:
    """Have the workers run a month again that was refused or given up.

    Raises `NotToBeRunAgain` for one that they have not ended so, or that a newer one has followed.
    """
    newer = tables.period.alias()
    followed = sa.exists().where(newer.c.job == RETRAIN, newer.c.month > _ROW.month, newer.c.status == "done")
    with connected(engine) as connection:
        one_by_one(connection)
        mine = (_ROW.job == RETRAIN, _ROW.month == month.first_day)
        row = connection.execute(select(_ROW.status, followed.label("followed")).where(*mine)).one_or_none()
        if row is None or row.status not in {"refused", "failed"} or row.followed:
            status = None if row is None else row.status
            raise NotToBeRunAgain(str(month), status, followed=bool(row and row.followed))
        connection.execute(
            update(tables.period).where(*mine).values(status="waiting", failures=0, not_before=None)
        )


def periods(engine: Engine, most: int) -> list[Period]:
    """The newest months, the newest first."""
    question = select(tables.period).where(_ROW.job == RETRAIN).order_by(_ROW.month.desc()).limit(most)
    with connected(engine) as connection:
        return [
            Period(
                Month.of(row.month),
                row.status,
                row.run_id,
                row.stage,
                row.worker,
                row.attempt,
                row.failures,
                row.started_at,
                row.finished_at,
                row.detail,
            )
            for row in connection.execute(question)
        ]
