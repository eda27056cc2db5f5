"""Attributes of components whose names Python's cannot be."""

from typing import Any


def aria(**values: str) -> Any:
    """`aria-…`, for whoever does not see the page.

    >>> aria(label="Nodes")
    {'aria-label': 'Nodes'}
    """
    return {f"aria-{name}": value for name, value in values.items()}


def data(**values: str) -> Any:
    """`data-…`, for the page's own scripts."""
    return {f"data-{name.replace('_', '-')}": value for name, value in values.items()}
