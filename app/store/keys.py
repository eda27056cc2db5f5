"""The names by which nodes are served, in the order of every answer."""

import re
from collections.abc import Iterable

from app.errors import Unpublishable
from forecasting.hierarchy import Level

KEYS: Level = ("organization", "customer", "material")

RESERVED = frozenset(
    (
        *("run", "as_of", "origin", "level", "node", "month", "months", "unit", "mean", "measure"),
        *("from", "to", "quantiles", "search", "sort", "limit", "cursor"),
        *("format", "shape", "sep", "decimal", "bom"),
    )
)
"""What parameters and columns of answers are called already; so are quantiles (p50) and months."""

_NUMBERS = re.compile(r"p\d+(_\d+)?|\d{4}-\d{2}")  # quantiles and months
_WRITTEN_AROUND_NAMES = frozenset(",;=")


def canonical(level: Iterable[str]) -> Level:
    """The level in serving order, whatever order it is written in: its keys, then its attributes by name.

    >>> canonical(("material_group", "material", "grade", "organization"))
    ('organization', 'material', 'grade', 'material_group')
    """
    return tuple(sorted(level, key=lambda name: (KEYS.index(name) if name in KEYS else len(KEYS), name)))


def attributes_of(names: Iterable[str]) -> Level:
    """The names that are attributes, sorted: all but the keys of order lines.

    >>> attributes_of(("material_group", "material", "grade"))
    ('grade', 'material_group')
    """
    return canonical(set(names).difference(KEYS))


def check_attributes(names: Iterable[str]) -> None:
    """Raise `Unpublishable` for an attribute whose name could not be asked for.

    A name is a parameter, a member of JSON rows, a CSV column and a part of a level's name.
    """
    for name in attributes_of(names):
        if name in RESERVED or _NUMBERS.fullmatch(name):
            raise Unpublishable(
                f"an attribute is called {name!r}, as answers call something else already",
                "give it another name in the configuration",
                field=name,
            )
        if not name.isprintable() or name != name.strip() or not _WRITTEN_AROUND_NAMES.isdisjoint(name):
            raise Unpublishable(
                f"an attribute is called {name!r}, which no parameter can be called",
                "use a plain column name, for example material_group",
                field=name,
            )
