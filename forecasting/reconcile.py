"""Forecasts that add up: reconciliation of grouped hierarchies of any size."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from forecasting.arrays import Floats
from forecasting.constraint_space import (
    Codes,
    product_columns,
    solve_diagonal,
    spread_columns,
    squared_sizes,
    sum_columns,
    sum_upward,
    upper_codes,
)
from forecasting.covariance import Covariance
from forecasting.errors import BadForecast
from forecasting.hierarchy import Hierarchy
from forecasting.nonnegative import nonnegative_leaves
from forecasting.woodbury import cholesky, gram, solve_columns, subtract_product

# Residuals are relative to the column's size: aimed at, enough for past forecasts that are only compared with
# what came, and still an answer.
PRECISION = 1e-13
ROUGH = 1e-8
ACCEPTED = 1e-7
ROUNDS = 4
# One cache line of doubles, so that a gather by code fetches nothing in vain.
BLOCK = 8


def reconcile(
    hierarchy: Hierarchy, base: Floats, covariance: Covariance, *, precision: float = PRECISION
) -> Floats:
    """Coherent forecasts, shape (nodes, columns), from independent ones of the same shape.

    The unbiased mapping of least variance (Wickramasuriya, Athanasopoulos & Hyndman 2019), solved in
    the space of the constraints, where W is never inverted. A column is a month, or a month of a sample
    path; its answer depends on no other column. The mapping is linear, so sample paths made of a few
    error columns need only those columns reconciled.
    """
    system = _system(hierarchy, base, covariance, precision)
    solve = _Woodbury(system)
    leaves = np.empty((hierarchy.n_leaves, base.shape[1]))
    residuals = np.empty(base.shape[1])
    for start in range(0, base.shape[1], _WAVE):
        part = slice(start, start + _WAVE)
        leaves[:, part], residuals[part] = _free_leaves(system, solve, base[:, part])
    _refuse_unsolved(residuals)
    return hierarchy.aggregate(leaves)


def reconcile_nonnegative(hierarchy: Hierarchy, base: Floats, covariance: Covariance) -> Floats:
    """Coherent forecasts without negatives, nearest to the base in the metric of W, (nodes, columns).

    The exact optimum of Wickramasuriya, Turlach & Hyndman (2020), not a repair: nodes that the bound
    moves are paid for by their relatives, in proportion to what is known about each. Negative base
    forecasts are taken as they are; clip them first to say that they mean zero.
    """
    system = _system(hierarchy, base, covariance, PRECISION)
    leaves = np.empty((hierarchy.n_leaves, base.shape[1]))
    residuals = np.empty(base.shape[1])

    def solve(column: int) -> None:
        leaves[:, column], residuals[column], _ = nonnegative_leaves(
            system.codes,
            covariance.diagonal,
            system.factor,
            system.jacobi,
            np.ascontiguousarray(base[:, column]),
            PRECISION,
            ACCEPTED,
        )

    in_threads(solve, range(base.shape[1]))
    _refuse_unsolved(residuals)
    return hierarchy.aggregate(leaves)


# Columns solved at a time: bounds the working memory when there are thousands.
_WAVE = 64


@dataclass(frozen=True, eq=False)
class _System:
    """C W C' in parts: diag(upper) + S_upper diag(leaves) S_upper' + C factor (C factor)'."""

    codes: Codes
    upper: Floats
    leaves: Floats
    factor: Floats
    jacobi: Floats
    precision: float

    def gaps(self, columns: Floats) -> Floats:
        """C columns, shape (upper, columns)."""
        n = len(self.upper)
        out = columns[:n].copy()
        sum_columns(self.codes, columns[n:], -1.0, out)
        return out

    def sizes(self, base: Floats) -> Floats:
        """How large each column is in the norm of the residuals, shape (columns,)."""
        n = len(self.upper)
        total = np.abs(base[:n])
        sum_columns(self.codes, np.abs(base[n:]), 1.0, total)
        return np.sqrt(squared_sizes(self.jacobi, total))

    def solve_diagonal(self, right: Floats, sizes: Floats) -> Floats:
        """(C W C')^-1 right without the factor, shape (upper, columns)."""
        x = np.empty_like(right)
        stop = (self.precision * sizes) ** 2

        def solve(start: int) -> None:
            part = slice(start, start + BLOCK)
            block = np.ascontiguousarray(right[:, part])
            x[:, part] = solve_diagonal(self.codes, self.upper, self.leaves, self.jacobi, block, stop[part])

        in_threads(solve, range(0, right.shape[1], BLOCK))
        return x


