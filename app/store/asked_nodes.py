"""What questions about nodes have in common."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.store import tables
from app.store.keys import KEYS
from app.store.selection import Selection
from forecasting.hierarchy import level_name


def nodes_asked(selection: Selection) -> list[sa.ColumnElement[bool]]:
    """Whether a node is of the selection's level and has the values that it asks for."""
    node = tables.node.c
    asked = [node.level == level_name(selection.level)]
    for key, value in selection.where.items():
        column = node[key] if key in KEYS else node.attributes[1 + selection.attributes.index(key)]
        asked.append(column == value)
    return asked


def sum_in_order(value: Any, order: Any) -> Any:
    """A sum that has the same last digit whatever way the rows were found."""
    return sa.func.sum(aggregate_order_by(value, order))
