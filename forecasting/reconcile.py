"""Forecasts that add up: reconciliation of grouped hierarchies of any size."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.constraint_space import capacity, sum_upward
from forecasting.covariance import Covariance
from forecasting.errors import BadForecast
from forecasting.hierarchy import Hierarchy
from forecasting.nonnegative import ACCEPTED, free_leaves, nonnegative_leaves


def reconcile(hierarchy: Hierarchy, base: Floats, covariance: Covariance) -> Floats:
    """Coherent forecasts, shape (nodes, columns), from independent ones of the same shape.

    The unbiased mapping of least variance (Wickramasuriya, Athanasopoulos & Hyndman 2019), solved in
    the space of the constraints, where W is never inverted. A column is a month, or a month of a sample path;
    its answer depends on no other column. The mapping is linear: paths made of a few error columns
    need only those columns reconciled.
    """
    codes, jacobi = _prepare(hierarchy, base, covariance)
    upper = len(jacobi)
    summing = hierarchy.summing[:upper]
    factor = np.ascontiguousarray(covariance.factor)
    reduced = factor[:upper] - np.asarray(summing @ factor[upper:])
    core = capacity(reduced, 1.0 / jacobi)

    def solve(column: Floats) -> tuple[Floats, float]:
        return free_leaves(codes, covariance.diagonal, factor, reduced, jacobi, core, column)

    return hierarchy.aggregate(_each_column(solve, base, upper))


def reconcile_nonnegative(hierarchy: Hierarchy, base: Floats, covariance: Covariance) -> Floats:
    """Coherent forecasts without negatives, nearest to the base in the metric of W, (nodes, columns).

    The exact optimum of Wickramasuriya, Turlach & Hyndman (2020), not a repair: nodes that the bound moves
    are paid for by their relatives, in proportion to what is known about each. Negative base
    forecasts are taken as they are; clip them first to say that they mean zero.
    """
    codes, jacobi = _prepare(hierarchy, base, covariance)
    factor = np.ascontiguousarray(covariance.factor)

    def solve(column: Floats) -> tuple[Floats, float]:
        leaves, residual, _ = nonnegative_leaves(codes, covariance.diagonal, factor, jacobi, column)
        return leaves, residual

    return hierarchy.aggregate(_each_column(solve, base, len(jacobi)))


def _prepare(hierarchy: Hierarchy, base: Floats, covariance: Covariance) -> tuple[Ints, Floats]:
    """Upper nodes of each leaf, shape (leaves, upper levels), and the diagonal of C diag(W) C'."""
    if base.ndim != 2 or base.shape[0] != hierarchy.n_nodes:
        raise BadForecast(
            f"base forecasts have shape {base.shape}, the hierarchy has {hierarchy.n_nodes} nodes"
        )
    if not np.isfinite(base).all():
        raise BadForecast("base forecasts hold NaN or infinite values; reconcile after the fallbacks")
    if len(covariance.diagonal) != hierarchy.n_nodes:
        raise BadForecast(
            f"the covariance is of {len(covariance.diagonal)} nodes, the hierarchy has {hierarchy.n_nodes}"
        )
    uppers = range(len(hierarchy.levels) - 1)
    codes = np.empty((hierarchy.n_leaves, len(uppers)), dtype=np.int64)
    for level in uppers:
        codes[:, level] = hierarchy.codes[level] + hierarchy.slices[level].start
    upper = hierarchy.n_nodes - hierarchy.n_leaves
    jacobi = covariance.diagonal[:upper].copy()
    sum_upward(codes, covariance.diagonal[upper:], jacobi)
    return codes, jacobi


def _each_column(solve: Callable[[Floats], tuple[Floats, float]], base: Floats, upper: int) -> Floats:
    """Leaves of every column, shape (leaves, columns), columns shared among the threads."""
    leaves = np.empty((base.shape[0] - upper, base.shape[1]))

    def one(column: int) -> float:
        leaves[:, column], residual = solve(np.ascontiguousarray(base[:, column]))
        return residual

    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        residuals = np.array(list(threads.map(one, range(base.shape[1]))))
    # Negated, so that a residual that is NaN is refused too.
    unsolved = ~(residuals <= ACCEPTED)
    if unsolved.any():
        raise BadForecast(
            f"reconciliation did not settle in {int(unsolved.sum())} of {len(unsolved)} columns: the nodes' "
            "variances differ too widely; raise the smallest ones"
        )
    return leaves
