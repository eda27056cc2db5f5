"""What `tonnage schedule` prints: months to come, and months that were due."""

import datetime as dt
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.store.periods import Period
from forecasting.months import months_from
from retrain.due import due_moment, newest_due
from retrain.schedule import Schedule

AHEAD = 3


def print_schedule(console: Console, schedule: Schedule, periods: Sequence[Period], now: dt.datetime) -> None:
    """The next months with their moments, then those that the workers have come to, newest first."""
    table = Table(title=f"Months, times of {schedule.time_zone}", title_justify="left")
    table.add_column("month")
    table.add_column("due")
    table.add_column("status")
    table.add_column("attempts", justify="right")
    table.add_column("ended")
    table.add_column("run, or why there is none")
    for month in reversed(months_from(newest_due(now, schedule) + 1, AHEAD)):
        table.add_row(str(month), _moment(due_moment(month, schedule), schedule), "to come", "", "", "")
    for period in periods:
        table.add_row(
            str(period.month),
            _moment(due_moment(period.month, schedule), schedule),
            _status(period),
            f"{period.attempt}",
            _moment(period.finished_at, schedule),
            escape(period.run or period.detail or ""),
        )
    console.print(table)


def _status(period: Period) -> str:
    if period.status == "running":
        return escape(f"{period.stage or 'begun'}, by {period.worker}")
    return "to be tried again" if period.status == "waiting" and period.failures else period.status


def _moment(moment: dt.datetime | None, schedule: Schedule) -> str:
    return "" if moment is None else f"{moment.astimezone(schedule.zone):%Y-%m-%d %H:%M}"
