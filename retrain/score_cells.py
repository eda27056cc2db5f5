"""What each node did in one month, added up over all nodes of a level or over those of each class."""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from app.store.scores import ClassScore
from forecasting.abc_class import AbcClass, abc_codes
from forecasting.arrays import Bools, Floats, Ints
from forecasting.demand_class import DemandClass, classify
from forecasting.metrics import seasonal_scale
from forecasting.models.naive import SEASON

_ROUNDING = 1e-9


class Sums(TypedDict):
    """What scores and their parts have in common, as in `app.store.scores.Score`."""

    demand: float
    error: float
    absolute_error: float
    seasonal_error: float
    within: int | None
    pinball: tuple[float, ...]
    scaled_error: float
    scaled_nodes: int


@dataclass(frozen=True, eq=False)
class Cells:
    """One month of some nodes: each field, and each member of `pinball`, has shape (nodes,).

    `within` is None where the run has not both quantiles; `scaled_error` is NaN where a node has no scale.
    """

    actual: Floats
    error: Floats
    absolute_error: Floats
    seasonal_error: Floats
    within: Bools | None
    pinball: list[Floats]
    scaled_error: Floats

    def sums(self) -> Sums:
        """Over all nodes."""
        return {
            "demand": float(np.abs(self.actual).sum()),
            "error": float(self.error.sum()),
            "absolute_error": float(self.absolute_error.sum()),
            "seasonal_error": float(self.seasonal_error.sum()),
            "within": None if self.within is None else int(self.within.sum()),
            "pinball": tuple(float(each.sum()) for each in self.pinball),
            "scaled_error": float(np.nansum(self.scaled_error)),
            "scaled_nodes": int(np.isfinite(self.scaled_error).sum()),
        }

    def of(self, nodes: Bools) -> "Cells":
        """Some of the nodes, shape (nodes,)."""
        return Cells(
            self.actual[nodes],
            self.error[nodes],
            self.absolute_error[nodes],
            self.seasonal_error[nodes],
            None if self.within is None else self.within[nodes],
            [each[nodes] for each in self.pinball],
            self.scaled_error[nodes],
        )


@dataclass(frozen=True, eq=False)
class Kinds:
    """What kind of demand nodes have; each field has shape (nodes,).

    `demand` are codes of `DemandClass`, `abc` of `AbcClass`; `scale` is the mean difference to the same
    month a year before, NaN where there is none or it is zero.
    """

    demand: Ints
    abc: Ints
    scale: Floats


def kinds_of(history: Floats, born: Ints, known: int) -> Kinds:
    """Kinds by the first `known` months of history, shape (nodes, months): what could be known at an origin.

    ABC is by the tonnes of the last year of them. `born` is the position of each node's first month.
    """
    if known < 1:
        nothing = np.zeros(len(history), np.int64)
        return Kinds(nothing + DemandClass.SILENT, nothing + AbcClass.C, np.full(len(history), np.nan))
    past = history[:, :known]
    alive = np.where(np.arange(known) < born[:, None], np.nan, past)
    scale = seasonal_scale(alive)
    # Sums that repeat each year differ in their last digits; an error is nothing by such a difference.
    usual = np.abs(past).mean(axis=1)
    return Kinds(
        classify(past, np.minimum(born, known)).codes,
        abc_codes(past[:, -SEASON:].sum(axis=1)),
        np.where(scale > _ROUNDING * usual, scale, np.nan),
    )


def by_class(cells: Cells, demand: Floats, abc: Floats) -> tuple[ClassScore, ...]:
    """The sums of each class that has nodes; `demand` and `abc` are codes as in `Kinds`."""
    return tuple(
        ClassScore(
            demand_class=kind.name.lower(), abc=part.name, nodes=int(here.sum()), **cells.of(here).sums()
        )
        for kind in DemandClass
        for part in AbcClass
        if (here := (demand == kind) & (abc == part)).any()
    )
