"""Pure: what a snapshot adds up to, source by source and month by month, and what that is compared with."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from forecasting.months import Month
from ingestion.snapshot import MonthChange, SliceRecord, Snapshot, SourceRecord, Tally, months_of, tallies


def month_totals(record: SourceRecord, repeats: pl.DataFrame) -> dict[str, Tally]:
    """What a source's lines that count add up to in each month; `repeats` are those of the whole snapshot."""
    own = repeats.filter(pl.col("source") == record.name)
    out = months_of(own)
    months = _added(each.months for each in record.slices)
    return {name: each - out.get(name, Tally()) for name, each in months.items()}


def totals(
    slices: Sequence[SliceRecord], repeats: pl.DataFrame, month: Month
) -> tuple[Tally, Tally, dict[str, Tally]]:
    """Kept up to the end of `month`, kept of later months, and set aside by reason.

    `repeats` are the source's own; what they take out was kept by a part.
    """
    months = _added(each.months for each in slices)
    kept = sum((each for name, each in months.items() if name <= str(month)), Tally())
    later = sum((each for name, each in months.items() if name > str(month)), Tally())
    again = tallies(repeats, pl.col("reason"))
    aside = _added([*(each.set_aside for each in slices), again])
    return kept - sum(again.values(), Tally()), later, aside


def changes(before: Snapshot, after: Snapshot) -> list[MonthChange]:
    """The months that both cover, of sources that both have, and that are not what they were."""
    last, none = min(before.month, after.month), Tally()
    return [
        MonthChange(
            source=record.name, month=name, before=was.get(name, Tally()), after=now.get(name, Tally())
        )
        for record in after.manifest.sources
        if (old := before.manifest.source(record.name)) and before.demand == after.demand
        for was, now in [(month_totals(old, before.repeats), month_totals(record, after.repeats))]
        for name in sorted(was.keys() | now.keys())
        if name <= str(last) and was.get(name, none) != now.get(name, none)
    ]


def _added(groups: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    added: dict[str, Tally] = {}
    for group in groups:
        for name, tally in group.items():
            added[name] = added.get(name, Tally()) + tally
    return dict(sorted(added.items()))
