"""Pure: how much may be wrong or change before a snapshot is refused."""

from collections.abc import Sequence

import polars as pl

from forecasting.months import Month
from ingestion.errors import ChangedMonth, ClosedMonthChanged, RejectCount, TooManyRejects
from ingestion.reasons import CANCELLED
from ingestion.snapshot import MonthChange
from ingestion.source_config import SourceConfig


def count_by_reason(rejects: pl.DataFrame) -> tuple[RejectCount, ...]:
    """What each reason set aside, most frequent first, with the first line as example.

    Quantities are summed without their sign, as far as they could be read: a rejected return does not
    make up for a rejected delivery.
    """
    counts = (
        rejects.sort("reason", "line", "field", "value")
        .group_by("reason")
        .agg(
            pl.len().alias("lines"),
            pl.col("quantity").abs().sum(),
            pl.col("line", "field", "value").first(),
        )
        .sort(["lines", "reason"], descending=[True, False])
    )
    return tuple(RejectCount(*row) for row in counts.iter_rows())


def check_rejects(source: SourceConfig, lines: int, quantity: int, rejects: Sequence[RejectCount]) -> None:
    """Raise `TooManyRejects` when more than `max_rejects` of a source is set aside, in lines or quantity.

    `lines` and `quantity` are what is kept, the quantity summed without signs. Cancelled lines are
    nothing wrong and count towards neither.
    """
    wrong = [each for each in rejects if each.reason != CANCELLED]
    all_lines = lines + sum(each.lines for each in wrong)
    all_quantity = quantity + sum(each.quantity for each in wrong)
    limit = source.max_rejects
    too_many = sum(each.lines for each in wrong) > limit * all_lines
    too_much = sum(each.quantity for each in wrong) > limit * all_quantity
    if too_many or too_much:
        raise TooManyRejects(source.name, wrong, all_lines, all_quantity, limit)


def check_closed_months(changes: Sequence[MonthChange], month: Month, limit: float) -> None:
    """Raise `ClosedMonthChanged` when a month before `month` changed by more than a share of what it was.

    A change is measured without signs on either side, so a return that comes late is not lost in what it
    returns.
    """
    changed = [
        ChangedMonth(each.source, each.month, each.before.quantity, each.after.quantity)
        for each in changes
        if each.month < str(month)
        and abs(each.after.quantity - each.before.quantity) > limit * each.before.gross
    ]
    if changed:
        raise ClosedMonthChanged(changed, limit)
