"""The keys by which nodes are served, in the order of every answer."""

from collections.abc import Iterable

from forecasting.hierarchy import Level

KEYS: Level = ("organization", "customer", "material")


def canonical(level: Iterable[str]) -> Level:
    """The level with its keys in serving order, whatever order they are written in.

    >>> canonical(("material", "organization"))
    ('organization', 'material')
    """
    return tuple(sorted(level, key=KEYS.index))
