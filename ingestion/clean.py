"""Pure: raw lines to lines that count, in integer kilograms or pieces; every other line keeps its reason.

The first reason that applies is the one kept, in this order: cancelled, a missing line id or key, a date,
a unit, a quantity, and last the duplicates among the lines that are otherwise right. Returns and credit
notes are negative quantities; they stay, and are netted in the month they are dated in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import polars as pl

from forecasting.months import Month
from ingestion.errors import RejectCount, TooManyRejects
from ingestion.order_line import KEYS, LINES, REJECTS
from ingestion.source_config import SourceConfig
from ingestion.units import FACTORS, DemandUnit, is_whole, number, plain_unit, whole_units

CANCELLED = "cancelled"
MISSING_LINE = "missing line id"
MISSING_KEY = "missing key"
MISSING_DATE = "missing date"
BAD_DATE = "not a date"
TOO_OLD = "date before 1970"
MISSING_UNIT = "missing unit"
UNKNOWN_UNIT = "unknown unit"
OTHER_UNIT = "unit does not fit [demand] unit"
MISSING_QUANTITY = "missing quantity"
NOT_A_NUMBER = "not a number"
NOT_FINITE = "not finite"
TOO_LARGE = "absurd quantity"
NOT_WHOLE = "not a whole number of pieces"
DUPLICATE = "duplicate line"
CONFLICT = "line id used twice"

CANCELLED_WORDS = frozenset(
    {"cancelled", "canceled", "cancel", "void", "voided", "deleted", "storno", "storniert"}
)
"""A status that is one of these, in any case, takes the line out of demand."""

OLDEST = date(1970, 1, 1)
"""Older dates are placeholders such as 0001-01-01, and would stretch history over centuries."""

_DATE = r"^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}[\d:.,]*\s*(?:Z|[+-][\d:]+)?)?$"
_COMPACT_DATE = r"^\d{8}$"
_NON_FINITE = r"^(?i)[+-]?(nan|inf|infinity)$"


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Lines that count, of the schema `LINES`, and those set aside, of the schema `REJECTS`.

    Both are sorted, so the order in which a source gives its lines leaves no trace.
    """

    lines: pl.DataFrame
    rejects: pl.DataFrame

    @property
    def rejected(self) -> pl.DataFrame:
        """What is wrong with the source: all that is set aside, but for the cancelled lines."""
        return self.rejects.filter(pl.col("reason") != CANCELLED)


def clean(batches: Iterable[pl.DataFrame], source: SourceConfig, demand: DemandUnit, month: Month) -> Cleaned:
    """Read one source's raw lines, of the schema `RAW_LINES`, dated up to the end of `month`.

    Later lines are not part of the month's history and are left out. Raises `TooManyRejects` when more
    lines than the source's `max_rejects` are set aside; cancelled lines do not count towards it.
    """
    read = [_read(batch, source.name, demand, month) for batch in batches]
    lines = pl.concat([LINES.to_frame(), *(each.lines for each in read)])
    lines, repeats = _without_repeats(lines)
    rejects = pl.concat([REJECTS.to_frame(), *(each.rejects for each in read), repeats])
    cleaned = Cleaned(
        lines.sort("source", "line"),
        rejects.sort(REJECTS.names(), nulls_last=False),
    )
    _check_limit(cleaned, source)
    return cleaned


def count_by_reason(rejects: pl.DataFrame) -> tuple[RejectCount, ...]:
    """How many lines each reason set aside, most frequent first, with the first line as example."""
    counts = (
        rejects.sort(REJECTS.names())
        .group_by("reason")
        .agg(pl.len().alias("lines"), pl.col("line", "field", "value").first())
        .sort(["lines", "reason"], descending=[True, False])
    )
    return tuple(RejectCount(*row) for row in counts.iter_rows())


def _read(raw: pl.DataFrame, source: str, demand: DemandUnit, month: Month) -> Cleaned:
    """Each line on its own: its fields understood, or its first fault found."""
    checks = _checks(demand)
    read = (
        raw.lazy()
        .with_columns(_stripped(name) for name in raw.columns)
        .with_columns(
            pl.lit(source).alias("source"),
            _day(pl.col("date")).alias("day"),
            plain_unit(pl.col("unit")).alias("plain_unit"),
            number(pl.col("quantity")).alias("number"),
        )
        .filter(pl.col("day").is_null() | (pl.col("day") < (month + 1).first_day))
        .with_columns(_factor(demand).alias("factor"))
        .with_columns(whole_units(pl.col("number"), pl.col("factor")).alias("counted"))
        .with_columns(
            pl.coalesce(
                pl.when(check.wrong).then(pl.lit(position, pl.UInt8)) for position, check in enumerate(checks)
            ).alias("fault")
        )
        .collect()
    )
    lines, faulty = read.filter(pl.col("fault").is_null()), read.filter(pl.col("fault").is_not_null())
    rejects = [
        _rejects(faulty.filter(pl.col("fault") == position), check.reason, check.field)
        for position, check in enumerate(checks)
    ]
    return Cleaned(
        lines.select(
            "source", "line", *KEYS, pl.col("day").alias("date"), pl.col("counted").alias("quantity")
        ),
        pl.concat(rejects),
    )


