"""How far one-month-ahead expectations of a global model missed: what a covariance of errors is made of."""

from typing import Protocol

import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.features import Rows
from forecasting.models.two_part import SizeSpread, TwoPart

_BLOCK = 20_000


class GlobalFit(Protocol):
    """What both global models keep after fitting."""

    @property
    def values(self) -> Floats: ...
    @property
    def born(self) -> Ints: ...
    @property
    def unit(self) -> float: ...
    @property
    def spread(self) -> SizeSpread: ...

    def parts(self, rows: Rows) -> tuple[Floats, Floats]:
        """Order probability and size in common units, each of shape (rows,)."""
        ...


def one_step_errors(fitted: GlobalFit, months: int) -> Floats:
    """Actual less expected over the last months, shape (series, months), in the history's unit.

    Each expectation sees only the months before its own, though the coefficients saw all. Zero where
    the series was not yet born the month before.
    """
    count, known = fitted.values.shape
    errors = np.zeros((count, months))
    origins = np.arange(known - 1 - months, known - 1)
    for start in range(0, count, _BLOCK):
        series = np.arange(start, min(start + _BLOCK, count))
        each, origin = np.repeat(series, months), np.tile(origins, len(series))
        rows = Rows(each, origin, np.ones_like(origin)).where(origin >= fitted.born[each])
        probability, size = fitted.parts(rows)
        expected = TwoPart(probability, size, 1.0, fitted.spread).mean()
        ordered_before = np.cumsum(fitted.values[series], axis=1)[rows.series - start, rows.origin] > 0
        actual = fitted.values[rows.series, rows.target]
        miss = (actual - np.where(ordered_before, expected, 0.0)) * fitted.unit
        errors[rows.series, rows.origin - origins[0]] = miss
    return errors
