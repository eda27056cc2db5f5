"""Pure: what the leaves are like as series: how regular, how old."""

import numpy as np
import polars as pl

from forecasting.blocks import blocks
from forecasting.demand_class import DemandClass, classify
from forecasting.months import Month

YOUNG = 24
"""Months below which a leaf has not shown every season twice."""

AGES = (12, 24, 36)


def classes_of_leaves(cells: pl.DataFrame, leaves: pl.DataFrame, month: Month) -> pl.DataFrame:
    """Demand classes, each a row: class, leaves, quantity, and young (leaves of fewer months than `YOUNG`).

    Syntetos, Boylan & Croston (2005): by the mean number of months per order and the squared coefficient
    of variation of the orders, of each leaf's own months. `leaves` are numbered from zero, in their order.
    """
    codes = pl.Series("code", _codes(cells, leaves, month), pl.Int64)
    age = month.ordinal + 1 - pl.col("born")
    found = (
        leaves.with_columns(codes)
        .group_by("code")
        .agg(
            pl.len().cast(pl.Int64).alias("leaves"),
            pl.col("quantity").sum(),
            (age < YOUNG).sum().cast(pl.Int64).alias("young"),
        )
    )
    every = pl.DataFrame(
        {"code": [int(kind) for kind in DemandClass], "class": [kind.name.lower() for kind in DemandClass]},
        schema={"code": pl.Int64, "class": pl.String},
    )
    return every.join(found, on="code", how="left").fill_null(0).sort("code").drop("code")


def ages_of_leaves(leaves: pl.DataFrame, month: Month) -> pl.DataFrame:
    """Leaves by age in months, from their first line to the snapshot's month, both included.

    Columns: from_months, to_months (null for the oldest), leaves, quantity, and at_least: the leaves that
    are this old or older.
    """
    age = month.ordinal + 1 - pl.col("born")
    bins = pl.DataFrame({"from_months": [0, *AGES], "to_months": [*(edge - 1 for edge in AGES), None]})
    found = (
        leaves.with_columns(
            pl.sum_horizontal((age >= edge).cast(pl.Int64) for edge in AGES)
            .replace_strict(dict(enumerate((0, *AGES))), return_dtype=pl.Int64)
            .alias("from_months")
        )
        .group_by("from_months")
        .agg(pl.len().cast(pl.Int64).alias("leaves"), pl.col("quantity").sum())
    )
    return (
        bins.join(found, on="from_months", how="left")
        .with_columns(pl.col("leaves", "quantity").fill_null(0))
        .sort("from_months")
        .with_columns(pl.col("leaves").cum_sum(reverse=True).alias("at_least"))
    )


def _codes(cells: pl.DataFrame, leaves: pl.DataFrame, month: Month) -> np.ndarray:
    """The class of each leaf; leaves go block by block, for a million of them by month would fill memory."""
    first = cells["ordinal"].min()
    if not isinstance(first, int):
        return np.empty(0, dtype=np.int64)
    placed = (
        cells.group_by("leaf", "ordinal")
        .agg(pl.col("quantity").sum())
        .select(pl.col("leaf").cast(pl.Int64), pl.col("ordinal") - first, "quantity")
        .sort("leaf", "ordinal")
    )
    leaf, step, quantity = (placed[name].to_numpy() for name in ("leaf", "ordinal", "quantity"))
    born = leaves["born"].to_numpy() - first
    codes = np.empty(leaves.height, dtype=np.int64)
    for block in blocks(leaves.height):
        inside = slice(*np.searchsorted(leaf, [block.start, block.stop]))
        values = np.zeros((block.stop - block.start, month.ordinal + 1 - first))
        values[leaf[inside] - block.start, step[inside]] = quantity[inside]
        codes[block] = classify(values, born[block]).codes
    return codes