class _Woodbury:
    """(C W C')^-1 with the factor: solved once for the factor's own columns, cheap for all others."""

    def __init__(self, system: _System) -> None:
        self.system = system
        self.factor = system.gaps(system.factor)
        sizes = np.sqrt(squared_sizes(system.jacobi, self.factor))
        self.answers = system.solve_diagonal(self.factor, sizes)
        self.core = gram(self.factor, self.answers) + np.eye(self.factor.shape[1])
        cholesky(self.core)

    def product(self, x: Floats) -> Floats:
        """C W C' x, shape (upper, columns)."""
        out = np.empty_like(x)
        product_columns(self.system.codes, self.system.upper, self.system.leaves, x, out)
        subtract_product(self.factor, -gram(self.factor, x), out)
        return out

    def solve(self, right: Floats, sizes: Floats) -> Floats:
        x = self.system.solve_diagonal(right, sizes)
        subtract_product(self.answers, solve_columns(self.core, gram(self.factor, x)), x)
        return x


def _free_leaves(system: _System, woodbury: _Woodbury, base: Floats) -> tuple[Floats, Floats]:
    """Leaves free in sign (leaves, columns), and each column's relative residual (columns,)."""
    base = np.ascontiguousarray(base)
    right = system.gaps(base)
    sizes = system.sizes(base)
    x = np.zeros_like(right)
    left = right
    for _ in range(ROUNDS):
        # Woodbury loses digits where the factor dominates, and so do conjugate gradients where variances
        # differ widely; another round on what is left brings them back.
        x += woodbury.solve(left, sizes)
        left = right - woodbury.product(x)
        residuals = np.sqrt(squared_sizes(system.jacobi, left)) / np.where(sizes > 0, sizes, 1.0)
        settled = residuals <= 10 * system.precision
        if settled.all():
            break
        # A column that needs another round must not give one to its neighbours.
        left[:, settled] = 0.0
    upper = len(system.upper)
    leaves = base[upper:].copy()
    spread_columns(system.codes, system.leaves, x, leaves)
    subtract_product(system.factor[upper:], gram(woodbury.factor, x), leaves)
    return leaves, residuals


def _system(hierarchy: Hierarchy, base: Floats, covariance: Covariance, precision: float) -> _System:
    if base.ndim != 2 or base.shape[0] != hierarchy.n_nodes:
        raise BadForecast(
            f"base forecasts have shape {base.shape}, the hierarchy has {hierarchy.n_nodes} nodes"
        )
    if not np.isfinite(base).all():
        raise BadForecast("base forecasts hold NaN or infinite values; replace them before reconciling")
    if len(covariance.diagonal) != hierarchy.n_nodes:
        raise BadForecast(
            f"the covariance is of {len(covariance.diagonal)} nodes, the hierarchy has {hierarchy.n_nodes}"
        )
    codes = upper_codes(hierarchy)
    upper = hierarchy.n_nodes - hierarchy.n_leaves
    jacobi = covariance.diagonal[:upper].copy()
    sum_upward(codes, covariance.diagonal[upper:], jacobi)
    factor = np.ascontiguousarray(covariance.factor)
    return _System(codes, covariance.diagonal[:upper], covariance.diagonal[upper:], factor, jacobi, precision)


def in_threads(work: Callable[[int], None], items: range) -> None:
    """Do the work of every item; compiled work lets the other threads run."""
    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        list(threads.map(work, items))


def _refuse_unsolved(residuals: Floats) -> None:
    # Negated, so that a residual that is NaN is refused too.
    unsolved = ~(residuals <= ACCEPTED)
    if unsolved.any():
        raise BadForecast(
            f"reconciliation did not settle in {int(unsolved.sum())} of {len(unsolved)} columns: the "
            "variances of the nodes differ too widely; raise the smallest ones"
        )
