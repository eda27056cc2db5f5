"""Pure: what a snapshot adds up to, source by source and month by month, and what that is compared with."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from forecasting.months import Month
from ingestion.snapshot import MonthChange, SliceRecord, SourceRecord, Tally, tallies


def month_totals(record: SourceRecord) -> dict[str, Tally]:
    """What a source's kept lines add up to in each month, before repeats are taken out."""
    return _added(each.months for each in record.slices)


def totals(
    slices: Sequence[SliceRecord], repeats: pl.DataFrame, month: Month
) -> tuple[Tally, Tally, dict[str, Tally]]:
    """Kept up to the end of `month`, kept of later months, and set aside by reason.

    `repeats` are the source's own; what they take out was kept by a part.
    """
    months = _added(each.months for each in slices)
    kept = sum((each for name, each in months.items() if name <= str(month)), Tally())
    later = sum((each for name, each in months.items() if name > str(month)), Tally())
    again = tallies(repeats.filter(pl.col("date") < (month + 1).first_day), pl.col("reason"))
    aside = _added([*(each.set_aside for each in slices), again])
    return kept - sum(again.values(), Tally()), later, aside


def changes(before: SourceRecord, after: SourceRecord, month: Month) -> list[MonthChange]:
    """The months up to `month` of a source that are not what they were."""
    was, now = month_totals(before), month_totals(after)
    return [
        MonthChange(
            source=after.name, month=name, before=was.get(name, Tally()), after=now.get(name, Tally())
        )
        for name in sorted(was.keys() | now.keys())
        if name <= str(month) and was.get(name) != now.get(name)
    ]


def _added(groups: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    added: dict[str, Tally] = {}
    for group in groups:
        for name, tally in group.items():
            added[name] = added.get(name, Tally()) + tally
    return dict(sorted(added.items()))
