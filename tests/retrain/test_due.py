"""When a month is due, and which months are: tables by hand, and what holds for every calendar."""

import datetime as dt
import tomllib
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.months import Month, months_from
from retrain.due import due, due_moment, newest_due
from retrain.errors import BadPlan
from retrain.schedule import Schedule, parse_schedule

NRW = Schedule(time_zone="Europe/Berlin", holidays="DE-NW")


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("month", "schedule", "expected"),
    [
        # November 2026 begins on a Sunday, All Saints'; Monday 2, Tuesday 3, Wednesday 4.
        ("2026-10", NRW, "2026-11-04T06:00+01:00"),
        # All Saints' 2027 is a Monday: Tuesday 2, Wednesday 3, Thursday 4; in Berlin it is a day's work.
        ("2027-10", NRW, "2027-11-04T06:00+01:00"),
        ("2027-10", Schedule(time_zone="Europe/Berlin", holidays="DE-BE"), "2027-11-03T06:00+01:00"),
        ("2027-10", Schedule(time_zone="Europe/Berlin"), "2027-11-03T06:00+01:00"),
        # Good Friday 3 and Easter Monday 6 April 2026: Wednesday 1, Thursday 2, Tuesday 7; summer time.
        ("2026-03", NRW, "2026-04-07T06:00+02:00"),
        # New Year's Day 2026 is a Thursday: Friday 2, Monday 5, Tuesday 6; Epiphany is a holiday in Bavaria.
        ("2025-12", NRW, "2026-01-06T06:00+01:00"),
        ("2025-12", Schedule(time_zone="Europe/Berlin", holidays="DE-BY"), "2026-01-07T06:00+01:00"),
        # The works holiday of one company.
        (
            "2026-10",
            Schedule(3, dt.time(6), "Europe/Berlin", "DE", extra_holidays=frozenset({dt.date(2026, 11, 3)})),
            "2026-11-05T06:00+01:00",
        ),
        # Where people rest on Friday and Saturday: Sunday 1, Monday 2, Tuesday 3.
        ("2026-10", Schedule(time_zone="Asia/Riyadh", holidays="SA"), "2026-11-03T06:00+03:00"),
        # The day is that of the place, whatever day it is in Greenwich.
        ("2026-10", Schedule(time_zone="Asia/Tokyo"), "2026-11-03T21:00+00:00"),
        ("2026-10", Schedule(1, dt.time(22), "America/New_York"), "2026-11-03T03:00Z"),
        # Fifteen working days that the month does not have: the count goes on in the next.
        (
            "2026-11",
            Schedule(15, extra_holidays=frozenset(dt.date(2026, 12, day) for day in range(1, 32))),
            "2027-01-21T06:00Z",
        ),
    ],
)  # fmt: skip
def test_the_moment(month: str, schedule: Schedule, expected: str) -> None:
    assert due_moment(Month.parse(month), schedule) == moment(expected)


class TestClocksThatAreChanged:
    def test_a_time_that_does_not_exist_is_a_jump_later(self) -> None:
        # On Friday 24 April 2026 Cairo's clocks go from midnight to 01:00.
        last = frozenset(dt.date(2026, 4, day) for day in range(1, 24))
        schedule = Schedule(1, dt.time(0, 30), "Africa/Cairo", extra_holidays=last)
        found = due_moment(Month(2026, 3), schedule)
        assert found == moment("2026-04-24T01:30+03:00") == moment("2026-04-23T22:30Z")

    def test_of_a_time_that_comes_twice_the_first_counts(self) -> None:
        # On Thursday 29 October 2026 at midnight, Cairo's clocks go back to 23:00.
        last = frozenset(dt.date(2026, 10, day) for day in range(1, 29))
        schedule = Schedule(1, dt.time(23, 30), "Africa/Cairo", extra_holidays=last)
        found = due_moment(Month(2026, 9), schedule)
        assert found == moment("2026-10-29T23:30+03:00")
        assert due(found - dt.timedelta(seconds=1), schedule, Month(2026, 8)) == []
        for later in (0, 1, 59, 60, 61, 119):  # minutes, the second 23:30 among them
            assert due(found + dt.timedelta(minutes=later), schedule, Month(2026, 8)) == [Month(2026, 9)]
            assert due(found + dt.timedelta(minutes=later), schedule, Month(2026, 9)) == []


@pytest.mark.parametrize(
    ("now", "last", "catch_up", "expected"),
    [
        ("2026-11-04T04:59:59Z", "2026-09", 3, []),
        ("2026-11-04T05:00:00Z", "2026-09", 3, ["2026-10"]),
        ("2026-11-30T23:59:59Z", "2026-10", 3, []),
        # The first time there is no telling what was missed.
        ("2026-11-04T05:00:00Z", None, 3, ["2026-10"]),
        ("2026-11-04T04:59:59Z", None, 3, ["2026-09"]),
        # After an outage the oldest comes first, and what is too long ago never.
        ("2026-11-25T00:00:00Z", "2026-08", 3, ["2026-09", "2026-10"]),
        ("2026-11-25T00:00:00Z", "2026-01", 3, ["2026-08", "2026-09", "2026-10"]),
        ("2026-11-25T00:00:00Z", "2026-01", 1, ["2026-10"]),
        # A clock that is behind.
        ("2026-07-01T00:00:00Z", "2026-10", 3, []),
    ],
)
def test_which_months_are_due(now: str, last: str | None, catch_up: int, expected: list[str]) -> None:
    schedule = Schedule(time_zone="Europe/Berlin", holidays="DE-NW", catch_up=catch_up)
    found = due(moment(now), schedule, None if last is None else Month.parse(last))
    assert [str(month) for month in found] == expected


