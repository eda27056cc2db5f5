# ruff: noqa: PLR0917 - compiled kernels take arrays, not objects
"""The compiled solver of one column of non-negative reconciliation.

The quadratic programme of Wickramasuriya, Turlach & Hyndman (2020), solved in its dual by semismooth
Newton (Qi & Sun 1993): given a multiplier for each upper node the leaves are a clip, so the unknowns are
as few as the upper nodes; each step is a linear reconciliation over the leaves that are not at zero; and
once those are known the step is exact.
"""

import numpy as np
from numba import njit

from forecasting.arrays import Bools, Floats
from forecasting.constraint_space import ITERATIONS, Codes, product_free, sum_upward
from forecasting.woodbury import add_gram, add_rows, backward, cholesky, columns_dot, forward

STEPS = 200
HALVINGS = 40


@njit(cache=True, nogil=True)
def nonnegative_leaves(
    codes: Codes,
    diagonal: Floats,
    factor: Floats,
    jacobi: Floats,
    base: Floats,
    precision: float,
    accepted: float,
) -> tuple[Floats, float, int]:  # pragma: no cover
    """Leaves of one column, none below zero; the residual relative to the column; the Newton steps.

    The unknowns are `nu`, one for each upper node, and `z`, the common causes behind `factor`: leaves are
    max(0, base + factor z + diagonal S' nu), upper nodes base + factor z - diagonal nu. `jacobi` is
    the diagonal of C diag(diagonal) C', the norm in which residuals are measured.
    """
    upper = len(jacobi)
    nu = np.zeros(upper)
    z = np.zeros(factor.shape[1])
    # In the first step no leaf is held at zero: it finds the unbounded answer.
    free = np.ones(len(base) - upper, dtype=np.bool_)
    leaves, gap, pull = _state(codes, diagonal, factor, base, nu, z, free)
    size = _size(codes, jacobi, base)
    merit = _merit(jacobi, gap, pull)
    steps = 0
    # Even a coherent base needs the first step: it may hold negatives.
    while steps < STEPS and (steps == 0 or merit > precision * size):
        steps += 1
        d_nu, d_z = _direction(codes, diagonal, factor, free, gap, pull, min(merit, size), precision * size)
        slope = _dot(gap, d_nu)
        length = 1.0
        for _ in range(HALVINGS):
            new_nu = nu + length * d_nu
            new_z = z + length * d_z
            new_free = _positive(codes, diagonal, factor, base, new_nu, new_z)
            new_leaves, new_gap, new_pull = _state(codes, diagonal, factor, base, new_nu, new_z, new_free)
            new_merit = _merit(jacobi, new_gap, new_pull)
            # With independent errors the gap is the gradient of a convex function, so a step that
            # flattens it along the line is progress even where the norm does not fall.
            flatter = len(z) == 0 and abs(_dot(new_gap, d_nu)) < 0.9 * abs(slope)
            if steps == 1 or new_merit < merit or flatter:
                break
            length *= 0.5
        if steps > 1 and not new_merit < merit and merit <= accepted * size:
            break
        leaves, free, gap, pull, merit = new_leaves, new_free, new_gap, new_pull, new_merit
        nu, z = new_nu, new_z
    return leaves, merit / size if size > 0 else 0.0, steps


@njit(cache=True, nogil=True)
def _dot(x: Floats, y: Floats) -> float:  # pragma: no cover
    value = 0.0
    for i in range(len(x)):
        value += x[i] * y[i]
    return value


@njit(cache=True, nogil=True)
def _squared(jacobi: Floats, x: Floats) -> float:  # pragma: no cover
    value = 0.0
    for i in range(len(x)):
        value += x[i] * x[i] / jacobi[i]
    return value


@njit(cache=True, nogil=True)
def _merit(jacobi: Floats, gap: Floats, pull: Floats) -> float:  # pragma: no cover
    value: float = np.sqrt(_squared(jacobi, gap) + _dot(pull, pull))
    return value


@njit(cache=True, nogil=True)
def _size(codes: Codes, jacobi: Floats, base: Floats) -> float:  # pragma: no cover
    """How large a column is, in the norm of the residuals."""
    upper = len(jacobi)
    total = np.abs(base[:upper])
    sum_upward(codes, np.abs(base[upper:]), total)
    size: float = np.sqrt(_squared(jacobi, total))
    return size


@njit(cache=True, nogil=True)
def _push(codes: Codes, nu: Floats, j: int) -> float:  # pragma: no cover
    """S_upper' nu of one leaf: how hard its upper nodes push it."""
    value = 0.0
    for level in range(codes.shape[1]):
        value += nu[codes[j, level]]
    return value


@njit(cache=True, nogil=True)
def _positive(
    codes: Codes, diagonal: Floats, factor: Floats, base: Floats, nu: Floats, z: Floats
) -> Bools:  # pragma: no cover
    """Which leaves the bound does not touch, shape (leaves,)."""
    upper = len(nu)
    target = base[upper:].copy()
    add_rows(factor[upper:], z, 1.0, target)
    free = np.empty(len(target), dtype=np.bool_)
    for j in range(len(target)):
        free[j] = target[j] + diagonal[upper + j] * _push(codes, nu, j) > 0.0
    return free


