"""How much may be wrong or change, by hand."""

from collections.abc import Callable

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.limits import check_closed_months, check_rejects, count_by_reason
from ingestion.order_line import PART_REJECTS
from ingestion.snapshot import MonthChange, Tally
from ingestion.snapshot_errors import ChangedMonth, ClosedMonthChanged, RejectCount, TooManyRejects
from ingestion.source_config import SourceConfig
from ingestion.units import DemandUnit

type Source = Callable[..., SourceConfig]

KEY = RejectCount("missing key", 1, 2, "7", "customer", None)
UNIT = RejectCount("unknown unit", 1, 0, "8", "unit", "x" * 60)
CANCELLED = RejectCount("cancelled", 900, 10**6, "9", "status", "void")


def test_rejects_are_counted_by_reason_without_signs() -> None:
    rows = [
        ("missing key", "3", "customer", None, -5),
        ("not a number", "4", "quantity", "abc", None),
        ("missing key", "2", "material", None, 7),
    ]
    rejects = pl.DataFrame(rows, schema=PART_REJECTS, orient="row")
    expected = (
        RejectCount("missing key", 2, 12, "2", "material", None),
        RejectCount("not a number", 1, 0, "4", "quantity", "abc"),
    )
    assert count_by_reason(rejects) == count_by_reason(rejects[::-1]) == expected


@pytest.mark.parametrize(
    ("lines", "quantity", "limits", "exceeded"),
    [
        (98, 98, {}, None),  # 2 of 100 lines and 2 of 100 kg
        (97, 98, {}, "max_rejects"),  # 2 of 99 lines
        (98, 97, {}, "max_rejects"),  # 2 of 99 kg
        (97, 98, {"missing key": 0.02}, None),  # each reason is 1 of 99 lines
        (97, 97, {"missing key": 0.02}, 'limits "missing key"'),  # 2 of 99 kg
        (10**6, 10**9, {"unknown unit": 0}, 'limits "unknown unit"'),
        (9_000, 10**9, {"cancelled": 0.09}, 'limits "cancelled"'),  # 900 of 9,902 lines
        (9_100, 10**9, {"cancelled": 0.09}, None),  # 900 of 10,002 lines
    ],
)
def test_a_limit_is_a_share_of_lines_and_of_quantity(
    lines: int, quantity: int, limits: dict[str, float], exceeded: str | None, source: Source
) -> None:
    config = source(max_rejects=0.02, limits=limits)
    try:
        check_rejects(config, DemandUnit.TONNE, lines, quantity, [KEY, UNIT, CANCELLED])
        found = None
    except TooManyRejects as error:
        found = error.setting
    assert found == exceeded


def test_the_message_counts_and_gives_an_example_of_each(source: Source) -> None:
    with pytest.raises(TooManyRejects) as caught:
        check_rejects(source(), DemandUnit.TONNE, 3, 12_000, [KEY, UNIT])
    error = caught.value
    assert (error.rejected, error.lines, error.rejected_quantity, error.quantity) == (2, 5, 2, 12_002)
    assert str(error) == (
        "source 'erp': 2 of 5 lines are rejected, 2 of 12,002 kg, more than max_rejects = 0.02: "
        "missing key 1 (line '7': customer = empty), "
        f"unknown unit 1 (line '8': unit = '{'x' * 37}...')\n"
        "correct the lines or the mapping in [sources.erp.columns], "
        'raise [sources.erp] max_rejects, or ingest once with --accept "why"'
    )


OCTOBER = Month(2026, 10)


def change(month: str, before: int, after: int) -> MonthChange:
    return MonthChange(source="erp", month=month, before=Tally(quantity=before), after=Tally(quantity=after))


@pytest.mark.parametrize(
    ("month", "before", "after", "refused"),
    [
        ("2026-08", 100, 110, False),
        ("2026-08", 100, 111, True),
        ("2026-08", -100, -89, True),
        ("2026-10", 100, 900, False),  # the month itself is open
        ("2026-09", 100, 0, True),
        ("2026-08", 0, 1, True),
    ],
)
def test_a_closed_month_may_change_by_a_share(month: str, before: int, after: int, refused: bool) -> None:
    changes = [change(month, before, after)]
    try:
        check_closed_months(changes, OCTOBER, 0.1, "kg")
        found: tuple[ChangedMonth, ...] = ()
    except ClosedMonthChanged as error:
        found = error.changes
    assert found == ((ChangedMonth("erp", Month.parse(month), before, after),) if refused else ())


def test_changed_months_are_listed_with_both_figures_and_a_way_out() -> None:
    changes = [change(f"2026-0{number}", 1_000, 0) for number in range(1, 8)]
    with pytest.raises(ClosedMonthChanged) as caught:
        check_closed_months(changes, OCTOBER, 0.1, "kg")
    assert len(caught.value.changes) == 7
    message = str(caught.value)
    assert message.startswith(
        "closed months changed by more than max_change = 0.1: 2026-01 of source 'erp' from 1,000 to 0 kg, "
    )
    assert "2026-05 of source 'erp' from 1,000 to 0 kg and 2 more\n" in message
    assert message.endswith('or ingest once with --accept "why they changed"')
