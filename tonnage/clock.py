"""The only place that reads the clock; everywhere else time comes in as an argument."""

import datetime as dt
import time

from forecasting.months import Month


def now() -> dt.datetime:
    """The present moment, in UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251  # the one permitted reading of the clock


def seconds() -> float:
    """Seconds since some moment, by a clock that never goes back."""
    return time.perf_counter()


def last_complete_month(moment: dt.datetime) -> Month:
    """The month before the one that a moment falls in."""
    return Month.of(moment.date()) - 1
