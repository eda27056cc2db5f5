"""What the columns of every file of forecasts are called."""

from app.store.keys import KEYS
from app.store.row_text import Shape
from app.store.selection import Selection


def names_of(selection: Selection) -> list[str]:
    """What a node is known by: keys, then attributes."""
    return [*KEYS, *selection.attributes]


def columns_of(selection: Selection, shape: Shape) -> list[str]:
    """All of them: long with a row for each month, wide with a row for each measure."""
    before = ["run", "origin", "level", *names_of(selection)]
    if shape == "long":
        return [*before, "month", "unit", *selection.measures]
    return [*before, "unit", "measure", *map(str, selection.months)]
