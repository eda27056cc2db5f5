"""What can be wrong with a raw line by itself: when it is, what that is called, the field to show."""

from datetime import date
from typing import NamedTuple

import polars as pl

from ingestion import reasons
from ingestion.order_line import KEYS
from ingestion.units import FACTORS, DemandUnit, is_whole, number, plain_unit

CANCELLED_WORDS = frozenset(
    {"cancelled", "canceled", "cancel", "void", "voided", "deleted", "storno", "storniert"}
)
"""A status that is one of these, in any case, takes the line out of demand."""

OLDEST = date(1970, 1, 1)
"""Older dates are placeholders such as 0001-01-01, and would stretch history over centuries."""

LONGEST_KEY = 200
"""More characters are no key but a text that went astray."""

CONTROL = r"\p{Cc}"
"""NUL and its like: no system shows them, and PostgreSQL and CSV cannot hold them."""

_NON_FINITE = r"^(?i)[+-]?(nan|inf|infinity)$"


class Fault(NamedTuple):
    """A fault of lines that have been read, of the columns that `ingestion.clean` gives them."""

    there: pl.Expr
    reason: str
    field: str


def faults(demand: DemandUnit, *, weighing: bool) -> list[Fault]:
    """In the order in which they are looked for; `weighing` where pieces have weights."""
    status, text, day = pl.col("status"), pl.col("date"), pl.col("day")
    unit, quantity, counted = pl.col("unit"), pl.col("quantity"), pl.col("counted")
    named = ("line", *KEYS)
    others = plain_unit(unit).is_in(
        [word for kind, words in FACTORS.items() if kind is not demand for word in words]
    )
    found = [
        Fault(status.str.to_lowercase().is_in(sorted(CANCELLED_WORDS)), reasons.CANCELLED, "status"),
        Fault(pl.col("line").is_null(), reasons.MISSING_LINE, "line"),
        *(Fault(pl.col(key).is_null(), reasons.MISSING_KEY, key) for key in KEYS),
        *(Fault(pl.col(name).str.len_chars() > LONGEST_KEY, reasons.LONG_KEY, name) for name in named),
        *(Fault(pl.col(name).str.contains(CONTROL), reasons.UNREADABLE_KEY, name) for name in named),
        Fault(text.is_null(), reasons.MISSING_DATE, "date"),
        Fault(day.is_null(), reasons.BAD_DATE, "date"),
        Fault(day < OLDEST, reasons.TOO_OLD, "date"),
        Fault(unit.is_null(), reasons.MISSING_UNIT, "unit"),
        Fault(others & pl.col("factor").is_null(), reasons.NO_WEIGHT, "material")
        if weighing
        else Fault(others, reasons.OTHER_UNIT, "unit"),
        Fault(pl.col("factor").is_null(), reasons.UNKNOWN_UNIT, "unit"),
        Fault(quantity.is_null(), reasons.MISSING_QUANTITY, "quantity"),
        Fault(quantity.str.contains(_NON_FINITE), reasons.NOT_FINITE, "quantity"),
        Fault(quantity.cast(pl.Float64, strict=False).is_null(), reasons.NOT_A_NUMBER, "quantity"),
        Fault(counted.is_null(), reasons.TOO_LARGE, "quantity"),
    ]
    if demand is DemandUnit.PIECE:
        found.append(Fault(~is_whole(number(quantity)), reasons.NOT_WHOLE, "quantity"))
    return found
