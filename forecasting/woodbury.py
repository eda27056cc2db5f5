"""Compiled products and solves with a tall factor: the low-rank half of a covariance.

Not numpy's: BLAS may add in another order with another number of threads. Sums here keep one order.
"""

import numpy as np
from numba import njit

from forecasting.arrays import Floats


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def columns_dot(rows: Floats, x: Floats) -> Floats:  # pragma: no cover
    """rows' x of shape (rank,), from rows (n, rank) and x (n,)."""
    out = np.zeros(rows.shape[1])
    for i in range(rows.shape[0]):
        for t in range(rows.shape[1]):
            out[t] += rows[i, t] * x[i]
    return out


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def add_rows(rows: Floats, x: Floats, sign: float, out: Floats) -> None:  # pragma: no cover
    """out += sign rows x, shape (n,), from rows (n, rank) and x (rank,)."""
    for i in range(rows.shape[0]):
        value = 0.0
        for t in range(rows.shape[1]):
            value += rows[i, t] * x[t]
        out[i] += sign * value


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def gram(left: Floats, right: Floats) -> Floats:  # pragma: no cover
    """left' right of shape (rank, columns), from left (n, rank) and right (n, columns)."""
    out = np.zeros((left.shape[1], right.shape[1]))
    for i in range(left.shape[0]):
        for s in range(left.shape[1]):
            value = left[i, s]
            if value != 0.0:
                for t in range(right.shape[1]):
                    out[s, t] += value * right[i, t]
    return out


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def subtract_product(rows: Floats, x: Floats, out: Floats) -> None:  # pragma: no cover
    """out -= rows x, shape (n, columns), from rows (n, rank) and x (rank, columns)."""
    for i in range(rows.shape[0]):
        for t in range(rows.shape[1]):
            value = rows[i, t]
            if value != 0.0:
                for c in range(x.shape[1]):
                    out[i, c] -= value * x[t, c]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def add_gram(rows: Floats, weight: Floats, out: Floats) -> None:  # pragma: no cover
    """out += rows' diag(weight) rows, lower triangle only, shape (rank, rank)."""
    for i in range(rows.shape[0]):
        if weight[i] != 0.0:
            for s in range(rows.shape[1]):
                value = rows[i, s] * weight[i]
                for t in range(s + 1):
                    out[s, t] += value * rows[i, t]


@njit(cache=True, nogil=True)
def cholesky(a: Floats) -> None:  # pragma: no cover
    """Put the lower Cholesky factor of a positive definite matrix in its lower triangle, in place."""
    for s in range(a.shape[0]):
        for t in range(s + 1):
            value = a[s, t]
            for k in range(t):
                value -= a[s, k] * a[t, k]
            a[s, t] = np.sqrt(value) if s == t else value / a[t, t]


@njit(cache=True, nogil=True)
def forward(lower: Floats, x: Floats) -> None:  # pragma: no cover
    """x = lower^-1 x in place, shape (rank,)."""
    for s in range(x.shape[0]):
        value = x[s]
        for t in range(s):
            value -= lower[s, t] * x[t]
        x[s] = value / lower[s, s]


@njit(cache=True, nogil=True)
def backward(lower: Floats, x: Floats) -> None:  # pragma: no cover
    """x = lower'^-1 x in place, shape (rank,)."""
    for s in range(x.shape[0] - 1, -1, -1):
        value = x[s]
        for t in range(s + 1, x.shape[0]):
            value -= lower[t, s] * x[t]
        x[s] = value / lower[s, s]


@njit(cache=True, nogil=True)
def solve_columns(lower: Floats, x: Floats) -> Floats:  # pragma: no cover
    """(lower lower')^-1 x, shape (rank, columns)."""
    out = np.empty_like(x)
    column = np.empty(x.shape[0])
    for c in range(x.shape[1]):
        for s in range(x.shape[0]):
            column[s] = x[s, c]
        forward(lower, column)
        backward(lower, column)
        for s in range(x.shape[0]):
            out[s, c] = column[s]
    return out
