"""Months add, subtract, sort and refuse what is not a month."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.errors import BadMonth
from forecasting.months import Month, months_from

months = st.builds(Month, st.integers(1900, 2200), st.integers(1, 12))


def test_adding_crosses_the_year() -> None:
    assert Month(2026, 11) + 2 == Month(2027, 1)
    assert Month(2026, 1) - 1 == Month(2025, 12)


def test_differences_count_months() -> None:
    assert Month(2027, 2) - Month(2026, 11) == 3


def test_text_round_trip() -> None:
    assert str(Month.parse("2026-01")) == "2026-01"


def test_month_of_a_day_and_its_first_day() -> None:
    assert Month.of(dt.date(2026, 11, 23)) == Month(2026, 11)
    assert Month(2026, 11).first_day == dt.date(2026, 11, 1)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "26-11", "2026/11", "November", "", "0000-01"])
def test_what_is_not_a_month_is_refused(text: str) -> None:
    with pytest.raises(BadMonth, match="YYYY-MM"):
        Month.parse(text)


@given(months, st.integers(-600, 600))
def test_adding_and_subtracting_are_inverse(month: Month, steps: int) -> None:
    assert (month + steps) - month == steps
    assert (month + steps) - steps == month


@given(months, months)
def test_order_is_the_order_of_time(one: Month, other: Month) -> None:
    assert (one < other) == (one - other < 0)


def test_consecutive_months() -> None:
    assert [str(m) for m in months_from(Month(2026, 11), 3)] == ["2026-11", "2026-12", "2027-01"]
