"""The order lines behind a node: what they add up to by month and source, and the lines themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from forecasting.months import Month
from ingestion.leaf_names import keys_behind, with_names
from ingestion.order_line import LINES
from ingestion.snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class NodeLines:
    """What a node bought, in the snapshot's integers: kilograms or pieces.

    `months` has the columns month (YYYY-MM), source, lines and quantity, in order of month and source.
    `newest` are the last lines, `LINES`, the newest first; `count` says how many there are in all.
    """

    months: pl.DataFrame
    newest: pl.DataFrame

    @property
    def count(self) -> int:
        return int(self.months["lines"].sum())

    @property
    def quantity(self) -> int:
        return int(self.months["quantity"].sum())


def node_lines(
    snapshot: Snapshot, where: Mapping[str, str], *, month: Month | None = None, most: int
) -> NodeLines:
    """The lines of a node, named as in a forecast: values of keys and attributes, none for the total.

    With a month only those of that month. A line belongs to the node that `build_panel` counts it for,
    however it spells its keys. Raises `UnknownKey`, or `SnapshotDamaged` where parts are not what they were.
    """
    written = _as_written(snapshot, where)
    when = pl.col("date").dt.strftime("%Y-%m")
    nothing = LINES.to_frame().select(
        when.alias("month"), "source", pl.lit(0, pl.UInt32).alias("lines"), "quantity"
    )
    months, newest = [nothing], LINES.to_frame()
    for lines, _ in snapshot.pieces():
        own = lines if written is None else lines.join(written, on=written.columns, how="semi")
        if month is not None:
            own = own.filter(when == str(month))
        months.append(
            own.group_by(when.alias("month"), "source")
            .agg(pl.len().alias("lines"), pl.col("quantity").sum())
            .select(nothing.columns)
        )
        newest = _newest(pl.concat([newest, own]), most)
    summed = pl.concat(months).group_by("month", "source").agg(pl.col("lines", "quantity").sum())
    return NodeLines(summed.sort("month", "source"), newest)


def _as_written(snapshot: Snapshot, where: Mapping[str, str]) -> pl.DataFrame | None:
    """The keys of the node's lines as the lines write them; None where every line is one of them."""
    keys = keys_behind(list(where), snapshot.master)
    if not keys:
        return None
    # One spelling is chosen among all lines of the snapshot, so all of them have to be seen.
    written = pl.concat([lines.select(keys).unique() for lines, _ in snapshot.pieces()]).unique()
    originals = [pl.col(key).alias(f"{key} as written") for key in keys]
    named = with_names(written.with_columns(originals), list(where), snapshot.master)
    own = named.filter(*(pl.col(name) == value for name, value in where.items()))
    return own.select(pl.col(f"{key} as written").alias(key) for key in keys)


def _newest(lines: pl.DataFrame, most: int) -> pl.DataFrame:
    return lines.sort("date", "source", "line", descending=[True, False, False]).head(most)