class _Check(NamedTuple):
    """A fault: when a line has it, what it is called, and the field to show."""

    wrong: pl.Expr
    reason: str
    field: str


def _checks(demand: DemandUnit) -> list[_Check]:
    status, date_, day = pl.col("status"), pl.col("date"), pl.col("day")
    unit, quantity, counted = pl.col("unit"), pl.col("quantity"), pl.col("counted")
    others = [word for kind, words in FACTORS.items() if kind is not demand for word in words]
    checks = [
        _Check(status.str.to_lowercase().is_in(sorted(CANCELLED_WORDS)), CANCELLED, "status"),
        _Check(pl.col("line").is_null(), MISSING_LINE, "line"),
        *(_Check(pl.col(key).is_null(), MISSING_KEY, key) for key in KEYS),
        _Check(date_.is_null(), MISSING_DATE, "date"),
        _Check(day.is_null(), BAD_DATE, "date"),
        _Check(day < OLDEST, TOO_OLD, "date"),
        _Check(unit.is_null(), MISSING_UNIT, "unit"),
        _Check(pl.col("plain_unit").is_in(others), OTHER_UNIT, "unit"),
        _Check(pl.col("factor").is_null(), UNKNOWN_UNIT, "unit"),
        _Check(quantity.is_null(), MISSING_QUANTITY, "quantity"),
        _Check(quantity.str.contains(_NON_FINITE), NOT_FINITE, "quantity"),
        _Check(quantity.cast(pl.Float64, strict=False).is_null(), NOT_A_NUMBER, "quantity"),
        _Check(counted.is_null(), TOO_LARGE, "quantity"),
    ]
    if demand is DemandUnit.PIECE:
        checks.append(_Check(~is_whole(pl.col("number")), NOT_WHOLE, "quantity"))
    return checks


def _rejects(lines: pl.DataFrame, reason: str, field: str) -> pl.DataFrame:
    return lines.select(
        pl.lit(reason).alias("reason"),
        "source",
        "line",
        pl.lit(field).alias("field"),
        pl.col(field).alias("value"),
        pl.col("counted").alias("quantity"),
    )


def _without_repeats(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One line per id, and the rejects: repeats that say the same, and ids that say different things.

    Of lines that contradict each other none is kept: whichever came first would be chance.
    """
    identity = ["source", "line"]
    if not lines.select(identity).is_duplicated().any():
        return lines, REJECTS.to_frame()
    distinct = lines.unique()
    contradictory = distinct.select(identity).is_duplicated()
    kept = distinct.filter(~contradictory)
    lines = lines.with_columns(pl.col("quantity").alias("counted"))
    conflicts = lines.join(distinct.filter(contradictory), on=identity, how="semi")
    agreeing = lines.join(kept, on=identity, how="semi")
    repeats = agreeing.filter(~agreeing.select(pl.struct(identity).is_first_distinct()).to_series())
    rejects = pl.concat([_rejects(repeats, DUPLICATE, "line"), _rejects(conflicts, CONFLICT, "line")])
    return kept, rejects


def _check_limit(cleaned: Cleaned, source: SourceConfig) -> None:
    rejected = cleaned.rejected
    lines = cleaned.lines.height + rejected.height
    if rejected.height > source.max_rejects * lines:
        raise TooManyRejects(source.name, count_by_reason(rejected), lines, source.max_rejects)


def _stripped(name: str) -> pl.Expr:
    """A text without blanks around it; null when nothing is left."""
    text = pl.col(name).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)


def _day(text: pl.Expr) -> pl.Expr:
    """The calendar day of YYYY-MM-DD, with or without a time, or of YYYYMMDD; else null."""
    iso = text.str.extract(_DATE, 1).str.to_date("%Y-%m-%d", strict=False)
    compact = pl.when(text.str.contains(_COMPACT_DATE)).then(text).str.to_date("%Y%m%d", strict=False)
    return pl.coalesce(iso, compact)


def _factor(demand: DemandUnit) -> pl.Expr:
    factors = FACTORS[demand]
    return pl.col("plain_unit").replace_strict(
        list(factors), list(factors.values()), default=None, return_dtype=pl.Int64
    )
