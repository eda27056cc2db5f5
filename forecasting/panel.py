"""Monthly demand of the leaves: the history that every model learns from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecasting.arrays import Bools, Floats, Ints
from forecasting.errors import BadPanel
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month

LARGEST = 1e30
"""No demand is as large, and sums of such months still fit into the four bytes that trees take."""


@dataclass(frozen=True, eq=False)
class DemandPanel:
    """Leaves x months of demand.

    `quantity` has shape (leaves, months), in tonnes (or the pieces of a source that counts pieces).
    `born` has shape (leaves,): the position of each leaf's first month; before it the leaf did not
    exist, which is another thing than buying nothing. Only leaves are stored, so history is coherent
    by construction.
    """

    hierarchy: Hierarchy
    first: Month
    quantity: Floats
    born: Ints

    def __post_init__(self) -> None:
        if self.quantity.ndim != 2 or self.quantity.shape[0] != self.hierarchy.n_leaves:
            raise BadPanel(
                f"quantity has shape {self.quantity.shape}, "
                f"the hierarchy has {self.hierarchy.n_leaves} leaves"
            )
        if self.n_months < 1:
            raise BadPanel("a panel needs at least one month")
        if not np.isfinite(self.quantity).all():
            raise BadPanel("quantity holds NaN or infinite values; fill or drop them first")
        if (largest := float(np.abs(self.quantity).max(initial=0.0))) > LARGEST:
            raise BadPanel(f"quantity holds {largest:g}, beyond {LARGEST:g}; use a larger unit")
        if self.born.shape != (self.hierarchy.n_leaves,):
            raise BadPanel(f"born has shape {self.born.shape}, expected ({self.hierarchy.n_leaves},)")
        if (self.born < 0).any() or (self.born >= self.n_months).any():
            raise BadPanel("every leaf must be born within the panel's months")
        unborn = np.arange(self.n_months)[None, :] < self.born[:, None]
        if (self.quantity[unborn] != 0).any():
            raise BadPanel("a leaf has demand before the month it was born")

    @property
    def n_months(self) -> int:
        return int(self.quantity.shape[1])

    @property
    def origin(self) -> Month:
        """The last month of history; forecasts begin with the next."""
        return self.first + (self.n_months - 1)

    @cached_property
    def node_born(self) -> Ints:
        """Position of each node's first month, shape (nodes,): that of its oldest leaf."""
        born = np.full(self.hierarchy.n_nodes, self.n_months, dtype=np.int64)
        for codes, part in zip(self.hierarchy.codes, self.hierarchy.slices, strict=True):
            np.minimum.at(born[part], codes, self.born)
        return born

    def nodes(self) -> Floats:
        """History of every node, shape (nodes, months)."""
        return self.hierarchy.aggregate(self.quantity)

    def until(self, month: Month) -> "DemandPanel":
        """What was known at the end of `month`: later months and leaves born later are gone.

        This is all that a backtest fold ever gets, so it cannot leak what it does not hold.
        """
        months = month - self.first + 1
        if not 1 <= months <= self.n_months:
            raise BadPanel(f"{month} is outside the panel, {self.first} to {self.origin}")
        known = self.born < months
        if not known.any():
            raise BadPanel(f"no leaf had been born by {month}")
        return DemandPanel(
            self.hierarchy.keep(known), self.first, self.quantity[known, :months], self.born[known]
        )

    def keep(self, leaves: Bools) -> "DemandPanel":
        """The same months of some of the leaves, shape (leaves,)."""
        return DemandPanel(self.hierarchy.keep(leaves), self.first, self.quantity[leaves], self.born[leaves])
