"""When a month is due and how it is tried, as `[schedule]` of tonnage.toml states it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from holidays import HolidayBase, country_holidays

from retrain.errors import BadPlan
from retrain.plan import section

_KNOWN = (
    "attempts",
    "catch_up",
    "extra_holidays",
    "holidays",
    "lease",
    "time",
    "time_zone",
    "working_day",
)
LATEST_WORKING_DAY = 15
MOST_CAUGHT_UP = 120
MOST_ATTEMPTS = 20
SHORTEST_LEASE, LONGEST_LEASE = 1, 86_400


@dataclass(frozen=True)
class Schedule:
    """On which working day a month that is over is run, at what time of which place.

    `holidays` is a country or a part of one, such as "DE" or "DE-NW", which also says what a weekend is
    there; without it there are Saturdays and Sundays only. After an outage up to `catch_up` months are made
    up for. A month that fails is tried `attempts` times in all. A worker that is silent for `lease` is
    taken for dead.
    """

    working_day: int = 3
    time: dt.time = dt.time(6)
    time_zone: str = "UTC"
    holidays: str | None = None
    extra_holidays: frozenset[dt.date] = frozenset()
    catch_up: int = 3
    attempts: int = 5
    lease: dt.timedelta = dt.timedelta(minutes=5)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _calendar(self) -> HolidayBase | None:
        return None if self.holidays is None else _calendar(self.holidays)

    def is_working_day(self, day: dt.date) -> bool:
        """Whether people work on this day, there."""
        if day in self.extra_holidays:
            return False
        return day.weekday() < 5 if self._calendar is None else self._calendar.is_working_day(day)


def parse_schedule(document: Mapping[str, object]) -> Schedule:
    """The schedule in `[schedule]` of a configuration; raises `BadPlan`."""
    given = section(document, "schedule", _KNOWN)
    usual = Schedule()
    seconds = int(usual.lease.total_seconds())
    return Schedule(
        _count(given, "working_day", usual.working_day, 1, LATEST_WORKING_DAY),
        _time(given.get("time", usual.time)),
        _zone(given.get("time_zone", usual.time_zone)),
        _holidays(given.get("holidays")),
        _days(given.get("extra_holidays", [])),
        _count(given, "catch_up", usual.catch_up, 1, MOST_CAUGHT_UP),
        _count(given, "attempts", usual.attempts, 1, MOST_ATTEMPTS),
        dt.timedelta(seconds=_count(given, "lease", seconds, SHORTEST_LEASE, LONGEST_LEASE)),
    )


def _calendar(place: str) -> HolidayBase:
    country, _, part = place.partition("-")
    return country_holidays(country, subdiv=part or None)


def _count(given: Mapping[str, object], name: str, usual: int, least: int, most: int) -> int:
    value = given.get(name, usual)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadPlan(f"schedule.{name}", value, f"write a whole number from {least} to {most:,}")
    return value


def _time(value: object) -> dt.time:
    try:
        time = dt.time.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        time = None
    if not isinstance(time, dt.time) or time.tzinfo is not None:
        raise BadPlan("schedule.time", value, 'write a time of the day, for example "06:00"')
    return time


def _zone(value: object) -> str:
    remedy = 'write a time zone of the IANA database, for example "Europe/Berlin"'
    if not isinstance(value, str):
        raise BadPlan("schedule.time_zone", value, remedy)
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError) as error:  # what it raises for texts that are no names of zones
        raise BadPlan("schedule.time_zone", value, remedy) from error
    return value


def _holidays(value: object) -> str | None:
    if value is None:
        return None
    remedy = 'write a country, or a country and a part of it, for example "DE" or "DE-NW"'
    if not isinstance(value, str):
        raise BadPlan("schedule.holidays", value, remedy)
    try:
        _calendar(value)
    except NotImplementedError as error:
        raise BadPlan("schedule.holidays", value, f"{str(error).rstrip('.')}; {remedy}") from error
    return value


def _days(value: object) -> frozenset[dt.date]:
    setting, remedy = "schedule.extra_holidays", 'write a list of days, for example ["2026-12-24"]'
    if not isinstance(value, list):
        raise BadPlan(setting, value, remedy)
    days = set()
    for each in value:
        try:
            day = dt.date.fromisoformat(each) if isinstance(each, str) else each
        except ValueError as error:
            raise BadPlan(setting, each, remedy) from error
        if not isinstance(day, dt.date) or isinstance(day, dt.datetime):
            raise BadPlan(setting, each, remedy)
        days.add(day)
    return frozenset(days)
