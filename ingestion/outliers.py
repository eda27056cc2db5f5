"""Pure: lines and months that stand out, by the modified z-score of their logarithm.

Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers: 0.6745 (x - median) / MAD, an outlier beyond
3.5; the median absolute deviation does not move with the outliers themselves. On logarithms, because sizes
of orders are skewed and errors of unit are factors. Where more than half of the values are equal the MAD is
zero, and 1.2533 times the mean absolute deviation takes its place.
"""

import polars as pl

from ingestion.order_line import KEYS

CUT = 3.5
FEWEST_OF_LEAF = 12
"""A leaf with fewer lines than this is compared with its source."""

FACTOR = 5
FEWEST_MONTHS = 12
MOST_SHOWN = 20
LARGEST_SHOWN = 10

_MAD_TO_DEVIATION = 0.6745
_MEAN_TO_DEVIATION = 1.253314
_SOURCE = ["source"]
_LEAF = ["source", "leaf"]
_LEVEL_MONTHS = 13
_FEWEST_YEARS = 3
_DECIMALS = 4  # the last digits of a float depend on the order of sums


def modified_z(value: pl.Expr, over: list[str]) -> pl.Expr:
    """The modified z-score of each value within its group; zero where all values of a group are equal."""
    distance = value - value.median().over(over)
    median = distance.abs().median().over(over)
    mean = distance.abs().mean().over(over)
    return (
        pl.when(median > 0)
        .then(_MAD_TO_DEVIATION * distance / median)
        .when(mean > 0)
        .then(distance / (_MEAN_TO_DEVIATION * mean))
        .otherwise(0.0)
        .round(_DECIMALS)
    )


def outlying_months(grid: pl.DataFrame) -> pl.DataFrame:
    """Months of a source that stand out from what its level and season let expect, farthest first.

    On logarithms: the level is the median of the 13 months around, the season the median distance from it
    of the same months of the year where there are three, and the score is that of what is left. Columns:
    source, month, lines, ordered (without returns), typical (level and season) and z.
    """
    log = pl.when(pl.col("ordered") > 0).then(pl.col("ordered").log(10))
    of_year = ["source", "of_year"]
    level = pl.col("log").rolling_median(_LEVEL_MONTHS, min_samples=1, center=True).over("source")
    season = pl.col("detrended").median().over(of_year)
    return (
        grid.with_columns(log.alias("log"), pl.col("month").str.slice(5).alias("of_year"))
        .with_columns((pl.col("log") - level).alias("detrended"))
        .with_columns(
            pl.when(pl.col("detrended").count().over(of_year) >= _FEWEST_YEARS)
            .then(season)
            .otherwise(0.0)
            .alias("season")
        )
        .filter(pl.col("log").is_not_null())
        .with_columns((pl.col("detrended") - pl.col("season")).alias("left"))
        .filter(pl.len().over("source") >= FEWEST_MONTHS)
        .with_columns(
            modified_z(pl.col("left"), ["source"]).alias("z"),
            (10 ** (pl.col("log") - pl.col("left"))).alias("typical"),
        )
        .filter(pl.col("z").abs() > CUT)
        .sort(pl.col("z").abs(), "source", "month", descending=[True, False, False])
        .select("source", "month", "lines", "ordered", "typical", "z")
    )


def outlying_lines(lines: pl.DataFrame) -> tuple[int, pl.DataFrame]:
    """How many lines stand out by their quantity, and the farthest of them.

    A line is compared with the lines of its leaf, with those of its source where the leaf has fewer than
    `FEWEST_OF_LEAF`; it must also be `FACTOR` times as large as the median there, or as small: where all
    orders are one truck each, half a truck has a high score and is no news. Returns and lines of zero are
    left out. `lines` have the number of their leaf. Columns: source, line, the keys, date, quantity,
    against ("leaf" or "source"), typical (the median there) and z.
    """
    ordered = lines.filter(pl.col("quantity") > 0).with_columns(
        pl.col("quantity").log(10).alias("log"),
        pl.len().over(_LEAF).alias("of_leaf"),
        pl.len().over(_SOURCE).alias("of_source"),
    )
    alone = pl.col("of_leaf") < FEWEST_OF_LEAF
    against_leaf = _scored(ordered.filter(~alone), "leaf", _LEAF)
    against_source = _scored(ordered, "source", _SOURCE).filter(alone, pl.col("of_source") >= FEWEST_OF_LEAF)
    times = pl.col("quantity") / pl.col("typical")
    found = pl.concat([against_leaf, against_source]).filter(
        pl.col("z").abs() > CUT, (times >= FACTOR) | (times <= 1 / FACTOR)
    )
    shown = (
        found.sort(pl.col("z").abs(), "source", "line", descending=[True, False, False])
        .head(MOST_SHOWN)
        .select("source", "line", *KEYS, "date", "quantity", "against", "typical", "z")
    )
    return found.height, shown


def largest_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """The largest lines, returns by their size: source, line, the keys, date and quantity."""
    columns = ("source", "line", *KEYS, "date", "quantity")
    size = pl.col("quantity").abs()
    smallest = lines.select(size.top_k(LARGEST_SHOWN).min()).item() or 0
    return (
        lines.filter(size >= smallest)
        .sort(size, "source", "line", descending=[True, False, False])
        .head(LARGEST_SHOWN)
        .select(columns)
    )


def _scored(ordered: pl.DataFrame, against: str, over: list[str]) -> pl.DataFrame:
    return ordered.with_columns(
        modified_z(pl.col("log"), over).alias("z"),
        pl.col("quantity").median().over(over).alias("typical"),
        pl.lit(against).alias("against"),
    )
