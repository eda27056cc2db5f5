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
    """Compare two snapshots; only slices whose parts differ are read."""
    there, here = set(before.places()), set(after.places())
    was = _leaves(before, there - here).rename({"quantity": "before"})
    now = _leaves(after, here - there).rename({"quantity": "after"})
    leaves = (
        was.join(now, on=list(KEYS), how="full", coalesce=True)
        .with_columns(pl.col("before", "after").fill_null(0))
        .with_columns((pl.col("after") - pl.col("before")).alias("change"))
        .filter(pl.col("change") != 0)
        .sort(pl.col("change").abs(), *KEYS, descending=[True, False, False, False])
    )
    return Difference(before, after, _months(before, after), leaves)


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
        for month, tally in month_totals(source).items()
        if month <= str(snapshot.month)
    }
