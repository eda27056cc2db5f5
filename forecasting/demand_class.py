"""Which series have intermittent demand: a rule on how often and how evenly they order."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from forecasting.arrays import Bools, Floats, Ints

INTERVAL_CUT = 1.32
SIZE_CUT = 0.49
LEVEL_SHARE = 0.5


class DemandClass(IntEnum):
    """The classes of Syntetos, Boylan & Croston (2005), and one for series that never ordered."""

    SMOOTH = 0
    ERRATIC = 1
    INTERMITTENT = 2
    LUMPY = 3
    SILENT = 4


@dataclass(frozen=True, eq=False)
class DemandClasses:
    """One class per series, with the two figures behind it; each field has shape (series,).

    `interval` is the mean number of months per order (ADI), infinite without orders; `size_cv2` is
    the squared coefficient of variation of order sizes.
    """

    codes: Ints
    interval: Floats
    size_cv2: Floats

    @property
    def intermittent(self) -> Bools:
        """Series with months enough between orders that zero wants its own model."""
        classes = [DemandClass.INTERMITTENT, DemandClass.LUMPY]
        return np.isin(self.codes, classes)

    @property
    def level_is_intermittent(self) -> bool:
        """Whether intermittent series are at least half of those that ever ordered."""
        ordering = self.codes != DemandClass.SILENT
        return bool(ordering.any()) and float(self.intermittent[ordering].mean()) >= LEVEL_SHARE


def classify(values: Floats, born: Ints) -> DemandClasses:
    """The class of each series from its history, shape (series, months), since its first month.

    Only positive months are orders; the unit does not matter.
    """
    months = values.shape[1] - born
    orders = np.where(np.isfinite(values) & (np.arange(values.shape[1]) >= born[:, None]), values, 0.0)
    orders = np.maximum(orders, 0.0)
    # Against the largest order, squares of very large tonnages stay finite.
    orders = orders / np.maximum(orders.max(axis=1, keepdims=True, initial=0.0), np.finfo(np.float64).tiny)
    ordered = orders > 0
    count = ordered.sum(axis=1)
    some = np.maximum(count, 1)
    mean = orders.sum(axis=1) / some
    deviation = np.where(ordered, orders - mean[:, None], 0.0)
    cv2 = np.where(count > 0, (deviation**2).sum(axis=1) / some, 0.0) / np.where(mean > 0, mean, 1.0) ** 2
    interval = np.where(count > 0, months / some, np.inf)
    codes = 2 * (interval > INTERVAL_CUT) + (cv2 > SIZE_CUT)
    return DemandClasses(np.where(count > 0, codes, int(DemandClass.SILENT)).astype(np.int64), interval, cv2)
