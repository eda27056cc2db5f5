"""A cheap way to take the negatives out of many coherent columns: for sample paths, not for means."""

import numpy as np
from numba import njit

from forecasting.arrays import Bools, Floats
from forecasting.constraint_space import Codes, upper_codes
from forecasting.errors import BadForecast
from forecasting.hierarchy import Hierarchy
from forecasting.reconcile import BLOCK, in_threads


def rake(hierarchy: Hierarchy, coherent: Floats, sweeps: int = 2) -> Floats:
    """Coherent columns without negatives near the given coherent ones, shape (nodes, columns).

    Leaves are clipped at zero and then scaled, level by level from the finest to the total, toward the
    nodes' given values (raking: Deming & Stephan 1940). The first level is met exactly where it is
    positive and any leaf under it is; the others are met nearly. It is not the least-squares answer of
    `reconcile_nonnegative`, but costs a tenth of it, and leaves columns without negatives alone.
    """
    if coherent.ndim != 2 or coherent.shape[0] != hierarchy.n_nodes:
        raise BadForecast(
            f"columns to rake have shape {coherent.shape}, the hierarchy has {hierarchy.n_nodes} nodes"
        )
    codes = upper_codes(hierarchy)
    upper = hierarchy.n_nodes - hierarchy.n_leaves
    leaves = np.empty((hierarchy.n_leaves, coherent.shape[1]))

    def clip(start: int) -> None:
        part = slice(start, start + BLOCK)
        block = np.maximum(coherent[upper:, part], 0.0)
        targets = np.maximum(coherent[:upper, part], 0.0)
        moved = (coherent[upper:, part] < 0.0).any(axis=0)
        _rake(codes, targets, moved, sweeps, block)
        leaves[:, part] = block

    in_threads(clip, range(0, coherent.shape[1], BLOCK))
    return hierarchy.aggregate(leaves)


@njit(cache=True, nogil=True)
def _rake(
    codes: Codes, targets: Floats, moved: Bools, sweeps: int, leaves: Floats
) -> None:  # pragma: no cover
    """Scale leaves (leaves, columns) toward targets (upper, columns) in the columns that moved."""
    columns = leaves.shape[1]
    ratio = np.empty_like(targets)
    for _ in range(sweeps):
        for level in range(codes.shape[1] - 1, -1, -1):
            first, last = codes[:, level].min(), codes[:, level].max()
            ratio[first : last + 1] = 0.0
            for j in range(codes.shape[0]):
                i = codes[j, level]
                for c in range(columns):
                    ratio[i, c] += leaves[j, c]
            for i in range(first, last + 1):
                for c in range(columns):
                    total = ratio[i, c]
                    ratio[i, c] = targets[i, c] / total if moved[c] and total > 0.0 else 1.0
            for j in range(codes.shape[0]):
                i = codes[j, level]
                for c in range(columns):
                    leaves[j, c] *= ratio[i, c]
