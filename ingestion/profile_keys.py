"""Pure: who buys and what is bought: how concentrated, what is new, what has vanished."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from forecasting.months import Month
from ingestion.profile_months import month_text

A_PERCENT, B_PERCENT = 80, 95
"""Class A: the largest keys that make the first 80 % of the quantity, the one that passes it included; B:
those up to 95 %; C: the rest."""

MOST_SHOWN = 10
_CURVE_POINTS = 100


@dataclass(frozen=True, eq=False)
class Concentration:
    """How few keys make most of the quantity.

    `classes` has the rows A, B and C: class, keys, quantity, share. `curve` rises from (0, 0) to (1, 1):
    keys and quantity as shares, largest first. `largest` shows the keys' own columns, lines, quantity,
    share, cumulated and class. A key with more returned than ordered counts as zero in shares.
    """

    key: str
    keys: int
    classes: pl.DataFrame
    curve: pl.DataFrame
    largest: pl.DataFrame


def concentrate(leaves: pl.DataFrame, columns: Sequence[str], key: str) -> Concentration:
    """ABC classes of what `columns` name together, from one row per leaf with `lines` and `quantity`."""
    ranked = (
        leaves.group_by(columns)
        .agg(pl.col("lines", "quantity").sum())
        .sort("quantity", *columns, descending=[True] + [False] * len(columns))
    )
    counted = pl.col("quantity").clip(lower_bound=0)
    whole = max(int(ranked.select(counted.sum()).item()), 1)
    # In integers: a share of floats may fall on either side of its border.
    before = (counted.cum_sum() - counted).cast(pl.Int128) * 100
    a_border, b_border = (pl.lit(border * whole, pl.Int128) for border in (A_PERCENT, B_PERCENT))
    ranked = ranked.with_columns(
        (counted / whole).alias("share"),
        (counted.cum_sum() / whole).alias("cumulated"),
        pl.when((before < a_border) & (counted > 0))
        .then(pl.lit("A"))
        .when((before < b_border) & (counted > 0))
        .then(pl.lit("B"))
        .otherwise(pl.lit("C"))
        .alias("class"),
    )
    found = ranked.group_by("class").agg(
        pl.len().cast(pl.Int64).alias("keys"), pl.col("quantity").sum(), counted.sum().alias("counted")
    )
    classes = (
        pl.DataFrame({"class": ["A", "B", "C"]})
        .join(found, on="class", how="left")
        .fill_null(0)
        .sort("class")
        .with_columns((pl.col("counted") / whole).alias("share"))
        .drop("counted")
    )
    return Concentration(key, ranked.height, classes, _curve(ranked), ranked.head(MOST_SHOWN))


def _curve(ranked: pl.DataFrame) -> pl.DataFrame:
    count = ranked.height
    places = sorted({round(count * at / _CURVE_POINTS) for at in range(1, _CURVE_POINTS + 1)} - {0})
    cumulated = ranked["cumulated"].gather([place - 1 for place in places])
    return pl.DataFrame(
        {"keys": [0.0, *(place / count for place in places)], "quantity": [0.0, *cumulated]},
        schema={"keys": pl.Float64, "quantity": pl.Float64},
    )


@dataclass(frozen=True, eq=False)
class Turnover:
    """Keys that came and went: the last months against all before.

    `comparable` is false where history has no month before them. `counts` has the rows new, kept and
    vanished: status, keys, recent and before (quantities). `new` and `vanished` list the largest: the
    key, first and last month, lines, recent and before.
    """

    key: str
    months: int
    comparable: bool
    counts: pl.DataFrame
    new: pl.DataFrame
    vanished: pl.DataFrame


def turn_over(cells: pl.DataFrame, leaves: pl.DataFrame, key: str, month: Month, months: int) -> Turnover:
    """New and vanished values of `key`: first line within the last months, or no line in them.

    `cells` holds sums by source, leaf and month, `leaves` the keys of each leaf.
    """
    border = month.ordinal - months
    ordinal, quantity = pl.col("ordinal"), pl.col("quantity")
    found = (
        cells.join(leaves.select("leaf", key), on="leaf")
        .group_by(key)
        .agg(
            ordinal.min().alias("born"),
            ordinal.max().alias("ended"),
            pl.col("lines").sum(),
            quantity.filter(ordinal > border).sum().alias("recent"),
            quantity.filter(ordinal <= border).sum().alias("before"),
        )
        .with_columns(
            pl.when(pl.col("born") > border)
            .then(pl.lit("new"))
            .when(pl.col("ended") <= border)
            .then(pl.lit("vanished"))
            .otherwise(pl.lit("kept"))
            .alias("status")
        )
        .with_columns(month_text(pl.col("born")).alias("first"), month_text(pl.col("ended")).alias("last"))
    )
    counts = (
        pl.DataFrame({"status": ["new", "kept", "vanished"]})
        .join(
            found.group_by("status").agg(
                pl.len().cast(pl.Int64).alias("keys"), pl.col("recent", "before").sum()
            ),
            on="status",
            how="left",
            maintain_order="left",
        )
        .fill_null(0)
    )
    oldest = cells["ordinal"].min()
    listed = {
        status: found.filter(status=status)
        .sort(by, key, descending=[True, False])
        .head(MOST_SHOWN)
        .select(key, "first", "last", "lines", "recent", "before")
        for status, by in (("new", "recent"), ("vanished", "before"))
    }
    comparable = isinstance(oldest, int) and oldest <= border
    return Turnover(key, months, comparable, counts, listed["new"], listed["vanished"])
