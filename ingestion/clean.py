"""Pure: raw lines to lines that count, in integer kilograms or pieces; every other line keeps its reason.

Of several faults of a line the first in the order of `ingestion.faults` is its reason; duplicates are
looked for last, among the lines that are otherwise right. Returns and credit notes are negative
quantities; they stay, and are netted in the month they are dated in.
"""

from dataclasses import dataclass

import polars as pl

from ingestion.faults import LONGEST_KEY, faults
from ingestion.fields import understood
from ingestion.key_spelling import folded
from ingestion.order_line import KEYS, PART_LINES, PART_REJECTS
from ingestion.raw_lines import RawLines
from ingestion.reasons import CONFLICT, DUPLICATE
from ingestion.source_config import SourceConfig
from ingestion.units import DemandUnit

_AS_KEPT = ("line", *KEYS, pl.col("day").alias("date"), pl.col("counted").alias("quantity"), "slice")


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Lines that count and lines set aside."""

    lines: pl.DataFrame
    rejects: pl.DataFrame


@dataclass(frozen=True, eq=False)
class ReadLines(Cleaned):
    """The same of several slices, each line with its own: of the schemas `READ_LINES` and `READ_REJECTS`.

    `sums` has, per slice, the total quantity of all lines, good or bad, whose unit alone says what it is
    worth: what the source itself can add up as well. Lines whose kilograms come from a weight per piece
    are left to `lines`.
    """

    sums: pl.DataFrame


def read_lines(
    raw: RawLines,
    source: SourceConfig,
    demand: DemandUnit,
    weights: pl.DataFrame | None = None,
) -> ReadLines:
    """Each line on its own, whatever month it is dated in: its fields understood, or its first fault found.

    `weights` has the kilograms of one piece of each material, columns `material` and `weight`; None where
    master data has none. Rows come back in no order.
    """
    weights = weights if demand is DemandUnit.TONNE else None
    read = understood(raw, source.time_zone, demand, weights)
    found = faults(demand, weighing=weights is not None)
    # An empty text is a missing one; where lines are right at a glance there is none.
    suspect = (
        read.whole(read.lines.filter("suspect"))
        .with_columns(
            pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in ("line", "quantity")
        )
        .with_columns(pl.coalesce("date", pl.col("day").dt.to_string("iso:strict")))
        .with_columns(
            pl.coalesce(
                pl.when(each.there).then(pl.lit(position, pl.UInt8)) for position, each in enumerate(found)
            ).alias("fault")
        )
    )
    rejects = [
        _rejects(suspect.filter(pl.col("fault") == position), each.reason, each.field)
        for position, each in enumerate(found)
    ]
    right = [
        read.whole(read.lines.filter(~pl.col("suspect"))).select(_AS_KEPT),
        suspect.filter(pl.col("fault").is_null()).select(_AS_KEPT),
    ]
    sums = read.lines.lazy().filter(~pl.col("weighed")).group_by("slice").agg(pl.col("counted").sum())
    return ReadLines(pl.concat(right), pl.concat(rejects), sums.collect())


def settle(lines: pl.DataFrame, rejects: pl.DataFrame) -> Cleaned:
    """One line per id among lines of one slice, and every line that gives way among the rejects.

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


def _rejects(lines: pl.DataFrame, reason: str, field: str) -> pl.DataFrame:
    return lines.select(
        pl.lit(reason).alias("reason"),
        _told("line").alias("line"),
        pl.lit(field).alias("field"),
        _told(field).alias("value"),
        pl.col("counted").alias("quantity"),
        *(["slice"] if "slice" in lines.columns else []),
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
