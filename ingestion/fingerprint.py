"""What each slice of a source sums to, by its own reckoning: how changes are seen without a watermark.

A slice is a month of lines as the source dates them, "2026-10", and "" where the date is missing; of dates
kept as text it is the first seven characters, and "" where these are no month. Late lines, corrections and
deletions all change the fingerprint of their slice, whenever they happen.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from forecasting.months import Month

_WHOLE = re.compile(r"\d{4}-\d{2}")
_BEYOND = re.compile(r"\d{5}|inf")
_MONTH = re.compile(r"(?!0000)(\d{4})-?(0[1-9]|1[0-2])")


class Fingerprint(NamedTuple):
    """How many lines a slice has, and a checksum over all mapped columns of all of them."""

    lines: int
    checksum: str


def slice_month(name: str) -> Month | None:
    """The month that a slice's name begins with.

    >>> [str(slice_month(name)) for name in ("2026-10", "2026103", "14.10.2")]
    ['2026-10', '2026-10', 'None']
    """
    match = _MONTH.match(name)
    return Month(int(match[1]), int(match[2])) if match else None


def is_later(name: str, month: Month, *, exact: bool) -> bool:
    """Whether no line of a slice can be dated up to `month`.

    Where slices are not exactly months (text may carry an offset from UTC) the month after is kept as well.
    """
    if exact and not _WHOLE.fullmatch(name):
        return bool(_BEYOND.match(name))
    begins = slice_month(name)
    return begins is not None and begins > (month if exact else month + 1)


def changed(now: Mapping[str, Fingerprint], before: Mapping[str, Fingerprint]) -> list[str]:
    """The slices whose fingerprint is new or another than before, in order."""
    return sorted(name for name, found in now.items() if before.get(name) != found)


def spans(months: Iterable[Month]) -> list[tuple[Month, Month]]:
    """The first and last of each row of months without a gap.

    >>> [(str(first), str(last)) for first, last in spans([Month(2026, 2), Month(2025, 12), Month(2026, 1)])]
    [('2025-12', '2026-02')]
    """
    rows = groupby(enumerate(sorted(set(months))), key=lambda each: each[1].ordinal - each[0])
    return [(row[0], row[-1]) for _, group in rows if (row := [month for _, month in group])]
