"""Pure: what one snapshot says and another does not, by source and month, and by leaf."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from ingestion.accounts import month_totals
from ingestion.order_line import KEYS
from ingestion.snapshot import Place, Snapshot, Tally


@dataclass(frozen=True, eq=False)
class Difference:
    """From one snapshot to another, in the unit that both are stored in.

    `months` has the columns source, month, lines_before, lines_after, before, after; `leaves` has the keys,
    before, after and change, the largest changes first. Both hold only what differs.
    """

    before: Snapshot
    after: Snapshot
    months: pl.DataFrame
    leaves: pl.DataFrame


def differences(before: Snapshot, after: Snapshot) -> Difference:
    """Compare two snapshots; only slices that can differ are read."""
    there, here = set(before.places()), set(after.places())
    both = {place for place in there & here if _counts_otherwise(place, before, after)}
    was = _leaves(before, (there - here) | both).rename({"quantity": "before"})
    now = _leaves(after, (here - there) | both).rename({"quantity": "after"})
    leaves = (
        was.join(now, on=list(KEYS), how="full", coalesce=True)
        .with_columns(pl.col("before", "after").fill_null(0))
        .with_columns((pl.col("after") - pl.col("before")).alias("change"))
        .filter(pl.col("change") != 0)
        .sort(pl.col("change").abs(), *KEYS, descending=[True, False, False, False])
    )
    return Difference(before, after, _months(before, after), leaves)


def _counts_otherwise(place: Place, before: Snapshot, after: Snapshot) -> bool:
    """Whether the same part may count differently: by its repeats, or by lines between the two months."""
    own = (pl.col("source") == place.source) & (pl.col("slice") == place.slice)
    if not before.repeats.filter(own).equals(after.repeats.filter(own)):
        return True
    source = after.manifest.source(place.source)
    slices = source.slices if source else ()
    months = {name for part in slices if part.slice == place.slice for name in part.months}
    first, last = sorted((str(before.month), str(after.month)))
    return any(first < name <= last for name in months)


def _leaves(snapshot: Snapshot, places: Iterable[Place]) -> pl.DataFrame:
    lines = [lines.select(*KEYS, "quantity") for lines, _ in snapshot.pieces(sorted(places))]
    schema = {**dict.fromkeys(KEYS, pl.String()), "quantity": pl.Int64()}
    return pl.concat([pl.DataFrame(schema=schema), *lines]).group_by(*KEYS).agg(pl.col("quantity").sum())


def _months(before: Snapshot, after: Snapshot) -> pl.DataFrame:
    was, now = _totals(before), _totals(after)
    rows = [
        (*key, old.lines, new.lines, old.quantity, new.quantity)
        for key in sorted(was.keys() | now.keys())
        if (old := was.get(key, Tally())) != (new := now.get(key, Tally()))
    ]
    schema = {
        "source": pl.String(),
        "month": pl.String(),
        **dict.fromkeys(("lines_before", "lines_after", "before", "after"), pl.Int64()),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _totals(snapshot: Snapshot) -> dict[tuple[str, str], Tally]:
    return {
        (source.name, month): tally
        for source in snapshot.manifest.sources
        for month, tally in month_totals(source, snapshot.repeats).items()
        if month <= str(snapshot.month)
    }
