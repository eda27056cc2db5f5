"""Pure: what a snapshot adds up to, source by source and month by month, and what that is compared with."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from forecasting.months import Month
from ingestion.snapshot import MonthChange, SliceRecord, SourceRecord, Tally

_NOTHING = Tally(lines=0, quantity=0)


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
    later = {name: tally for name, tally in months.items() if name > str(month)}
    dated = repeats.filter(pl.col("date") < (month + 1).first_day)
    out = Tally(lines=dated.height, quantity=int(dated["quantity"].sum()))
    again = dated.group_by("reason").agg(pl.len(), pl.col("quantity").sum())
    repeated = {reason: Tally(lines=n, quantity=quantity) for reason, n, quantity in again.iter_rows()}
    kept = _sum(tally for name, tally in months.items() if name not in later)
    return (
        Tally(lines=kept.lines - out.lines, quantity=kept.quantity - out.quantity),
        _sum(later.values()),
        dict(sorted(_added([*(each.set_aside for each in slices), repeated]).items())),
    )


def changes(before: SourceRecord, after: SourceRecord, month: Month) -> list[MonthChange]:
    """The months up to `month` of a source that are not what they were."""
    was, now = month_totals(before), month_totals(after)
    return [
        MonthChange(source=after.name, month=name, before=was.get(name, _NOTHING), after=now.get(name, _NOTHING))
        for name in sorted(was.keys() | now.keys())
        if name <= str(month) and was.get(name, _NOTHING) != now.get(name, _NOTHING)
    ]


def _added(tallies: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    lines: Counter[str] = Counter()
    quantity: Counter[str] = Counter()
    for each in tallies:
        for name, tally in each.items():
            lines[name] += tally.lines
            quantity[name] += tally.quantity
    return {name: Tally(lines=lines[name], quantity=quantity[name]) for name in sorted(lines)}


def _sum(tallies: Iterable[Tally]) -> Tally:
    return _added({"all": tally} for tally in tallies).get("all", _NOTHING)
