"""Pure: raw lines to lines that count, in integer kilograms or pieces; every other line keeps its reason.

Of several faults of a line the first in the order of `ingestion.faults` is its reason; duplicates are
looked for last, among the lines that are otherwise right. Returns and credit notes are negative
quantities; they stay, and are netted in the month they are dated in.
"""

from dataclasses import dataclass

import polars as pl

from ingestion.calendar_days import calendar_days
from ingestion.faults import CANCELLED_WORDS, CONTROL, LONGEST_KEY, OLDEST, faults
from ingestion.key_spelling import folded
from ingestion.order_line import FIELDS, KEYS, PART_LINES, PART_REJECTS
from ingestion.reasons import CONFLICT, DUPLICATE
from ingestion.source_config import SourceConfig
from ingestion.units import FACTORS, NUMBER, DemandUnit, is_whole, number, plain_unit, whole_units


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Lines that count and lines set aside."""

    lines: pl.DataFrame
    rejects: pl.DataFrame


@dataclass(frozen=True, eq=False)
class ReadLines(Cleaned):
    """The same of several slices, each line with its own.

    `sums` has, per slice, the total quantity of all lines whose unit alone says what it is worth: what the
    source itself can add up as well.
    """

    sums: pl.DataFrame


def read_lines(
    raw: pl.DataFrame,
    source: SourceConfig,
    demand: DemandUnit,
    weights: pl.DataFrame | None = None,
) -> ReadLines:
    """Each line on its own: its fields understood, or its first fault found; whatever month it is dated in.

    `raw` has the columns of `SLICED_LINES`; so the answer is of the schemas `READ_LINES` and
    `READ_REJECTS`, its rows in no order. `weights` has the kilograms of one piece of each material, columns
    `material` and `weight`; None where master data has none.
    """
    lines = _understood(raw, source, demand, weights)

    # Looking for faults is slow and few lines have any, so the many are told apart at a glance.
    suspects = lines.select(_suspect(lines, demand)).to_series()
    found = faults(demand, weighing=weights is not None)
    examined = lines.filter(suspects).with_columns(
        pl.coalesce(
            pl.when(each.there).then(pl.lit(position, pl.UInt8)) for position, each in enumerate(found)
        ).alias("fault")
    )
    right = pl.concat([lines.filter(~suspects), examined.filter(pl.col("fault").is_null()).drop("fault")])
    rejects = [
        _rejects(examined.filter(pl.col("fault") == position), each.reason, each.field)
        for position, each in enumerate(found)
    ]
    return ReadLines(
        right.select(
            "line", *KEYS, pl.col("day").alias("date"), pl.col("counted").alias("quantity"), "slice"
        ),
        pl.concat(rejects),
        lines.filter(~pl.col("weighed")).group_by("slice").agg(pl.col("counted").sum().alias("quantity")),
    )


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


def _understood(
    raw: pl.DataFrame, source: SourceConfig, demand: DemandUnit, weights: pl.DataFrame | None
) -> pl.DataFrame:
    """Raw lines without blanks around their values, and what these mean as columns of their own."""
    lines = raw.with_columns(pl.col(name).str.strip_chars() for name in FIELDS)
    empty = [name for name in FIELDS if (lines[name].str.len_bytes() == 0).any()]
    lines = lines.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in empty)

    known = FACTORS[demand]
    units = lines.select(pl.col("unit").drop_nulls().unique()).with_columns(
        plain_unit(pl.col("unit")).alias("plain")
    )
    exact = pl.Series(list(known.values()), dtype=NUMBER)
    plain = pl.col("unit").replace_strict(units["unit"], units["plain"], default=None, return_dtype=pl.String)
    factors = units["plain"].replace_strict(list(known), exact, default=None, return_dtype=NUMBER)
    lines = lines.with_columns(
        calendar_days(lines["date"], source.time_zone).alias("day"),
        plain.alias("plain_unit"),
        pl.col("unit")
        .replace_strict(units["unit"], factors, default=None, return_dtype=NUMBER)
        .alias("factor"),
        pl.lit(value=False).alias("weighed"),
    )
    if weights is not None and demand is DemandUnit.TONNE:
        lines = _weighed(lines, weights)
    return lines.with_columns(whole_units(lines["quantity"], lines["factor"]).alias("counted"))


def _weighed(lines: pl.DataFrame, weights: pl.DataFrame) -> pl.DataFrame:
    """Lines in pieces take the weight of their material, however its key is cased."""
    pieces = pl.col("plain_unit").is_in(list(FACTORS[DemandUnit.PIECE])).fill_null(value=False)
    each = weights.select(folded(pl.col("material")).alias("same"), "weight").drop_nulls().unique("same")
    weight = folded(pl.col("material")).replace_strict(
        each["same"], each["weight"], default=None, return_dtype=NUMBER
    )
    return lines.with_columns(
        pieces.alias("weighed"), pl.when(pieces).then(weight).otherwise("factor").alias("factor")
    )


def _suspect(lines: pl.DataFrame, demand: DemandUnit) -> pl.Expr:
    """Which lines may have a fault: all that have one, and perhaps a few that have none."""
    named = ("line", *KEYS)
    suspect = [
        *(pl.col(name).is_null() for name in (*named, "day", "counted")),
        *(pl.col(name).str.len_bytes() > LONGEST_KEY for name in named),
        pl.col("line").str.contains(CONTROL),
        pl.col("day") < OLDEST,
        *(_one_of(lines, key, pl.col(key).str.contains(CONTROL)) for key in KEYS),
        _one_of(lines, "status", pl.col("status").str.to_lowercase().is_in(sorted(CANCELLED_WORDS))),
    ]
    if demand is DemandUnit.PIECE:
        suspect.append(~is_whole(number(pl.col("quantity"))))
    return pl.any_horizontal(suspect).fill_null(value=False)


def _one_of(lines: pl.DataFrame, name: str, condition: pl.Expr) -> pl.Expr:
    """Lines whose value is one of those that meet a condition, which is asked once per distinct value."""
    values = lines.select(pl.col(name).drop_nulls().unique()).filter(condition)[name]
    return pl.col(name).is_in(values.implode()) if values.len() else pl.lit(value=False)


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
    said = [*(folded(pl.col(key)) for key in KEYS), pl.col("date"), pl.col("quantity")]
    agreeing = pl.struct(said).n_unique().over("line") == 1
    first = pl.int_range(pl.len()).over("line") == 0
    lines = lines.with_columns(agreeing.alias("agreeing"), first.alias("first"))
    kept = lines.filter(pl.col("agreeing") & pl.col("first")).select(PART_LINES.names())
    repeats = lines.filter(pl.col("agreeing") & ~pl.col("first"))
    conflicts = lines.filter(~pl.col("agreeing"))
    return kept, pl.concat([_rejects(repeats, DUPLICATE, "line"), _rejects(conflicts, CONFLICT, "line")])
