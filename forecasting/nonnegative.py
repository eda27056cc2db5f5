"""The compiled solver of one column: reconciled leaves, free in sign or kept at zero and above.

Without a bound it is one conjugate gradient solve. With y >= 0 it is the quadratic programme of
Wickramasuriya, Turlach & Hyndman (2020), solved in its dual by semismooth Newton (Qi & Sun 1993): given a
multiplier for each upper node the leaves are a clip, so the unknowns are as few as the upper nodes, each
step is a solve like the one above over the leaves that are not at zero, and once those are right the
step is exact.
"""

import numpy as np
from numba import njit

from forecasting.arrays import Bools, Floats, Ints
from forecasting.constraint_space import (
    NEWTON_STEPS,
    add_rows,
    backward,
    capacity,
    columns_dot,
    conjugate_gradient,
    forward,
    spread,
    sum_upward,
)

PRECISION = 1e-13
ACCEPTED = 1e-9


@njit(cache=True, nogil=True)
def free_leaves(
    codes: Ints,
    diagonal: Floats,
    factor: Floats,
    constraint_factor: Floats,
    jacobi: Floats,
    core: Floats,
    base: Floats,
) -> tuple[Floats, float]:  # pragma: no cover
    """Reconciled leaves of one column, and the residual relative to the column's size.

    `constraint_factor` is C factor, shape (upper, rank); `jacobi` the diagonal of C diag(diagonal) C';
    `core` the Cholesky factor of the capacity of both.
    """
    upper = len(jacobi)
    rhs = base[:upper].copy()
    sum_upward(codes, -base[upper:], rhs)
    size = _size(codes, base, jacobi)
    nu, residual = conjugate_gradient(
        codes,
        diagonal[:upper],
        diagonal[upper:],
        constraint_factor,
        jacobi,
        core,
        rhs,
        PRECISION * size,
    )
    leaves = base[upper:] + diagonal[upper:] * spread(codes, nu)
    add_rows(factor[upper:], -columns_dot(constraint_factor, nu), leaves)
    return leaves, residual / size if size > 0 else 0.0


@njit(cache=True, nogil=True)
def nonnegative_leaves(
    codes: Ints, diagonal: Floats, factor: Floats, jacobi: Floats, base: Floats
) -> tuple[Floats, float, int]:  # pragma: no cover
    """Reconciled leaves of one column, none below zero; the residual as above; Newton steps.

    The unknowns are `nu`, one for each upper node, and `z`, the common causes behind `factor`: leaves are
    max(0, base + factor z + diagonal S' nu), upper nodes base + factor z - diagonal nu.
    """
    upper = len(jacobi)
    rank = factor.shape[1]
    size = _size(codes, base, jacobi)
    nu = np.zeros(upper)
    z = np.zeros(rank)
    # Nothing is held at zero in the first step, so that it finds the unbounded solution.
    first = np.ones(len(base) - upper, dtype=np.bool_)
    leaves, free, gap, pull = _state(codes, diagonal, factor, base, nu, z, first, True)
    merit = _merit(jacobi, gap, pull)
    steps = 0
    while merit > PRECISION * size and steps < NEWTON_STEPS:
        steps += 1
        d_nu, d_z = _direction(codes, diagonal, factor, base, free, gap, pull, merit, PRECISION * size)
        start = _along(gap, d_nu)
        length = 1.0
        for _ in range(40):
            new_nu = nu + length * d_nu
            new_z = z + length * d_z
            leaves, new_free, new_gap, new_pull = _state(
                codes, diagonal, factor, base, new_nu, new_z, first, False
            )
            new_merit = _merit(jacobi, new_gap, new_pull)
            # For independent errors the gap is the gradient of a convex function, so a step that
            # flattens it along the line is progress even where the norm does not fall.
            if new_merit < merit or (rank == 0 and abs(_along(new_gap, d_nu)) < 0.9 * abs(start)):
                break
            if steps == 1:
                break
            length *= 0.5
        stalled = steps > 1 and not new_merit < merit and merit <= ACCEPTED * size
        if stalled:
            break
        nu, z, free, gap, pull, merit = new_nu, new_z, new_free, new_gap, new_pull, new_merit
    leaves, free, gap, pull = _state(codes, diagonal, factor, base, nu, z, first, False)
    return leaves, merit / size if size > 0 else 0.0, steps


