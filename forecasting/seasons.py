"""Seasons that nodes share with what they are part of."""

from collections.abc import Sequence

import numba as nb
import numpy as np

from forecasting.arrays import Bools, Floats, Ints
from forecasting.hierarchy import Hierarchy
from forecasting.models.naive import SEASON
from forecasting.models.protocol import SeriesBatch

# The logarithm needs an offset where a month may be zero: five percent of the mean.
_OFFSET = 0.05
# A year of moving averages needs half a year on each side.
_MONTHS_NEEDED = 2 * SEASON + 1


def shared_seasons(hierarchy: Hierarchy, levels: Sequence[SeriesBatch], months: int) -> list[Floats]:
    """For each level its nodes' shared seasons, shape (nodes of the level, 12), from the first `months`.

    A node's is the mean of the seasons, as logarithms by month since the first, of all nodes that it is
    part of, each read by classical decomposition; none where those are too young. The season of a small
    node is mostly noise; those above it are the prior that it is shrunk to (Bunn & Vassilopoulos 1999).
    """
    # Nothing is part of a leaf.
    found = [_seasons(level.values[:, :months], level.born) for level in levels[:-1]]
    shared = []
    for codes, part in zip(hierarchy.codes, hierarchy.slices, strict=True):
        total, count = np.zeros((part.stop - part.start, SEASON)), np.zeros((part.stop - part.start, 1))
        for above, (seasons, known) in zip(hierarchy.codes[:-1], found, strict=True):
            place = _whole(codes, above, len(total), len(known))
            if place is not None:
                total += seasons[place]
                count += known[place, None]
        shared.append(total / np.maximum(count, 1))
    return shared


def _whole(codes: Ints, above: Ints, nodes: int, nodes_above: int) -> Ints | None:
    """For each node of a level the one of a coarser level that holds all of it, if each has one."""
    if nodes_above >= nodes:
        return None
    place = np.empty(nodes, dtype=np.int64)
    place[codes] = above
    return place if np.array_equal(place[codes], above) else None


def _seasons(values: Floats, born: Ints) -> tuple[Floats, Floats]:
    """Seasons as logarithms, shape (nodes, 12), zeros for the young; and which nodes have one, (nodes,)."""
    seasons = np.zeros((len(values), SEASON))
    known = values.shape[1] - born >= _MONTHS_NEEDED
    _decompose(np.maximum(values, 0.0), born, known, seasons)
    return seasons, known.astype(np.float64)


@nb.njit(parallel=True, cache=True)
def _decompose(values: Floats, born: Ints, known: Bools, seasons: Floats) -> None:
    months = values.shape[1]
    half = SEASON // 2
    for i in nb.prange(len(values)):
        if not known[i]:
            continue
        offset = _OFFSET * values[i, born[i] :].mean()
        if offset <= 0.0:
            continue
        logs = np.log(values[i] + offset)
        count = np.zeros(SEASON)
        for t in range(born[i] + half, months - half):
            around = 0.5 * (logs[t - half] + logs[t + half])
            for s in range(t - half + 1, t + half):
                around += logs[s]
            seasons[i, t % SEASON] += logs[t] - around / SEASON
            count[t % SEASON] += 1.0
        for m in range(SEASON):
            seasons[i, m] /= max(count[m], 1.0)
        seasons[i] -= seasons[i].mean()
