"""Units of weight and count, and their exact conversion to integer kilograms or pieces."""

import re
from collections.abc import Mapping
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


FACTOR_DECIMALS = 8
_POUND = 45_359_237  # 0.45359237 kg, exact since 1959

_WEIGHTS: Mapping[int, str] = {
    10**8: "kg kgs kgm kilo kilos kilogram kilograms kilogramme kilogrammes",
    10**11: "t to tne mt mton mtons tonne tonnes metricton metrictons metrictonne metrictonnes",
    2_000 * _POUND: "st stn ston stons shortton shorttons nt netton nettons uston ustons",
    2_240 * _POUND: "lt ltn lton ltons longton longtons gt grosston grosstons",
    _POUND: "lb lbs lbr pound pounds",
    100 * _POUND: "cwt cwts cwa hundredweight hundredweights shortcwt uscwt",
}
_COUNTS = "piece pieces pc pcs pce ea each unit units h87 c62"

FACTORS: Mapping[DemandUnit, Mapping[str, int]] = {
    DemandUnit.TONNE: {word: factor for factor, words in _WEIGHTS.items() for word in words.split()},
    DemandUnit.PIECE: dict.fromkeys(_COUNTS.split(), 10**FACTOR_DECIMALS),
}
"""Kilograms (or pieces) in one of each unit, times 10^8, so that every factor is an integer.

A bare "ton" is missing on purpose: it is 907, 1,000 or 1,016 kg depending on who writes it. "cwt" is the
hundredweight of 100 lb. The short codes are those of UN/ECE Recommendation 20 and of common ERPs.
"""

LARGEST = 10**12
"""No line buys more: a billion tonnes is half of the world's yearly steel. Sums stay far inside 64 bits."""

_ORNAMENT = r"[\s._-]+"
_DECIMALS = 18
_HALF = 10 ** (_DECIMALS // 2)
_ONE = 10 ** (FACTOR_DECIMALS + _DECIMALS // 2)


def spelled_plainly(unit: str) -> str:
    """A unit as `FACTORS` spells it: lower case, without blanks, dots, hyphens and underscores."""
    return re.sub(_ORNAMENT, "", unit.lower())


def is_unit(text: str) -> bool:
    """Whether a text is a known unit of weight or a word for pieces."""
    return any(spelled_plainly(text) in factors for factors in FACTORS.values())


def plain_unit(unit: pl.Expr) -> pl.Expr:
    """The same for a column of units."""
    return unit.str.to_lowercase().str.replace_all(_ORNAMENT, "")


def number(text: pl.Expr) -> pl.Expr:
    """The finite decimal number that a text writes, with or without an exponent; else null.

    Decimals beyond the eighteenth are rounded, numbers of 10^20 and more are null.
    """
    return text.cast(pl.Decimal(38, _DECIMALS), strict=False)


def is_whole(quantity: pl.Expr) -> pl.Expr:
    """Whether a decimal number has nothing behind its point."""
    return quantity == quantity.cast(pl.Int128).cast(pl.Decimal(38, _DECIMALS))


def whole_units(quantity: pl.Expr, factor: pl.Expr) -> pl.Expr:
    """Decimal numbers times their factor as Int64, rounded half to even; null above `LARGEST`.

    Exact: the digits are one integer of 128 bits, multiplied in two halves so that nothing overflows,
    and what the lower half leaves behind decides only on which side of a tie the number lies.
    """
    digits = quantity.to_physical()
    negative = digits < 0
    size = digits.abs()
    size = pl.when(size < LARGEST * 10 ** (_DECIMALS + 3)).then(size)

    wide_factor = factor.cast(pl.Int128)
    low = size % _wide(_HALF) * wide_factor
    high = size // _wide(_HALF) * wide_factor + low // _wide(_HALF)
    floor, rest = high // _wide(_ONE), high % _wide(_ONE)
    tie_breaks = (low % _wide(_HALF) != 0) | (floor % _wide(2) == 1)
    up = (rest > _wide(_ONE // 2)) | ((rest == _wide(_ONE // 2)) & tie_breaks)
    rounded = floor + up.cast(pl.Int128)
    whole = pl.when(rounded <= LARGEST).then(rounded).cast(pl.Int64)
    return pl.when(negative).then(-whole).otherwise(whole)


def _wide(value: int) -> pl.Expr:
    return pl.lit(value, pl.Int128)
