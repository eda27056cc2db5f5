"""Scaling that brings columns without negatives back to the level they should have."""

import numpy as np
from numba import njit

from forecasting.arrays import Floats, Ints
from forecasting.constraint_space import Codes, upper_codes
from forecasting.errors import BadForecast
from forecasting.hierarchy import Hierarchy
from forecasting.reconcile import BLOCK, in_threads


def rake(
    hierarchy: Hierarchy, columns: Floats, toward: Floats, *, levels: int = 1, sweeps: int = 2
) -> Floats:
    """Coherent columns without negatives that meet the first `levels` of `toward`, (nodes, columns).

    The leaves of `columns` are clipped at zero and scaled, level by level from the finest to the first,
    toward the nodes of `toward` (raking: Deming & Stephan 1940). The first level is met exactly wherever it
    is positive and a leaf under it is; where it is not positive its leaves become zero; further levels are
    met nearly, the nearer the more `sweeps`.

    A bound at zero pushes sums up, because leaves lose only their negative errors; scaling to the sums
    from before the bound takes that bias out. So the two uses are `rake(h, coherent, coherent)`, a repair
    for thousands of sample paths that costs a twentieth of the exact optimum or less, and
    `rake(h, nonnegative, coherent)`, the means of `reconcile_nonnegative` at the total of `reconcile`.
    """
    for array in (columns, toward):
        if array.shape != (hierarchy.n_nodes, columns.shape[-1]):
            raise BadForecast(
                f"columns to rake have shape {array.shape}, the hierarchy has {hierarchy.n_nodes} nodes"
            )
    if not 0 <= levels < len(hierarchy.levels):
        raise BadForecast(f"cannot rake toward {levels} of {len(hierarchy.levels) - 1} upper levels")
    codes = np.ascontiguousarray(upper_codes(hierarchy)[:, :levels])
    edges = np.array([part.start for part in hierarchy.slices], dtype=np.int64)
    leaves = np.maximum(columns[edges[-1] :], 0.0)

    def scale(start: int) -> None:
        part = slice(start, start + BLOCK)
        block = np.ascontiguousarray(leaves[:, part])
        _rake(codes, edges, np.maximum(toward[: edges[levels], part], 0.0), sweeps, block)
        leaves[:, part] = block

    in_threads(scale, range(0, columns.shape[1], BLOCK))
    return hierarchy.aggregate(leaves)


@njit(cache=True, nogil=True)
def _rake(
    codes: Codes, edges: Ints, targets: Floats, sweeps: int, leaves: Floats
) -> None:  # pragma: no cover
    """Scale leaves (leaves, columns) toward targets (upper, columns), in place.

    `edges`, shape (levels,), holds each level's first node.
    """
    columns = leaves.shape[1]
    ratio = np.empty_like(targets)
    for _ in range(sweeps):
        for level in range(codes.shape[1] - 1, -1, -1):
            first, last = edges[level], edges[level + 1]
            ratio[first:last] = 0.0
            for j in range(codes.shape[0]):
                i = codes[j, level]
                for c in range(columns):
                    ratio[i, c] += leaves[j, c]
            for i in range(first, last):
                for c in range(columns):
                    total = ratio[i, c]
                    ratio[i, c] = targets[i, c] / total if total > 0.0 else 1.0
            for j in range(codes.shape[0]):
                i = codes[j, level]
                for c in range(columns):
                    leaves[j, c] *= ratio[i, c]
