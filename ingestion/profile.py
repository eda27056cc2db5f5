"""Pure: what a person would look at first in a snapshot, as small tables.

Quantities are the snapshot's integers, kilograms or pieces; months are texts, YYYY-MM. Each table is sorted
and small: none grows with the number of lines.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from forecasting.months import Month
from ingestion.order_line import KEYS
from ingestion.outliers import largest_lines, outlying_lines, outlying_months
from ingestion.profile_keys import Concentration, Turnover, concentrate, turn_over
from ingestion.profile_leaves import ages_of_leaves, classes_of_leaves
from ingestion.profile_months import (
    days_of_month,
    gaps,
    months_of_sources,
    posting,
    sources,
    totals,
    weekdays,
)
from ingestion.profile_rejects import reject_months, reject_reasons
from ingestion.reasons import CANCELLED
from ingestion.units import DemandUnit

NEW_MONTHS = 12
"""New and vanished compare this many last months with all before."""


@dataclass(frozen=True, slots=True)
class Headline:
    """A snapshot in a few figures; `first`, `last` and `newest` are None without lines.

    `months` counts from the first month with lines to the snapshot's own. `set_aside` are all rejects,
    `faulty` those that were not merely cancelled; `returns` are lines below zero, `empty` those of zero.
    """

    lines: int
    quantity: int
    first: Month | None
    last: Month | None
    newest: date | None
    months: int
    leaves: int
    sources: int
    organizations: int
    customers: int
    materials: int
    set_aside: int
    faulty: int
    returns: int
    empty: int


@dataclass(frozen=True, eq=False)
class Profile:
    """The exploratory analysis of one snapshot; each function that makes a table tells its columns."""

    month: Month
    demand: DemandUnit
    headline: Headline
    sources: pl.DataFrame
    grid: pl.DataFrame
    gaps: pl.DataFrame
    totals: pl.DataFrame
    weekdays: pl.DataFrame
    days: pl.DataFrame
    posting: pl.DataFrame
    outlying_months: pl.DataFrame
    outlying_lines: pl.DataFrame
    outlying_count: int
    largest: pl.DataFrame
    turnovers: tuple[Turnover, ...]
    classes: pl.DataFrame
    ages: pl.DataFrame
    concentrations: tuple[Concentration, ...]
    rejects: pl.DataFrame
    reject_months: pl.DataFrame


def profile(lines: pl.DataFrame, rejects: pl.DataFrame, month: Month, demand: DemandUnit) -> Profile:
    """The profile of lines and rejects, of the schemas `LINES` and `REJECTS`, up to the end of `month`.

    The order of rows leaves no trace.
    """
    ordinal = pl.col("date").dt.year().cast(pl.Int64) * 12 + pl.col("date").dt.month() - 1
    keys = lines.select(KEYS).unique().sort(KEYS).with_row_index("leaf")
    lines = lines.with_columns(ordinal.alias("ordinal")).join(keys, on=KEYS, how="left")
    cells = (
        lines.group_by("source", "leaf", "ordinal")
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("quantity").sum(),
            pl.col("quantity").clip(lower_bound=0).sum().alias("ordered"),
            (pl.col("quantity") < 0).sum().cast(pl.Int64).alias("returns"),
        )
        .sort("leaf", "ordinal", "source")
    )
    leaves = keys.join(_of_leaves(cells), on="leaf", how="left").sort("leaf")
    grid = months_of_sources(cells, month)
    count, outlying = outlying_lines(lines)
    return Profile(
        month=month,
        demand=demand,
        headline=_headline(lines, rejects, leaves, month),
        sources=sources(grid, rejects),
        grid=grid,
        gaps=gaps(grid),
        totals=totals(cells, month),
        weekdays=weekdays(lines),
        days=days_of_month(lines),
        posting=posting(lines),
        outlying_months=outlying_months(grid),
        outlying_lines=outlying,
        outlying_count=count,
        largest=largest_lines(lines),
        turnovers=tuple(turn_over(cells, leaves, key, month, NEW_MONTHS) for key in ("customer", "material")),
        classes=classes_of_leaves(cells, leaves, month),
        ages=ages_of_leaves(leaves, month),
        concentrations=(
            *(concentrate(leaves, (key,), key) for key in KEYS),
            concentrate(leaves, KEYS, "leaf"),
        ),
        rejects=reject_reasons(rejects),
        reject_months=reject_months(lines, rejects),
    )


def _of_leaves(cells: pl.DataFrame) -> pl.DataFrame:
    """Per leaf: `lines`, `quantity`, and `born`, the ordinal of its first month."""
    return cells.group_by("leaf").agg(
        pl.col("lines", "quantity").sum(), pl.col("ordinal").min().alias("born")
    )


def _headline(lines: pl.DataFrame, rejects: pl.DataFrame, leaves: pl.DataFrame, month: Month) -> Headline:
    first, last = lines["ordinal"].min(), lines["ordinal"].max()
    newest = lines["date"].max()
    names = pl.concat([lines["source"].unique(), rejects["source"].unique()])
    return Headline(
        lines=lines.height,
        quantity=int(lines["quantity"].sum()),
        first=Month.from_ordinal(first) if isinstance(first, int) else None,
        last=Month.from_ordinal(last) if isinstance(last, int) else None,
        newest=newest if isinstance(newest, date) else None,
        months=month.ordinal - first + 1 if isinstance(first, int) else 0,
        leaves=leaves.height,
        sources=names.n_unique(),
        organizations=leaves["organization"].n_unique(),
        customers=leaves["customer"].n_unique(),
        materials=leaves["material"].n_unique(),
        set_aside=rejects.height,
        faulty=int((rejects["reason"] != CANCELLED).sum()),
        returns=int((lines["quantity"] < 0).sum()),
        empty=int((lines["quantity"] == 0).sum()),
    )