PLACES = [None, "DE", "DE-NW", "US", "CN", "JP", "SA", "IN", "BR", "CH-ZH"]
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Africa/Cairo",
]
schedules = st.builds(
    Schedule,
    working_day=st.integers(1, 15),
    time=st.times().map(lambda time: time.replace(microsecond=0)),
    time_zone=st.sampled_from(ZONES),
    holidays=st.sampled_from(PLACES),
    extra_holidays=st.frozensets(st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31)), max_size=20),
    catch_up=st.integers(1, 6),
)  # fmt: skip
months = st.integers(Month(2024, 1).ordinal, Month(2028, 6).ordinal).map(Month.from_ordinal)
moments = st.integers(0, 4 * 365 * 24 * 60).map(
    lambda minutes: dt.datetime(2024, 3, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
)


@given(schedules, months)
def test_a_moment_is_on_a_working_day_and_one_month_is_after_the_other(
    schedule: Schedule, month: Month
) -> None:
    found = due_moment(month, schedule)
    day = found.astimezone(schedule.zone).date()
    # Counted by hand: as many working days as asked for, the last of them the day itself.
    days = [month.first_day + dt.timedelta(step) for step in range(31 * 3)]
    worked = [d for d in days if Month.of(d) > month and d <= day and schedule.is_working_day(d)]
    assert len(worked) == schedule.working_day
    assert worked[-1] == day
    assert day not in schedule.extra_holidays
    if schedule.holidays is None:
        assert day.weekday() < 5
    assert due_moment(month + 1, schedule) > found


@given(schedules, moments, st.integers(1, 120))
def test_time_only_adds_months(schedule: Schedule, now: dt.datetime, hours: int) -> None:
    later = now + dt.timedelta(hours=hours)
    newest = newest_due(now, schedule)
    assert due_moment(newest, schedule) <= now < due_moment(newest + 1, schedule)
    assert newest_due(later, schedule) >= newest
    assert due(now, schedule, newest) == []


@given(schedules, moments, st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_whenever_somebody_looks_every_month_comes_once_and_in_order(
    schedule: Schedule, start: dt.datetime, waits: list[int]
) -> None:
    """Looking at irregular moments, up to 16 days apart: never twice, and none is left out."""
    done: list[Month] = due(start, schedule, None)
    now = start
    for hours in waits:
        now += dt.timedelta(hours=hours)
        done += due(now, schedule, done[-1])
    assert done == months_from(done[0], len(done))
    assert done[-1] == newest_due(now, schedule)


class TestConfiguration:
    def test_all_of_it(self) -> None:
        text = """
        [schedule]
        working_day = 2
        time = "07:30"
        time_zone = "Europe/Berlin"
        holidays = "DE-NW"
        extra_holidays = ["2026-12-24", 2026-12-31]
        catch_up = 2
        attempts = 4
        lease = 60
        """
        days = frozenset({dt.date(2026, 12, 24), dt.date(2026, 12, 31)})
        found = parse_schedule(tomllib.loads(text))
        assert found == Schedule(
            2, dt.time(7, 30), "Europe/Berlin", "DE-NW", days, 2, 4, dt.timedelta(minutes=1)
        )
        assert found.zone == ZoneInfo("Europe/Berlin")

    def test_none_of_it(self) -> None:
        assert parse_schedule({}) == Schedule()

    def test_a_time_as_toml_has_it(self) -> None:
        assert parse_schedule(tomllib.loads("[schedule]\ntime = 06:15:00")).time == dt.time(6, 15)

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("working_day", 0),
            ("working_day", 16),
            ("working_day", True),
            ("time", "6 o'clock"),
            ("time", "06:00+01:00"),
            ("time", 6),
            ("time_zone", "Berlin"),
            ("time_zone", "../etc/passwd"),
            ("time_zone", ""),
            ("time_zone", 1),
            ("holidays", "XX"),
            ("holidays", "DE-XX"),
            ("holidays", ["DE"]),
            ("extra_holidays", "2026-12-24"),
            ("extra_holidays", ["24.12.2026"]),
            ("extra_holidays", [dt.datetime(2026, 12, 24)]),  # noqa: DTZ001  # as TOML reads it
            ("extra_holidays", [20261224]),
            ("catch_up", 0),
            ("attempts", 0),
            ("lease", 0),
            ("lease", 1.5),
            ("workers", 2),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense(self, setting: str, value: object) -> None:
        with pytest.raises(BadPlan, match=rf"schedule\.{setting}"):
            parse_schedule({"schedule": {setting: value}})