@njit(cache=True, nogil=True)
def _state(
    codes: Codes, diagonal: Floats, factor: Floats, base: Floats, nu: Floats, z: Floats, free: Bools
) -> tuple[Floats, Floats, Floats]:  # pragma: no cover
    """Leaves, the gap -C y of each upper node, and the pull on z: at the answer both are zero."""
    upper = len(nu)
    target = base.copy()
    add_rows(factor, z, 1.0, target)
    leaves = np.zeros(len(free))
    force = np.empty(len(base))
    gap = np.empty(upper)
    for i in range(upper):
        gap[i] = diagonal[i] * nu[i] - target[i]
        force[i] = -nu[i]
    for j in range(len(free)):
        if free[j]:
            force[upper + j] = _push(codes, nu, j)
            leaves[j] = target[upper + j] + diagonal[upper + j] * force[upper + j]
        else:
            # The bound pushes back with whatever holds the leaf at zero.
            force[upper + j] = -target[upper + j] / diagonal[upper + j]
    sum_upward(codes, leaves, gap)
    pull = z - columns_dot(factor, force)
    return leaves, gap, pull


@njit(cache=True, nogil=True)
def _direction(
    codes: Codes,
    diagonal: Floats,
    factor: Floats,
    free: Bools,
    gap: Floats,
    pull: Floats,
    merit: float,
    goal: float,
) -> tuple[Floats, Floats]:  # pragma: no cover
    """The Newton step in `nu` and `z` for the leaves that are free now.

    Eliminating z leaves (A + reduced inertia^-1 reduced') d_nu = -gap - reduced inertia^-1 pull, where
    reduced = C factor over free leaves and inertia = I + what the held leaves add to it.
    """
    upper = len(gap)
    jacobi = diagonal[:upper].copy()
    held = np.zeros(len(free))
    reduced = factor[:upper].copy()
    for j in range(len(free)):
        if free[j]:
            for level in range(codes.shape[1]):
                i = codes[j, level]
                jacobi[i] += diagonal[upper + j]
                for t in range(factor.shape[1]):
                    reduced[i, t] -= factor[upper + j, t]
        else:
            held[j] = 1.0 / diagonal[upper + j]
    inertia = np.eye(factor.shape[1])
    add_gram(factor[upper:], held, inertia)
    core = inertia.copy()
    add_gram(reduced, 1.0 / jacobi, core)
    cholesky(inertia)
    cholesky(core)
    right = -gap
    inner = pull.copy()
    forward(inertia, inner)
    backward(inertia, inner)
    add_rows(reduced, inner, -1.0, right)
    # Far from the answer a rough step finds the free leaves as well as an exact one.
    stop = max(0.1 * goal, 1e-2 * min(merit, np.sqrt(merit * goal * 1e6)))
    d_nu = _conjugate_gradient(
        codes, diagonal[:upper], diagonal[upper:], free, reduced, core, jacobi, right, stop
    )
    d_z = -pull - columns_dot(reduced, d_nu)
    forward(inertia, d_z)
    backward(inertia, d_z)
    return d_nu, d_z


@njit(cache=True, nogil=True)
def _conjugate_gradient(
    codes: Codes,
    upper: Floats,
    weight: Floats,
    free: Bools,
    factor: Floats,
    core: Floats,
    jacobi: Floats,
    right: Floats,
    stop: float,
) -> Floats:  # pragma: no cover
    """(diag(upper) + S diag(weight where free) S' + factor inertia^-1 factor')^-1 right, (upper,).

    Preconditioned by diag(jacobi) + factor inertia^-1 factor' through Woodbury, so that the factor adds no
    iterations; `core` is the Cholesky factor of inertia + factor' diag(jacobi)^-1 factor. A direction is kept
    as (rho - factor a) / jacobi, and then inertia^-1 factor' p = a: the factor is read three times in an
    iteration, not four.
    """
    rank = factor.shape[1]
    x = np.zeros_like(right)
    r = right.copy()
    rho = np.zeros_like(right)
    p = np.empty_like(right)
    q = np.empty_like(right)
    a = np.zeros(rank)
    beta = 0.0
    last = 1.0
    for step in range(ITERATIONS):
        size = _squared(jacobi, r)
        if size <= stop * stop:
            break
        dual = columns_dot(factor, r / jacobi)
        c = dual.copy()
        forward(core, c)
        backward(core, c)
        rz = size - _dot(dual, c)
        beta = rz / last if step > 0 else 0.0
        last = rz
        for t in range(rank):
            a[t] = c[t] + beta * a[t]
        for i in range(len(r)):
            rho[i] = r[i] + beta * rho[i]
            p[i] = rho[i]
        add_rows(factor, a, -1.0, p)
        for i in range(len(r)):
            p[i] /= jacobi[i]
        product_free(codes, upper, weight, free, p, q)
        add_rows(factor, a, 1.0, q)
        curvature = _dot(p, q)
        if not (rz > 0.0 and curvature > 0.0):
            break
        alpha = rz / curvature
        for i in range(len(r)):
            x[i] += alpha * p[i]
            r[i] -= alpha * q[i]
    return x
