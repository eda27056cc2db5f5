"""What each column of a table is likely to be, to be shown and changed: a guess by its name and cells."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.reading.amounts import Amounts, amounts_of
from app.reading.dates import Dates, dates_of
from app.reading.errors import UnreadableFile
from app.reading.table import Column, Table

KEY, MONTH, QUANTITY, LEFT_OUT = "key", "month", "quantity", "left out"
MOST_KEYS = 5

_BEGINNING = 100  # rows

_MONTH_NAME = re.compile(
    r"month|monat|date|datum|mois|fecha|mes\b|period|tag\b|day\b|miesi|calmonth", re.IGNORECASE
)
_QUANTITY_NAME = re.compile(
    r"quantit|qty|meng|tonn|\bt\b|\bto\b|\bkg\b|demand|bedarf|absatz|amount|units|sales|volume|cantidad|ilo[sś][cć]",
    re.IGNORECASE,
)
_NUMBERED_KEY = re.compile(
    r"\bid\b|_id\b|nr\b|no\b|num|code|sku|item|artikel|material|custom|kund|plant|werk|group|gruppe",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Look:
    """A column as months and as quantities, each or why not, and its guessed role."""

    role: str
    dates: Dates | UnreadableFile
    amounts: Amounts | UnreadableFile


def looks_of(table: Table) -> list[Look]:
    """A look at each column, with at most one month, one quantity and five keys among them."""
    dates = [_look(dates_of, column, table.numbers) for column in table.columns]
    amounts = [_look(amounts_of, column, table.numbers) for column in table.columns]
    names = [column.name for column in table.columns]
    called = [place for place, name in enumerate(names) if _MONTH_NAME.search(name)]
    dated = [place for place, each in enumerate(dates) if isinstance(each, Dates)]
    month = _first([place for place in dated if place in called], dated, called)
    called = [place for place, name in enumerate(names) if _QUANTITY_NAME.search(name) and place != month]
    numeric = [place for place, each in enumerate(amounts) if isinstance(each, Amounts) and place != month]
    quantity = _first([place for place in numeric if place in called], called, numeric[-1:])
    keys = [
        place
        for place, name in enumerate(names)
        if place not in {month, quantity}
        and (place not in numeric or _NUMBERED_KEY.search(name))
        and None not in table.columns[place].cells
    ][:MOST_KEYS]
    roles = {month: MONTH, quantity: QUANTITY} | dict.fromkeys(keys, KEY)
    return [
        Look(roles.get(place, LEFT_OUT), dates[place], amounts[place]) for place in range(len(table.columns))
    ]


def _look[T](
    read: Callable[[Column, Sequence[int]], T], column: Column, numbers: Sequence[int]
) -> T | UnreadableFile:
    """What a column reads as; of one that begins with something else, only the beginning is looked at."""
    try:
        read(Column(column.name, column.cells[:_BEGINNING]), numbers)
        return read(column, numbers)
    except UnreadableFile as error:
        return error


def _first(*choices: Sequence[int]) -> int | None:
    """The first place of the first choice that has any."""
    return next((places[0] for places in choices if places), None)
