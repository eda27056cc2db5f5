"""Pure: how much may be set aside, and how much the past may change, before a snapshot is refused."""

from collections.abc import Sequence

import polars as pl

from forecasting.months import Month
from ingestion.reasons import CANCELLED
from ingestion.snapshot import MonthChange
from ingestion.snapshot_errors import ChangedMonth, ClosedMonthChanged, RejectCount, TooManyRejects
from ingestion.source_config import SourceConfig
from ingestion.units import DemandUnit


def count_by_reason(rejects: pl.DataFrame) -> tuple[RejectCount, ...]:
    """What each reason set aside, most frequent first, with the first line as example.

    Quantities are summed without their signs, as far as they could be read: a rejected return does not
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


def check_rejects(
    source: SourceConfig, demand: DemandUnit, lines: int, quantity: int, rejects: Sequence[RejectCount]
) -> None:
    """Raise `TooManyRejects` when more of a source is set aside than it allows, in lines or in quantity.

    `lines` and `quantity` are what is kept, the quantity summed without signs. A reason with a limit of
    its own is judged by that alone, all others together by `max_rejects`. Cancelled lines are nothing
    wrong: they count only where they have a limit.
    """
    others = [each for each in rejects if each.reason != CANCELLED and each.reason not in source.limits]
    judged = [("max_rejects", source.max_rejects, others)]
    judged += [
        (f'limits "{each.reason}"', source.limits[each.reason], [each])
        for each in rejects
        if each.reason in source.limits
    ]
    for setting, limit, counts in judged:
        counting = [each for each in rejects if each.reason != CANCELLED or each in counts]
        all_lines = lines + sum(each.lines for each in counting)
        all_quantity = quantity + sum(each.quantity for each in counting)
        too_many = sum(each.lines for each in counts) > limit * all_lines
        too_much = sum(each.quantity for each in counts) > limit * all_quantity
        if too_many or too_much:
            raise TooManyRejects(
                source.name,
                setting,
                limit,
                counts,
                lines=all_lines,
                quantity=all_quantity,
                unit=demand.stored,
            )


def check_closed_months(changes: Sequence[MonthChange], month: Month, limit: float, unit: str) -> None:
    """Raise `ClosedMonthChanged` when a month before `month` changed by more than a share of what it was.

    `changes` are those since the snapshot before, of months and sources that it had as well.
    """
    changed = [
        ChangedMonth(each.source, Month.parse(each.month), each.before.quantity, each.after.quantity)
        for each in changes
        if each.month < str(month)
        and abs(each.after.quantity - each.before.quantity) > limit * abs(each.before.quantity)
    ]
    if changed:
        raise ClosedMonthChanged(changed, limit, unit)
