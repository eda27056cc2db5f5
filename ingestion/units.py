"""Units of weight and count, and their exact conversion to integer kilograms or pieces."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from typing import Literal

import polars as pl


class DemandUnit(StrEnum):
    """What demand is measured in: tonnes, or pieces for sources that only count."""

    TONNE = "t"
    PIECE = "piece"

    @property
    def stored(self) -> Literal["kg", "piece"]:
        """The unit of the integers in a snapshot."""
        return "kg" if self is DemandUnit.TONNE else "piece"


_POUND = Decimal("0.45359237")  # exact since 1959

_WEIGHTS: Mapping[Decimal, str] = {
    Decimal(1): "kg kgs kgm kilo kilos kilogram kilograms kilogramme kilogrammes",
    Decimal(1000): "t to tne mt mton mtons tonne tonnes metricton metrictons metrictonne metrictonnes",
    2_000 * _POUND: "st stn ston stons shortton shorttons nt netton nettons uston ustons",
    2_240 * _POUND: "lt ltn lton ltons longton longtons gt grosston grosstons",
    _POUND: "lb lbs lbr pound pounds",
    100 * _POUND: "cwt cwts cwa hundredweight hundredweights shortcwt uscwt",
}
_COUNTS = "piece pieces pc pcs pce ea each unit units h87 c62"

FACTORS: Mapping[DemandUnit, Mapping[str, Decimal]] = {
    DemandUnit.TONNE: {word: factor for factor, words in _WEIGHTS.items() for word in words.split()},
    DemandUnit.PIECE: dict.fromkeys(_COUNTS.split(), Decimal(1)),
}
"""Kilograms (or pieces) in one of each unit.

A bare "ton" is missing on purpose: it is 907, 1,000 or 1,016 kg depending on who writes it. "cwt" is the
hundredweight of 100 lb. The short codes are those of UN/ECE Recommendation 20 and of common ERPs.
"""

LARGEST = 10**12
"""No line buys more: a billion tonnes is half of the world's yearly steel. Sums stay far inside 64 bits."""

DECIMALS = 18
NUMBER = pl.Decimal(38, DECIMALS)

_ORNAMENT = r"[\s._-]+"
_ONE = 10**DECIMALS
_MANY_DECIMALS = r"\.\d{19}|[eE]-"


def spelled_plainly(unit: str) -> str:
    """A unit as `FACTORS` spells it: lower case, without blanks, dots, hyphens and underscores."""
    return re.sub(_ORNAMENT, "", unit.lower())


def is_unit(text: str) -> bool:
    """Whether a text is a known unit of weight or a word for pieces."""
    return any(spelled_plainly(text) in factors for factors in FACTORS.values())


def plain_unit(unit: pl.Expr) -> pl.Expr:
    """The same for a column of units."""
    return unit.str.to_lowercase().str.replace_all(_ORNAMENT, "")


def factors(units: pl.Series, demand: DemandUnit) -> pl.Series:
    """Kilograms (or pieces) in one of each unit; null where a unit is not known."""
    known = FACTORS[demand]
    exact = pl.Series(list(known.values()), dtype=NUMBER)
    plain = units.to_frame("unit").select(plain_unit(pl.col("unit"))).to_series()
    return plain.replace_strict(list(known), exact, default=None, return_dtype=NUMBER)


def number(text: pl.Expr) -> pl.Expr:
    """The finite decimal number that a text writes, with or without an exponent; else null.

    Decimals beyond the eighteenth are rounded, numbers of 10^20 and more are null.
    """
    return text.cast(NUMBER, strict=False)


def is_whole(quantity: pl.Expr) -> pl.Expr:
    """Whether a decimal number has nothing behind its point."""
    return quantity == quantity.cast(pl.Int128).cast(NUMBER)


def whole_units(texts: pl.Series, factors: pl.Series, at: pl.Series) -> pl.Series:
    """Numbers written as text, each times the decimal factor at its position, as Int64, rounded half away
    from zero.

    Null for what is no number and above `LARGEST`. Exact, and as fast as floats: a float decides
    wherever it is farther from a tie than it can be wrong, and exact decimals decide the rest.
    """
    # Few factors serve many lines, and floats from decimals are slow.
    distinct = factors.drop_nulls().unique()
    near = factors.replace_strict(distinct, distinct.cast(pl.Float64), default=None, return_dtype=pl.Float64)
    near = near.gather(at)
    known = near.is_not_null() & texts.is_not_null()
    table = pl.DataFrame({"near": near * texts.cast(pl.Float64, strict=False)})
    size = pl.col("near").abs()
    # A product of floats is wrong by 2^-51 of itself at most; this is a thousand times as much.
    sure = (size < LARGEST / 2) & ((size - size.floor() - 0.5).abs() > size * 1e-12)
    table = table.with_columns(
        sure.fill_null(value=False).alias("sure"), (size + 0.5).floor() * pl.col("near").sign()
    )
    whole = table.select(pl.when("sure").then("near").cast(pl.Int64)).to_series()
    unsure = (known & ~table["sure"]).arg_true()
    if unsure.is_empty():
        return whole
    rest = pl.DataFrame({"text": texts.gather(unsure), "factor": factors.gather(at.gather(unsure))})
    return whole.scatter(unsure, _in_integers(rest))


def _in_integers(table: pl.DataFrame) -> pl.Series:
    """The same in integers of 128 bits; both numbers are cut at their points, so nothing overflows."""
    quantity, factor = number(pl.col("text")).to_physical(), pl.col("factor").to_physical()
    size = pl.when(quantity.abs() < _wide(10 * _ONE * _ONE)).then(quantity.abs())
    whole, part = size // _wide(_ONE), size % _wide(_ONE)
    factor_whole, factor_part = factor // _wide(_ONE), factor % _wide(_ONE)
    rest = whole * factor_part + part * factor_whole + part * factor_part // _wide(_ONE)
    rounded = whole * factor_whole + (rest + _wide(_ONE // 2)) // _wide(_ONE)
    counted = pl.when(rounded <= LARGEST).then(rounded).cast(pl.Int64)
    result = table.select(pl.when(quantity < 0).then(-counted).otherwise(counted)).to_series()

    # `number` has rounded once already, and a second time could push what lies below a tie over it.
    longer = (table["text"].str.contains(_MANY_DECIMALS) & result.is_not_null()).arg_true()
    by_hand = [_by_hand(text, factor) for text, factor in table[longer].select("text", "factor").iter_rows()]
    return result.scatter(longer, pl.Series(by_hand, dtype=pl.Int64)) if by_hand else result


def _by_hand(text: str, factor: Decimal) -> int | None:
    with localcontext(prec=len(text) + 2 * DECIMALS + 20):
        exact = int((Decimal(text) * factor).to_integral_value(ROUND_HALF_UP))
    return exact if abs(exact) <= LARGEST else None


def _wide(value: int) -> pl.Expr:
    return pl.lit(value, pl.Int128)
