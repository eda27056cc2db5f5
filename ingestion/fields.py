"""Pure: what a raw line's texts mean: its day, its factor, what it counts, and whether it looks right."""

from dataclasses import dataclass

import polars as pl

from ingestion.calendar_days import calendar_days
from ingestion.faults import CANCELLED_WORDS, CONTROL, LONGEST_KEY, OLDEST
from ingestion.key_spelling import folded
from ingestion.order_line import KEYS, REPEATED_FIELDS
from ingestion.raw_lines import RawLines
from ingestion.units import NUMBER, DemandUnit, factors, is_whole, number, whole_units

BLANKS = " \t\n\r\x0b\x0c"
"""What may stand around a number: what a database without our idea of blanks takes away as well."""


@dataclass(frozen=True, eq=False)
class Understood:
    """Raw lines without blanks around their texts, and what these mean in columns of their own.

    `lines` has `day`, `counted` and `weighed`, whether the factor is a weight per piece; `sayings` has
    `factor`. Each is null where it cannot be said. `suspect` is true of every line that has a fault, and of
    few others.
    """

    lines: pl.DataFrame
    sayings: pl.DataFrame

    def whole(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Some of the lines, with all columns of what they say."""
        return pl.concat([lines, self.sayings[lines["saying"]]], how="horizontal")


def understood(raw: RawLines, time_zone: str, demand: DemandUnit, weights: pl.DataFrame | None) -> Understood:
    """What each raw line means; `weights` are the kilograms of a piece of each material, None where
    pieces are not weighed."""
    sayings = _sayings(raw.sayings, demand, weights)
    at = raw.lines["saying"]
    lines = raw.lines.with_columns(
        pl.col("line").str.strip_chars(),
        pl.col("quantity").str.strip_chars(BLANKS),
        *_dates(raw.lines, time_zone),
        sayings["odd"].gather(at),
        sayings["weighed"].gather(at),
    )
    counted = whole_units(lines["quantity"], sayings["factor"], at)
    lines = lines.with_columns(counted.alias("counted"))
    return Understood(
        lines.with_columns(_suspect(demand).alias("suspect")).drop("odd"), sayings.drop("odd", "weighed")
    )


def _sayings(raw: pl.DataFrame, demand: DemandUnit, weights: pl.DataFrame | None) -> pl.DataFrame:
    """The repeated fields without blanks, with `factor`, `weighed`, and whether something is `odd`."""
    said = {name: _said(raw[name]) for name in REPEATED_FIELDS}
    plain = {name: _without_blanks(texts) for name, texts in said.items()}
    odd = {key: said[key].filter(_looks_odd(plain[key])) for key in KEYS}
    odd["status"] = said["status"].filter(_is_cancelled(plain["status"]))
    pieces = said["unit"].filter(factors(plain["unit"], DemandUnit.PIECE).is_not_null())
    sayings = raw.with_columns(
        *(
            _answer(raw, said[name], plain[name])
            for name in REPEATED_FIELDS
            if not said[name].equals(plain[name])
        ),
        _answer(raw, said["unit"], factors(plain["unit"], demand)).alias("factor"),
        (_is_one_of(pieces) if weights is not None else pl.lit(value=False)).alias("weighed"),
        pl.any_horizontal(
            *(_is_one_of(texts) for texts in odd.values()), *(pl.col(key).is_null() for key in KEYS)
        ).alias("odd"),
    )
    return _weighed(sayings, weights) if weights is not None and sayings["weighed"].any() else sayings


def _dates(raw: pl.DataFrame, time_zone: str) -> list[pl.Expr | pl.Series]:
    """The text of each date without blanks, and its day, where the source has not said it."""
    if raw["date"].null_count() == raw.height:
        return []
    said = _said(raw["date"])
    plain = _without_blanks(said)
    days = _answer(raw, said, calendar_days(plain, time_zone))
    day = pl.coalesce("day", days) if raw["day"].null_count() < raw.height else days
    return [_answer(raw, said, plain), day.alias("day")]


def _said(texts: pl.Series) -> pl.Series:
    """The distinct texts of a column: most say the same few things millions of times, and these are read
    once; where they hardly repeat themselves it is the column as it is."""
    distinct = texts.drop_nulls().unique()
    return distinct if 2 * distinct.len() <= texts.len() else texts


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


def _weighed(sayings: pl.DataFrame, weights: pl.DataFrame) -> pl.DataFrame:
    """What is said in pieces takes the weight of its material, however its key is cased."""
    each = weights.select(folded(pl.col("material")).alias("same"), "weight").drop_nulls().unique("same")
    weight = folded(pl.col("material")).replace_strict(
        each["same"], each["weight"], default=None, return_dtype=NUMBER
    )
    return sayings.with_columns(pl.when("weighed").then(weight).otherwise("factor").alias("factor"))


def _suspect(demand: DemandUnit) -> pl.Expr:
    line = pl.col("line")
    suspect = pl.any_horizontal(
        "odd",
        *(pl.col(name).is_null() for name in ("day", "counted")),
        pl.col("day") < OLDEST,
        ~line.str.len_bytes().is_between(1, LONGEST_KEY).fill_null(value=False),
        line.str.contains(CONTROL),
    )
    if demand is DemandUnit.PIECE:
        suspect |= ~is_whole(number(pl.col("quantity")))
    return suspect.fill_null(value=False)
