"""Pure: raw lines to lines that count, in integer kilograms or pieces; every other line keeps its reason.

Of several faults of a line the first in the order of `ingestion.faults` is its reason; duplicates are
looked for last, among the lines that are otherwise right. Returns and credit notes are negative
quantities; they stay, and are netted in the month they are dated in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from forecasting.months import Month
from ingestion.faults import LONGEST_KEY, faults
from ingestion.fields import understood
from ingestion.key_spelling import folded
from ingestion.limits import check_rejects, count_by_reason
from ingestion.order_line import KEYS, LINES, PART_LINES, PART_REJECTS, REJECTS
from ingestion.reasons import CONFLICT, DUPLICATE
from ingestion.source_config import SourceConfig
from ingestion.units import DemandUnit

SLICE_SUMS = pl.Schema({"slice": pl.String(), "lines": pl.Int64(), "quantity": pl.Int64()})
"""Per slice, how many lines, and the sum of their quantities as far as these could be read."""

_AS_KEPT = ("line", *KEYS, pl.col("day").alias("date"), pl.col("counted").alias("quantity"), "slice")


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Lines that count, of the schema `PART_LINES`, and those set aside, of the schema `PART_REJECTS`.

    `beyond` sums the lines dated after the month, which are in neither; `weighed` sums those of all lines
    whose kilograms come from a weight per piece, which the source itself cannot sum. Both are of the
    schema `SLICE_SUMS`. So per slice, in kilograms, lines + rejects + beyond - weighed is the source's sum.
    """

    lines: pl.DataFrame
    rejects: pl.DataFrame
    beyond: pl.DataFrame = field(default_factory=SLICE_SUMS.to_frame)
    weighed: pl.DataFrame = field(default_factory=SLICE_SUMS.to_frame)

    @property
    def later(self) -> int:
        """How many lines are dated after the month."""
        return int(self.beyond["lines"].sum())


def read_lines(
    raw: pl.DataFrame,
    source: SourceConfig,
    demand: DemandUnit,
    month: Month,
    weights: pl.DataFrame | None = None,
) -> Cleaned:
    """Each line on its own: its fields understood, or its first fault found.

    `raw` has the columns of `RAW_LINES` and `slice`. `weights` has the kilograms of one piece of each
    material, columns `material` and `weight`; None where master data has none. Rows are in no order.
    """
    weights = weights if demand is DemandUnit.TONNE else None
    lines = understood(raw, source.time_zone, demand, weights)
    later = (pl.col("day") >= (month + 1).first_day).fill_null(value=False)
    suspect = lines.filter(pl.col("suspect") & ~later)
    found = faults(demand, weighing=weights is not None)
    # An empty text is a missing one; where lines are right at a glance there is none.
    suspect = suspect.with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in ("line", "quantity")
    ).with_columns(
        pl.coalesce(
            pl.when(each.there).then(pl.lit(position, pl.UInt8)) for position, each in enumerate(found)
        ).alias("fault")
    )
    rejects = [
        _rejects(suspect.filter(pl.col("fault") == position), each.reason, each.field)
        for position, each in enumerate(found)
    ]
    right = [
        lines.lazy().filter(~(pl.col("suspect") | later)).select(_AS_KEPT).collect(),
        suspect.filter(pl.col("fault").is_null()).select(_AS_KEPT),
    ]
    return Cleaned(
        pl.concat(right),
        pl.concat(rejects),
        _slice_sums(lines.filter(later)),
        _slice_sums(lines.filter("weighed")),
    )


def settle(lines: pl.DataFrame, rejects: pl.DataFrame) -> Cleaned:
    """One line per id among lines of one source, and every line that gives way among the rejects.

    Repeats that say the same, but for the case of their keys, keep one. Of lines that contradict each
    other none is kept: whichever came first would be chance. Both tables come back sorted, so the order
    in which a source gave its lines leaves no trace.
    """
    lines = lines.sort("line")
    repeated = (lines["line"] == lines["line"].shift(1)).fill_null(value=False)
    if repeated.any():
        ids = lines.filter(repeated)["line"].unique()
        again = lines["line"].is_in(ids.implode())
        kept, aside = _of_repeats(lines.filter(again))
        lines = pl.concat([lines.filter(~again), kept]).sort("line")
        rejects = pl.concat([rejects, aside])
    return Cleaned(lines, rejects.sort(PART_REJECTS.names(), nulls_last=False))


def clean(batches: Iterable[pl.DataFrame], source: SourceConfig, demand: DemandUnit, month: Month) -> Cleaned:
    """All of a source at once; gives way to parts."""
    read = [
        read_lines(batch.with_columns(pl.lit("").alias("slice")), source, demand, month) for batch in batches
    ]
    found = settle(
        pl.concat([PART_LINES.to_frame(), *(each.lines for each in read)]),
        pl.concat([PART_REJECTS.to_frame(), *(each.rejects for each in read)]),
    )
    kept = int(found.lines["quantity"].abs().sum())
    check_rejects(source, demand, found.lines.height, kept, count_by_reason(found.rejects))
    name = pl.lit(source.name).alias("source")
    return Cleaned(
        found.lines.with_columns(name).select(LINES.names()),
        found.rejects.with_columns(name).select(REJECTS.names()).sort(REJECTS.names(), nulls_last=False),
    )


def _rejects(lines: pl.DataFrame, reason: str, field: str) -> pl.DataFrame:
    return lines.select(
        pl.lit(reason).alias("reason"),
        _told("line").alias("line"),
        pl.lit(field).alias("field"),
        _told(field).alias("value"),
        pl.col("counted").alias("quantity"),
        "slice",
    )


def _told(name: str) -> pl.Expr:
    """A value as rejects keep it: as it is, or its beginning and its length."""
    text = pl.col(name)
    cut = pl.format("{}… ({} characters)", text.str.head(LONGEST_KEY), text.str.len_chars())
    return pl.when(text.str.len_chars() > LONGEST_KEY).then(cut).otherwise(text)


def _of_repeats(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of lines whose ids come more than once: those to keep, and the rejects."""
    lines = lines.sort(PART_LINES.names()).with_columns(pl.col("quantity").alias("counted"))
    said = pl.struct(*(folded(pl.col(key)) for key in KEYS), "date", "quantity")
    first = (pl.col("line") != pl.col("line").shift(1)).fill_null(value=True)
    lines = lines.with_columns(first.alias("first"), (~first & (said != said.shift(1))).alias("contradicts"))
    contradicted = lines.filter("contradicts")["line"].unique()
    lines = lines.with_columns(~pl.col("line").is_in(contradicted.implode()).alias("agreeing"))
    kept = lines.filter(pl.col("agreeing") & pl.col("first")).select(PART_LINES.names())
    repeats = lines.filter(pl.col("agreeing") & ~pl.col("first"))
    conflicts = lines.filter(~pl.col("agreeing"))
    return kept, pl.concat([_rejects(repeats, DUPLICATE, "line"), _rejects(conflicts, CONFLICT, "line")])


def _slice_sums(lines: pl.DataFrame) -> pl.DataFrame:
    if lines.is_empty():
        return SLICE_SUMS.to_frame()
    sums = lines.group_by("slice").agg(
        pl.len().cast(pl.Int64).alias("lines"), pl.col("counted").sum().alias("quantity")
    )
    return sums.sort("slice")
