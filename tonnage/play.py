"""Months of the demo, one after the other, by the clock of the schedule and without a hand."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from app.store.periods import Period, newest_period, periods
from app.store.run_records import runs
from forecasting.months import months_from
from retrain.due import due_moment
from retrain.schedule import parse_schedule
from tonnage.demo import LIVING, MONTH
from tonnage.demo_sources import grow_sources, make_source_tables
from tonnage.errors import HouseInUse
from tonnage.eventful_book import make_eventful_book
from tonnage.wiring import House


@dataclass(frozen=True)
class PlayedMonth:
    """What a month ended with, and the seconds it took."""

    period: Period
    seconds: float


def play(house: House, months: int, on_month: Callable[[str], None]) -> Iterator[PlayedMonth]:
    """Run the last `months` months of an eventful order book, each at its moment, as a worker would.

    The source systems grow as orders are entered. What was played before is not played again, so a play
    that was stopped goes on. Raises `HouseInUse` where the data folder has runs of something else.
    """
    wanted = months_from(MONTH - (months - 1), months)
    last = newest_period(house.engine)
    if runs(house.engine, 1) and (last is None or last not in wanted):
        raise HouseInUse(house.settings.home)
    config = house.settings.home / "demo.toml"
    config.write_text(LIVING, encoding="utf-8")
    schedule = parse_schedule(house.document(config))
    tables = make_source_tables(make_eventful_book())
    for month in wanted:
        on_month(str(month))
        started = time.perf_counter()
        moment = due_moment(month, schedule)
        grow_sources(house.engine, tables, moment.date())
        house.worker(config, partial(_same, moment)).work_off()
        (found,) = [each for each in periods(house.engine, months) if each.month == month]
        yield PlayedMonth(found, time.perf_counter() - started)


def _same(moment: dt.datetime) -> dt.datetime:
    """A clock that stands still."""
    return moment
