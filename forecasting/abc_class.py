"""Which series carry the tonnes: the classes A, B and C of an ABC analysis."""

from enum import IntEnum

import numpy as np

from forecasting.arrays import Floats, Ints

A_SHARE, B_SHARE = 0.80, 0.95


class AbcClass(IntEnum):
    """The series that together have four fifths of the tonnes, those up to 95 %, and the rest."""

    A = 0
    B = 1
    C = 2


def abc_codes(tonnes: Floats) -> Ints:
    """The class of each series by its tonnes, shape (series,): the largest first (Flores & Whybark 1986).

    A series is in A while those larger than it have less than 80 % of all tonnes, so that the largest always
    is. Equal series may lie on both sides of a border; then the earlier is the larger. What bought nothing,
    or gave back more than it bought, is in C.

    >>> abc_codes(np.array([5.0, 80.0, 0.0, 15.0])).tolist()
    [2, 0, 2, 1]
    """
    bought = np.where(np.isfinite(tonnes), np.maximum(tonnes, 0.0), 0.0)
    largest = bought.max(initial=0.0)
    if largest == 0:
        return np.full(len(bought), int(AbcClass.C), np.int64)
    order = np.argsort(-bought, kind="stable")
    # Against the largest, the unit does not matter.
    ranked = bought[order] / largest
    total = np.cumsum(ranked)
    before = (total - ranked) / total[-1]
    codes = np.full(len(bought), int(AbcClass.C), np.int64)
    codes[order] = (before >= A_SHARE).astype(np.int64) + (before >= B_SHARE)
    codes[bought == 0] = int(AbcClass.C)
    return codes
