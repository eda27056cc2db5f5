"""Days against Python's own calendar and time zones."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.calendar_days import calendar_days

ZONES = ("UTC", "Europe/Berlin", "America/Chicago", "Asia/Kolkata", "Pacific/Kiritimati")


def day_of(text: str, zone: str = "UTC") -> date | None:
    result: date | None = calendar_days(pl.Series([text]), zone)[0]
    return result


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-11-01 00:30:00+02", "UTC", date(2026, 10, 31)),
        ("2026-11-01 00:30:00+02", "Europe/Berlin", date(2026, 10, 31)),  # +01 again since 25 October
        ("2026-10-31 23:30:00+00", "Europe/Berlin", date(2026, 11, 1)),
        ("2026-10-31 23:30:00Z", "America/Chicago", date(2026, 10, 31)),
        ("2026-10-31T23:30Z", "Europe/Berlin", date(2026, 11, 1)),
        ("2026-10-31 23:30:00.1234567 -05:00", "UTC", date(2026, 11, 1)),
        ("2026-10-31 23:59:59+0000", "Asia/Kolkata", date(2026, 11, 1)),
        ("1960-01-01 00:44:29+00:44:30", "UTC", date(1959, 12, 31)),
        ("2026-10-31 23:30:00", "Pacific/Kiritimati", date(2026, 10, 31)),
        ("2026-10-31", "Pacific/Kiritimati", date(2026, 10, 31)),
        ("2026-10-31 24:30:00+00", "UTC", None),
        ("2026-10-31 10:00:00+16", "UTC", None),
        ("2026-10-31+02", "UTC", None),
        ("2026-02-29 10:00:00+00", "UTC", None),
        ("+026-01-01", "UTC", None),
        ("2026- 1-05", "UTC", None),
        ("2026-1-5", "UTC", None),
    ],
)
def test_a_moment_has_the_day_of_its_zone(text: str, zone: str, day: date | None) -> None:
    assert day_of(text, zone) == day


moment = st.integers(86_400, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
offset = st.integers(-15 * 60, 15 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment, offset, st.sampled_from(ZONES))
def test_moments_agree_with_python(moment: datetime, offset: timezone, zone: str) -> None:
    written = moment.astimezone(offset)
    assert day_of(str(written), zone) == written.astimezone(ZoneInfo(zone)).date()


@given(st.dates(), st.sampled_from(ZONES))
def test_a_day_without_a_zone_is_the_day_that_is_written(day: date, zone: str) -> None:
    written = day.isoformat()
    for text in (written, written.replace("-", ""), f"{written}T23:59", f"{written} 00:00:00.000"):
        assert day_of(text, zone) == day
