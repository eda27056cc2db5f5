"""Which months are due: pure arithmetic of calendars and clocks."""

import datetime as dt
from itertools import count, islice

from forecasting.months import Month, months_from
from retrain.schedule import Schedule


def due_moment(month: Month, schedule: Schedule) -> dt.datetime:
    """When `month` is run, in UTC: at the schedule's time on the n-th working day after it is over.

    A time that the clock jumps over is one jump later, of one that comes twice the first counts. Where the
    month that follows has too few working days, the count goes on in the next.

    >>> str(due_moment(Month(2026, 10), Schedule(time_zone="Europe/Berlin", holidays="DE-NW")))
    '2026-11-04 05:00:00+00:00'
    """
    day = _working_day((month + 1).first_day, schedule)
    return dt.datetime.combine(day, schedule.time, schedule.zone).astimezone(dt.UTC)


def newest_due(now: dt.datetime, schedule: Schedule) -> Month:
    """The last month whose moment has come."""
    month = Month.of(now.astimezone(schedule.zone).date())
    while due_moment(month, schedule) > now:
        month = month - 1
    return month


def due(now: dt.datetime, schedule: Schedule, last: Month | None) -> list[Month]:
    """The months to run by now, oldest first, when `last` is the newest that the schedule has dealt with.

    All that were missed since, but of these only the newest `catch_up`; at the very first time one.
    """
    newest = newest_due(now, schedule)
    missed = 1 if last is None else min(newest - last, schedule.catch_up)
    return months_from(newest - (missed - 1), missed) if missed > 0 else []


def _working_day(first: dt.date, schedule: Schedule) -> dt.date:
    days = (first + dt.timedelta(step) for step in count())
    working = (day for day in days if schedule.is_working_day(day))
    return next(islice(working, schedule.working_day - 1, None))
