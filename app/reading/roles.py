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
    """A column as months and as quantities, each or why not; its guessed role; how many different cells."""

    role: str
    dates: Dates | UnreadableFile
    amounts: Amounts | UnreadableFile
    different: int


def looks_of(table: Table) -> list[Look]:
    """A look at each column, with at most one month, one quantity and five keys among them."""
    dates = [_look(dates_of, column, table.numbers) for column in table.columns]
    amounts = [_look(amounts_of, column, table.numbers) for column in table.columns]
    different = [len(set(column.cells)) for column in table.columns]
    names = [column.name for column in table.columns]
    month = _best(
        [place for place, each in enumerate(dates) if isinstance(each, Dates)],
        lambda place: _MONTH_NAME.search(names[place]) is not None,
    )
    if month is None:
        month = _best([p for p, name in enumerate(names) if _MONTH_NAME.search(name)], lambda _: True)
    numeric = [place for place, each in enumerate(amounts) if isinstance(each, Amounts) and place != month]
    named = [p for p, name in enumerate(names) if _QUANTITY_NAME.search(name) and p != month]
    quantity = _best([p for p in numeric if p in named], lambda _: True)
    if quantity is None:
        quantity = named[0] if named else (numeric[-1] if numeric else None)
    keys = [
        place
        for place, name in enumerate(names)
        if place not in {month, quantity}
        and (place not in numeric or _NUMBERED_KEY.search(name))
        and None not in table.columns[place].cells
    ][:MOST_KEYS]
    return [
        Look(
            MONTH
            if place == month
            else QUANTITY
            if place == quantity
            else KEY
            if place in keys
            else LEFT_OUT,
            dates[place],
            amounts[place],
            different[place],
        )
        for place in range(len(names))
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


def _best(places: Sequence[int], wanted: Callable[[int], bool]) -> int | None:
    """The first that is wanted, else the first."""
    return next((place for place in places if wanted(place)), places[0] if places else None)
