"""Rows of a slice of nodes as columns, for files that are no text."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.store.row_text import Shape
from forecasting.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of so many nodes: `node` and `step` have shape (rows,), `numbers` (rows, columns of numbers).

    `node` is a place among the slice's nodes; `step` one among the months (long) or the measures (wide).
    """

    node: Ints
    step: Ints
    numbers: Floats


def block_of(numbers: Floats, shape: Shape) -> Block:
    """The rows of a slice, in the order of the files; `numbers` has shape (nodes, months, measures)."""
    if shape == "wide":
        numbers = numbers.transpose(0, 2, 1)
    nodes, steps, columns = numbers.shape
    node = np.repeat(np.arange(nodes), steps)
    return Block(node, np.tile(np.arange(steps), nodes), numbers.reshape(-1, columns))


def days_of(days: Sequence[dt.date], epoch: dt.date) -> Ints:
    """Dates as days since another."""
    return np.array([(day - epoch).days for day in days])
