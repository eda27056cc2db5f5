"""Pure: how much may be set aside, and how much the past may change, before a snapshot is refused."""

from collections.abc import Mapping, Sequence

import polars as pl

from forecasting.months import Month
from ingestion.reasons import CANCELLED
from ingestion.snapshot_errors import ClosedMonthChanged, MonthChange, RejectCount, TooManyRejects
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


def check_closed_months(
    before: Mapping[tuple[str, Month], int],
    after: Mapping[tuple[str, Month], int],
    month: Month,
    limit: float,
    demand: DemandUnit,
) -> None:
    """Raise `ClosedMonthChanged` when a source's month before `month` changed by more than a share.

    Both are quantities of source and month in two snapshots, the earlier one first; a month that is
    missing has none. A source that the earlier one does not have at all is new, which is no change.
    """
    known = {source for source, _ in before}
    changes = [
        MonthChange(source, each, before.get((source, each), 0), after.get((source, each), 0))
        for source, each in sorted(before.keys() | after.keys())
        if source in known and each < month
    ]
    changed = [each for each in changes if abs(each.after - each.before) > limit * abs(each.before)]
    if changed:
        raise ClosedMonthChanged(changed, limit, demand.stored)
