"""Pure: when a snapshot's lines are dated: months by source, the whole by month, days of week and month."""

import polars as pl

from forecasting.months import Month

FILLED, GAP, BEFORE, AFTER = "lines", "gap", "before", "after"
"""What a month is to a source: it has lines; it has none although earlier and later months have; it comes
before the source's first or after its last line."""


def month_text(ordinal: pl.Expr) -> pl.Expr:
    """Ordinals of months as YYYY-MM."""
    year, month = (ordinal // 12).cast(pl.String), (ordinal % 12 + 1).cast(pl.String)
    return pl.concat_str(year.str.zfill(4), pl.lit("-"), month.str.zfill(2))


def months_of_sources(cells: pl.DataFrame, month: Month) -> pl.DataFrame:
    """Every source in every month from the first line of all to the snapshot's month.

    Columns: source, month, lines, quantity, ordered (without returns) and state, one of `FILLED`, `GAP`,
    `BEFORE` and `AFTER`. `cells` holds sums by source, leaf and month.
    """
    filled = cells.group_by("source", "ordinal").agg(pl.col("lines", "quantity", "ordered").sum())
    life = filled.group_by("source").agg(
        pl.col("ordinal").min().alias("first"), pl.col("ordinal").max().alias("last")
    )
    ordinal = pl.col("ordinal")
    return (
        life.join(_calendar(cells, month), how="cross")
        .join(filled, on=["source", "ordinal"], how="left")
        .with_columns(
            pl.when(pl.col("lines").is_not_null())
            .then(pl.lit(FILLED))
            .when(ordinal < pl.col("first"))
            .then(pl.lit(BEFORE))
            .when(ordinal > pl.col("last"))
            .then(pl.lit(AFTER))
            .otherwise(pl.lit(GAP))
            .alias("state"),
            pl.col("lines", "quantity", "ordered").fill_null(0),
        )
        .sort("source", "ordinal")
        .select("source", month_text(ordinal).alias("month"), "lines", "quantity", "ordered", "state")
    )


def sources(grid: pl.DataFrame, rejects: pl.DataFrame) -> pl.DataFrame:
    """One row per source, those with rejects alone included.

    Columns: source, lines, quantity, set_aside (lines), first, last (months, null without lines), filled
    (months with lines), gaps (months without, between them) and silent (months after the last line).
    """
    count = {name: (pl.col("state") == name).sum().cast(pl.Int64) for name in (FILLED, GAP, AFTER)}
    kept = grid.group_by("source").agg(
        pl.col("lines", "quantity").sum(),
        pl.col("month").filter(pl.col("state") == FILLED).min().alias("first"),
        pl.col("month").filter(pl.col("state") == FILLED).max().alias("last"),
        count[FILLED].alias("filled"),
        count[GAP].alias("gaps"),
        count[AFTER].alias("silent"),
    )
    aside = rejects.group_by("source").agg(pl.len().cast(pl.Int64).alias("set_aside"))
    numbers = ("lines", "quantity", "set_aside", "filled", "gaps", "silent")
    return (
        kept.join(aside, on="source", how="full", coalesce=True)
        .with_columns(pl.col(numbers).fill_null(0))
        .select("source", "lines", "quantity", "set_aside", "first", "last", "filled", "gaps", "silent")
        .sort("source")
    )


def gaps(grid: pl.DataFrame) -> pl.DataFrame:
    """Runs of months without a line inside a source's life: source, first, last and months."""
    state = pl.col("state")
    run = (state != state.shift()).cum_sum()  # a source's first and last months are none, so none run over
    return (
        grid.with_columns(run.alias("run"))
        .filter(state == GAP)
        .group_by("source", "run")
        .agg(
            pl.col("month").min().alias("first"),
            pl.col("month").max().alias("last"),
            pl.len().cast(pl.Int64).alias("months"),
        )
        .sort("source", "first")
        .drop("run")
    )


def totals(cells: pl.DataFrame, month: Month) -> pl.DataFrame:
    """The whole by month, empty months included, from the first line to the snapshot's month.

    Columns: month, lines, quantity (net), ordered, returned (above zero: ordered less net) and returns
    (lines below zero).
    """
    found = cells.group_by("ordinal").agg(pl.col("lines", "quantity", "ordered", "returns").sum())
    return (
        _calendar(cells, month)
        .join(found, on="ordinal", how="left")
        .fill_null(0)
        .sort("ordinal")
        .select(
            month_text(pl.col("ordinal")).alias("month"),
            "lines",
            "quantity",
            "ordered",
            (pl.col("ordered") - pl.col("quantity")).alias("returned"),
            "returns",
        )
    )


def weekdays(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines and quantity by weekday, 1 is Monday and 7 Sunday, empty ones included."""
    return _by_number(lines, pl.col("date").dt.weekday(), "weekday", 7)


def days_of_month(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines and quantity by day of the month, 1 to 31, empty ones included."""
    return _by_number(lines, pl.col("date").dt.day(), "day", 31)


def posting(lines: pl.DataFrame) -> pl.DataFrame:
    """How a source dates: source, lines, and how many of them are dated on a weekend, on the first and on
    the last day of a month; the latter are what batches posted at month's end look like."""
    day = pl.col("date")
    marks = {
        "weekend": day.dt.weekday() >= 6,
        "first_day": day.dt.day() == 1,
        "last_day": day == day.dt.month_end(),
    }
    return (
        lines.group_by("source")
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            *(mark.sum().cast(pl.Int64).alias(name) for name, mark in marks.items()),
        )
        .sort("source")
    )


def _by_number(lines: pl.DataFrame, number: pl.Expr, name: str, highest: int) -> pl.DataFrame:
    found = lines.group_by(number.cast(pl.Int64).alias(name)).agg(
        pl.len().cast(pl.Int64).alias("lines"), pl.col("quantity").sum()
    )
    every = pl.DataFrame({name: range(1, highest + 1)}, schema={name: pl.Int64})
    return every.join(found, on=name, how="left").fill_null(0).sort(name)


def _calendar(cells: pl.DataFrame, month: Month) -> pl.DataFrame:
    """The ordinals from the first month with lines to the snapshot's; none without lines."""
    first = cells["ordinal"].min()
    span = range(first, month.ordinal + 1) if isinstance(first, int) else ()
    return pl.DataFrame({"ordinal": span}, schema={"ordinal": pl.Int64})
