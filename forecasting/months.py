"""The calendar month: the only unit of time inside the product."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import overload

from forecasting.errors import BadMonth

_PATTERN = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A calendar month that adds, subtracts and sorts.

    >>> Month(2026, 11) + 3
    Month(year=2027, month=2)
    >>> Month.parse("2027-02") - Month.parse("2026-11")
    3
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.year <= 9999 and 1 <= self.month <= 12):
            raise BadMonth(f"{self.year}-{self.month}")

    @classmethod
    def parse(cls, text: str) -> "Month":
        """The month written as YYYY-MM; raises `BadMonth` for anything else."""
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise BadMonth(text)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: dt.date) -> "Month":
        """The month that holds a day."""
        return cls(day.year, day.month)

    @classmethod
    def from_ordinal(cls, ordinal: int) -> "Month":
        """The month with this count of months since year 0; inverse of `ordinal`."""
        return cls(ordinal // 12, ordinal % 12 + 1)

    @property
    def ordinal(self) -> int:
        """Months since January of year 0, so that differences are plain integers."""
        return self.year * 12 + self.month - 1

    @property
    def first_day(self) -> dt.date:
        return dt.date(self.year, self.month, 1)

    def __add__(self, months: int) -> "Month":
        return Month.from_ordinal(self.ordinal + months)

    @overload
    def __sub__(self, other: "Month") -> int: ...
    @overload
    def __sub__(self, other: int) -> "Month": ...
    def __sub__(self, other: "Month | int") -> "int | Month":
        if isinstance(other, Month):
            return self.ordinal - other.ordinal
        return self + -other

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def months_from(first: Month, count: int) -> list[Month]:
    """`count` consecutive months, beginning with `first`."""
    return [first + step for step in range(count)]
