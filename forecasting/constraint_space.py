"""Compiled kernels that solve reconciliation among the upper nodes, one column at a time.

With C = [I, -S_upper] a forecast y is coherent when C y = 0. The leaves enter only through
`S_upper x` and `S_upper' x`, which are read from the leaves' codes: `codes` has shape
(leaves, upper levels) and holds the upper nodes that each leaf counts towards.

Everything runs in one thread and in one fixed order, so a column's bytes depend on nothing else.
"""

import numpy as np
from numba import njit

from forecasting.arrays import Floats, Ints

CG_ITERATIONS = 5000
NEWTON_STEPS = 200


@njit(cache=True, nogil=True)
def sum_upward(codes: Ints, leaves: Floats, out: Floats) -> None:  # pragma: no cover
    """out += S_upper leaves, shape (upper,)."""
    for j in range(codes.shape[0]):
        value = leaves[j]
        if value != 0.0:
            for level in range(codes.shape[1]):
                out[codes[j, level]] += value


@njit(cache=True, nogil=True)
def _product(
    codes: Ints, upper: Floats, weight: Floats, factor: Floats, x: Floats, out: Floats
) -> None:  # pragma: no cover
    """out = (diag(upper) + S_upper diag(weight) S_upper' + factor factor') x, shape (upper,)."""
    for i in range(x.shape[0]):
        out[i] = upper[i] * x[i]
    for j in range(codes.shape[0]):
        if weight[j] != 0.0:
            value = 0.0
            for level in range(codes.shape[1]):
                value += x[codes[j, level]]
            value *= weight[j]
            for level in range(codes.shape[1]):
                out[codes[j, level]] += value
    if factor.shape[1]:
        add_rows(factor, columns_dot(factor, x), out)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def columns_dot(rows: Floats, x: Floats) -> Floats:  # pragma: no cover
    """rows' x, shape (rank,)."""
    out = np.zeros(rows.shape[1])
    for i in range(rows.shape[0]):
        for t in range(rows.shape[1]):
            out[t] += rows[i, t] * x[i]
    return out


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def add_rows(rows: Floats, x: Floats, out: Floats) -> None:  # pragma: no cover
    """out += rows x, shape (len(rows),)."""
    for i in range(rows.shape[0]):
        value = 0.0
        for t in range(rows.shape[1]):
            value += rows[i, t] * x[t]
        out[i] += value


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def capacity(rows: Floats, weight: Floats) -> Floats:  # pragma: no cover
    """The Cholesky factor of I + rows' diag(weight) rows, shape (rank, rank), lower."""
    rank = rows.shape[1]
    a = np.eye(rank)
    for i in range(rows.shape[0]):
        if weight[i] != 0.0:
            for s in range(rank):
                value = rows[i, s] * weight[i]
                for t in range(s + 1):
                    a[s, t] += value * rows[i, t]
    for s in range(rank):
        for t in range(s + 1):
            value = a[s, t]
            for k in range(t):
                value -= a[s, k] * a[t, k]
            a[s, t] = np.sqrt(value) if s == t else value / a[t, t]
        for t in range(s + 1, rank):
            a[s, t] = 0.0
    return a


@njit(cache=True, nogil=True)
def forward(lower: Floats, x: Floats) -> None:  # pragma: no cover
    """x = lower^-1 x in place."""
    for s in range(x.shape[0]):
        value = x[s]
        for t in range(s):
            value -= lower[s, t] * x[t]
        x[s] = value / lower[s, s]


@njit(cache=True, nogil=True)
def backward(lower: Floats, x: Floats) -> None:  # pragma: no cover
    """x = lower'^-1 x in place."""
    for s in range(x.shape[0] - 1, -1, -1):
        value = x[s]
        for t in range(s + 1, x.shape[0]):
            value -= lower[t, s] * x[t]
        x[s] = value / lower[s, s]


@njit(cache=True, nogil=True)
def _dot(x: Floats, y: Floats) -> float:  # pragma: no cover
    value = 0.0
    for i in range(x.shape[0]):
        value += x[i] * y[i]
    return value


@njit(cache=True, nogil=True)
def _precondition(
    jacobi: Floats, factor: Floats, core: Floats, r: Floats, out: Floats
) -> None:  # pragma: no cover
    """out = (diag(jacobi) + factor factor')^-1 r by Woodbury; `core` is the capacity's Cholesky."""
    for i in range(r.shape[0]):
        out[i] = r[i] / jacobi[i]
    if factor.shape[1]:
        inner = columns_dot(factor, out)
        forward(core, inner)
        backward(core, inner)
        shift = np.zeros_like(out)
        add_rows(factor, inner, shift)
        for i in range(r.shape[0]):
            out[i] -= shift[i] / jacobi[i]


@njit(cache=True, nogil=True)
def conjugate_gradient(
    codes: Ints,
    upper: Floats,
    weight: Floats,
    factor: Floats,
    jacobi: Floats,
    core: Floats,
    rhs: Floats,
    stop: float,
) -> tuple[Floats, float]:  # pragma: no cover
    """x with (diag(upper) + S diag(weight) S' + factor factor') x = rhs, and the residual's norm.

    The norm is that of the preconditioner; it ends at `stop`. Within a level no two nodes share a
    leaf, so the diagonal already inverts each level: with structural weights the condition number is
    at most one more than the number of upper levels, whatever the number of leaves.
    """
    x = np.zeros_like(rhs)
    r = rhs.copy()
    z = np.empty_like(rhs)
    q = np.empty_like(rhs)
    _precondition(jacobi, factor, core, r, z)
    p = z.copy()
    rz = _dot(r, z)
    best = rz
    since = 0
    for _ in range(CG_ITERATIONS):
        if not rz > stop * stop or since > 200:
            break
        _product(codes, upper, weight, factor, p, q)
        alpha = rz / _dot(p, q)
        for i in range(x.shape[0]):
            x[i] += alpha * p[i]
            r[i] -= alpha * q[i]
        _precondition(jacobi, factor, core, r, z)
        new = _dot(r, z)
        beta = new / rz
        rz = new
        if rz < best:
            best = rz
            since = 0
        else:
            since += 1
        for i in range(x.shape[0]):
            p[i] = z[i] + beta * p[i]
    return x, np.sqrt(max(rz, 0.0))


@njit(cache=True, nogil=True)
def spread(codes: Ints, x: Floats) -> Floats:  # pragma: no cover
    """S_upper' x: for each leaf the sum over its upper nodes, shape (leaves,)."""
    out = np.zeros(codes.shape[0])
    for j in range(codes.shape[0]):
        for level in range(codes.shape[1]):
            out[j] += x[codes[j, level]]
    return out
