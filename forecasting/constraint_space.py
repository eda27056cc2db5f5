# ruff: noqa: PLR0917 - compiled kernels take arrays, not objects
"""Compiled kernels over the upper nodes: C = [I, -S_upper] and C diag(W) C', never formed.

A forecast y is coherent when C y = 0. The leaves enter through S_upper alone, which is read from
`codes`, shape (leaves, upper levels): the upper nodes that each leaf counts towards. Each column is
summed in one fixed order, so its bytes depend neither on threads nor on the columns beside it.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from forecasting.arrays import Bools, Floats
from forecasting.hierarchy import Hierarchy

type Codes = NDArray[np.int32]

ITERATIONS = 5000


def upper_codes(hierarchy: Hierarchy) -> Codes:
    """The upper nodes that each leaf counts towards, shape (leaves, upper levels)."""
    uppers = range(len(hierarchy.levels) - 1)
    codes = np.empty((hierarchy.n_leaves, len(uppers)), dtype=np.int32)
    for level in uppers:
        codes[:, level] = hierarchy.codes[level] + hierarchy.slices[level].start
    return codes


@njit(cache=True, nogil=True)
def sum_upward(codes: Codes, leaves: Floats, out: Floats) -> None:  # pragma: no cover
    """out += S_upper leaves, shape (upper,)."""
    for j in range(codes.shape[0]):
        value = leaves[j]
        if value != 0.0:
            for level in range(codes.shape[1]):
                out[codes[j, level]] += value


@njit(cache=True, nogil=True)
def sum_columns(codes: Codes, leaves: Floats, sign: float, out: Floats) -> None:  # pragma: no cover
    """out += sign S_upper leaves, shape (upper, columns)."""
    for j in range(codes.shape[0]):
        for level in range(codes.shape[1]):
            i = codes[j, level]
            for c in range(leaves.shape[1]):
                out[i, c] += sign * leaves[j, c]


@njit(cache=True, nogil=True)
def spread_columns(codes: Codes, weight: Floats, x: Floats, out: Floats) -> None:  # pragma: no cover
    """out += diag(weight) S_upper' x, shape (leaves, columns)."""
    for j in range(codes.shape[0]):
        for level in range(codes.shape[1]):
            i = codes[j, level]
            for c in range(x.shape[1]):
                out[j, c] += weight[j] * x[i, c]


@njit(cache=True, nogil=True)
def product_columns(
    codes: Codes, upper: Floats, weight: Floats, x: Floats, out: Floats
) -> None:  # pragma: no cover
    """out = (diag(upper) + S_upper diag(weight) S_upper') x, shape (upper, columns)."""
    columns = x.shape[1]
    for i in range(x.shape[0]):
        for c in range(columns):
            out[i, c] = upper[i] * x[i, c]
    value = np.empty(columns)
    for j in range(codes.shape[0]):
        value[:] = 0.0
        for level in range(codes.shape[1]):
            i = codes[j, level]
            for c in range(columns):
                value[c] += x[i, c]
        for c in range(columns):
            value[c] *= weight[j]
        for level in range(codes.shape[1]):
            i = codes[j, level]
            for c in range(columns):
                out[i, c] += value[c]


@njit(cache=True, nogil=True)
def product_free(
    codes: Codes, upper: Floats, weight: Floats, free: Bools, x: Floats, out: Floats
) -> None:  # pragma: no cover
    """out = (diag(upper) + S_upper diag(weight where free) S_upper') x, shape (upper,)."""
    for i in range(x.shape[0]):
        out[i] = upper[i] * x[i]
    for j in range(codes.shape[0]):
        if free[j]:
            value = 0.0
            for level in range(codes.shape[1]):
                value += x[codes[j, level]]
            value *= weight[j]
            for level in range(codes.shape[1]):
                out[codes[j, level]] += value


@njit(cache=True, nogil=True, error_model="numpy")
def squared_sizes(jacobi: Floats, x: Floats) -> Floats:  # pragma: no cover
    """x' diag(jacobi)^-1 x of each column of x (upper, columns), shape (columns,)."""
    out = np.zeros(x.shape[1])
    for i in range(x.shape[0]):
        for c in range(x.shape[1]):
            out[c] += x[i, c] * x[i, c] / jacobi[i]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def solve_diagonal(
    codes: Codes, upper: Floats, weight: Floats, jacobi: Floats, right: Floats, stop: Floats
) -> Floats:  # pragma: no cover
    """(diag(upper) + S_upper diag(weight) S_upper')^-1 right, shape (upper, columns).

    Conjugate gradients, side by side but independent, preconditioned by the diagonal `jacobi`, until
    the square of a column's residual in that norm is at most `stop`, shape (columns,). Within a level no
    two nodes share a leaf, so the diagonal inverts each level's own block: with structural weights the
    condition number is at most one more than the number of upper levels, whatever the number of leaves.
    """
    columns = right.shape[1]
    x = np.zeros_like(right)
    r = right.copy()
    p = np.zeros_like(right)
    q = np.empty_like(right)
    size = squared_sizes(jacobi, r)
    beta = np.zeros(columns)
    alpha = np.empty(columns)
    for _ in range(ITERATIONS):
        going = False
        for c in range(columns):
            going |= size[c] > stop[c]
        if not going:
            break
        for i in range(x.shape[0]):
            for c in range(columns):
                p[i, c] = r[i, c] / jacobi[i] + beta[c] * p[i, c]
        product_columns(codes, upper, weight, p, q)
        alpha[:] = 0.0
        for i in range(x.shape[0]):
            for c in range(columns):
                alpha[c] += p[i, c] * q[i, c]
        for c in range(columns):
            # A column that is done stands still while its neighbours go on.
            alpha[c] = size[c] / alpha[c] if size[c] > stop[c] and alpha[c] > 0.0 else 0.0
        for i in range(x.shape[0]):
            for c in range(columns):
                x[i, c] += alpha[c] * p[i, c]
                r[i, c] -= alpha[c] * q[i, c]
        new = squared_sizes(jacobi, r)
        for c in range(columns):
            beta[c] = new[c] / size[c] if alpha[c] > 0.0 else 0.0
            size[c] = new[c]
    return x
