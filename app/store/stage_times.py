"""How long each stage of a month took, and how the month ended."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as upsert

from app.store import tables
from forecasting.months import Month


@dataclass(frozen=True)
class StageTime:
    """A stage that ran: seconds, and the most memory the process had held by its end, in bytes."""

    stage: str
    seconds: float
    peak_memory: int


@dataclass(frozen=True)
class MonthTimes:
    """A month as it was run once: its stages in order, how it ended, and the run that came of it."""

    at: dt.datetime
    month: Month
    outcome: str
    run_id: str | None
    stages: tuple[StageTime, ...]


def keep_times(connection: Connection, times: MonthTimes) -> None:
    """Store how a month went; a second time changes nothing."""
    rows = [
        {
            "at": times.at,
            "month": times.month.first_day,
            "outcome": times.outcome,
            "run_id": times.run_id,
            "place": place,
            "stage": each.stage,
            "seconds": each.seconds,
            "peak_memory": each.peak_memory,
        }
        for place, each in enumerate(times.stages)
    ]
    if rows:
        connection.execute(upsert(tables.stage_time).values(rows).on_conflict_do_nothing())


def last_times(connection: Connection) -> MonthTimes | None:
    """How the last month went that was started, None before the first."""
    time = tables.stage_time.c
    newest = sa.select(sa.func.max(time.at)).scalar_subquery()
    rows = connection.execute(
        sa.select(tables.stage_time).where(time.at == newest).order_by(time.month, time.place)
    ).all()
    if not rows:
        return None
    first = rows[0]
    stages = tuple(StageTime(row.stage, row.seconds, row.peak_memory) for row in rows)
    return MonthTimes(first.at, Month.of(first.month), first.outcome, first.run_id, stages)


def outcomes(connection: Connection) -> dict[str, int]:
    """How many months, as they were run, ended in which way."""
    time = tables.stage_time.c
    each = sa.select(time.at, time.month, time.outcome).distinct().subquery()
    question = sa.select(each.c.outcome, sa.func.count()).group_by(each.c.outcome)
    return {row[0]: row[1] for row in connection.execute(question)}