@njit(cache=True, nogil=True)
def _size(codes: Ints, base: Floats, jacobi: Floats) -> float:  # pragma: no cover
    """How large a column is, in the norm of the residuals."""
    total = np.abs(base[: len(jacobi)])
    sum_upward(codes, np.abs(base[len(jacobi) :]), total)
    return np.sqrt(_along(total / jacobi, total))


@njit(cache=True, nogil=True)
def _along(x: Floats, y: Floats) -> float:  # pragma: no cover
    value = 0.0
    for i in range(x.shape[0]):
        value += x[i] * y[i]
    return value


@njit(cache=True, nogil=True)
def _merit(jacobi: Floats, gap: Floats, pull: Floats) -> float:  # pragma: no cover
    return np.sqrt(_along(gap / jacobi, gap) + _along(pull, pull))


@njit(cache=True, nogil=True)
def _state(
    codes: Ints,
    diagonal: Floats,
    factor: Floats,
    base: Floats,
    nu: Floats,
    z: Floats,
    everywhere: Bools,
    unbounded: bool,
) -> tuple[Floats, Bools, Floats, Floats]:  # pragma: no cover
    """Leaves, which of them are free, the gap -C y of each upper node, and the pull on z."""
    upper = len(nu)
    rank = factor.shape[1]
    target = base.copy()
    if rank:
        add_rows(factor, z, target)
    push = spread(codes, nu)
    raw = target[upper:] + diagonal[upper:] * push
    free = everywhere if unbounded else raw > 0.0
    leaves = np.where(free, raw, 0.0)
    gap = diagonal[:upper] * nu - target[:upper]
    sum_upward(codes, leaves, gap)
    pull = z.copy()
    if rank:
        for i in range(upper):
            push_up = -nu[i]
            for t in range(rank):
                pull[t] -= factor[i, t] * push_up
        for j in range(len(leaves)):
            # At zero the bound pushes back with whatever holds the leaf there.
            force = push[j] if free[j] else -target[upper + j] / diagonal[upper + j]
            for t in range(rank):
                pull[t] -= factor[upper + j, t] * force
    return leaves, free, gap, pull


@njit(cache=True, nogil=True)
def _direction(
    codes: Ints,
    diagonal: Floats,
    factor: Floats,
    base: Floats,
    free: Bools,
    gap: Floats,
    pull: Floats,
    merit: float,
    goal: float,
) -> tuple[Floats, Floats]:  # pragma: no cover
    """The Newton step in `nu` and `z` for the leaves that are free now."""
    upper = len(gap)
    rank = factor.shape[1]
    weight = np.where(free, diagonal[upper:], 0.0)
    jacobi = diagonal[:upper].copy()
    sum_upward(codes, weight, jacobi)
    rhs = -gap
    reduced = np.zeros((upper, rank))
    inertia = np.eye(rank)
    if rank:
        reduced[:] = factor[:upper]
        for j in range(len(free)):
            if free[j]:
                for level in range(codes.shape[1]):
                    reduced[codes[j, level]] -= factor[upper + j]
        held = np.where(free, 0.0, 1.0 / diagonal[upper:])
        inertia = capacity(factor[upper:], held)
        inner = pull.copy()
        forward(inertia, inner)
        backward(inertia, inner)
        add_rows(reduced, -inner, rhs)
    crossing = reduced.copy()
    for i in range(upper):
        forward(inertia, crossing[i])
    core = capacity(crossing, 1.0 / jacobi)
    # Far from the answer a rough step finds the free leaves as well as an exact one.
    stop = max(0.1 * goal, min(1e-2, 1e-2 * np.sqrt(merit / max(merit, 1.0))) * merit)
    d_nu, _ = conjugate_gradient(codes, diagonal[:upper], weight, crossing, jacobi, core, rhs, stop)
    d_z = -pull - columns_dot(reduced, d_nu)
    forward(inertia, d_z)
    backward(inertia, d_z)
    return d_nu, d_z
