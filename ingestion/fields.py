"""Pure: what a raw line's texts mean: its day, its factor, what it counts, and whether it looks right."""

import polars as pl

from ingestion.calendar_days import calendar_days
from ingestion.faults import CANCELLED_WORDS, CONTROL, LONGEST_KEY, OLDEST
from ingestion.key_spelling import folded
from ingestion.order_line import KEYS
from ingestion.units import NUMBER, DemandUnit, factors, is_whole, number, whole_units

BLANKS = " \t\n\r\x0b\x0c"
"""What may stand around a number: what a database without our idea of blanks takes away as well."""

_REPETITIVE = (*KEYS, "date", "unit", "status")


def understood(
    raw: pl.DataFrame, time_zone: str, demand: DemandUnit, weights: pl.DataFrame | None
) -> pl.DataFrame:
    """Raw lines without blanks around their texts, and what these mean in columns of their own.

    `weights` are the kilograms of a piece of each material; None where pieces are not weighed.
    `day`, `factor` and `counted` are null where they cannot be said; `weighed` tells whether the factor
    is a weight per piece; `suspect` is true of every line that has a fault, and of few others.
    """
    said = _said(raw)
    plain = {name: _without_blanks(texts) for name, texts in said.items()}
    odd = {key: said[key].filter(_looks_odd(plain[key])) for key in KEYS}
    odd["status"] = said["status"].filter(_is_cancelled(plain["status"]))
    pieces = said["unit"].filter(factors(plain["unit"], DemandUnit.PIECE).is_not_null())

    lines = raw.with_columns(
        pl.col("line").str.strip_chars(),
        pl.col("quantity").str.strip_chars(BLANKS),
        *(
            _answer(raw, said[name], plain[name])
            for name in _REPETITIVE
            if not said[name].equals(plain[name])
        ),
        _answer(raw, said["date"], calendar_days(plain["date"], time_zone)).alias("day"),
        _answer(raw, said["unit"], factors(plain["unit"], demand)).alias("factor"),
        (_is_one_of(pieces) if weights is not None else pl.lit(value=False)).alias("weighed"),
        pl.any_horizontal(_is_one_of(texts) for texts in odd.values()).alias("odd"),
    )
    if weights is not None and lines["weighed"].any():
        lines = _weighed(lines, weights)
    lines = lines.with_columns(whole_units(lines["quantity"], lines["factor"]).alias("counted"))
    return lines.with_columns(_suspect(demand).alias("suspect"))


def _said(raw: pl.DataFrame) -> dict[str, pl.Series]:
    """The texts of each repetitive field: most say the same few things millions of times, and these are
    read once; of a field that hardly repeats itself it is the column as it is."""
    distinct = raw.select(pl.col(*_REPETITIVE).drop_nulls().unique().implode())
    texts = {name: distinct[name].item().alias(name) for name in _REPETITIVE}
    return {name: each if 2 * each.len() <= raw.height else raw[name] for name, each in texts.items()}


def _answer(raw: pl.DataFrame, texts: pl.Series, answers: pl.Series) -> pl.Expr | pl.Series:
    """A column with the answer to each of its texts; null stays null."""
    if texts.len() == raw.height:
        return answers.alias(texts.name)
    return pl.col(texts.name).replace_strict(texts, answers, default=None, return_dtype=answers.dtype)


def _is_one_of(texts: pl.Series) -> pl.Expr:
    """Whether a column's text is one of these few."""
    if texts.is_empty():
        return pl.lit(value=False)
    return pl.col(texts.name).is_in(texts.implode()).fill_null(value=False)


def _without_blanks(texts: pl.Series) -> pl.Series:
    """Texts without blanks around them; null where nothing is left."""
    bare = texts.str.strip_chars()
    return bare.set(bare == "", None)


def _looks_odd(keys: pl.Series) -> pl.Series:
    """Whether a key is missing, too long or unreadable."""
    return (keys.is_null() | (keys.str.len_bytes() > LONGEST_KEY) | keys.str.contains(CONTROL)).fill_null(
        value=True
    )


def _is_cancelled(states: pl.Series) -> pl.Series:
    return states.str.to_lowercase().is_in(sorted(CANCELLED_WORDS)).fill_null(value=False)


def _weighed(lines: pl.DataFrame, weights: pl.DataFrame) -> pl.DataFrame:
    """Lines in pieces take the weight of their material, however its key is cased."""
    each = weights.select(folded(pl.col("material")).alias("same"), "weight").drop_nulls().unique("same")
    weight = folded(pl.col("material")).replace_strict(
        each["same"], each["weight"], default=None, return_dtype=NUMBER
    )
    return lines.with_columns(pl.when("weighed").then(weight).otherwise("factor").alias("factor"))


def _suspect(demand: DemandUnit) -> pl.Expr:
    line = pl.col("line")
    suspect = pl.any_horizontal(
        "odd",
        *(pl.col(name).is_null() for name in (*KEYS, "day", "counted")),
        pl.col("day") < OLDEST,
        ~line.str.len_bytes().is_between(1, LONGEST_KEY).fill_null(value=False),
        line.str.contains(CONTROL),
    )
    if demand is DemandUnit.PIECE:
        suspect |= ~is_whole(number(pl.col("quantity")))
    return suspect.fill_null(value=False)
