"""Coherent sample paths: how demand may go on, for all nodes and months together."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from forecasting.arrays import Floats
from forecasting.errors import BadForecast
from forecasting.hierarchy import Hierarchy
from forecasting.raking import rake
from forecasting.spread import GRID

# As many paths at a time as this many numbers of leaves hold, and at most so many.
_ROOM, _MOST = 8_000_000, 64
# Fewer errors of a lead say nothing about how leaves move together.
_FEWEST = 3
# Numbers of upper nodes that stand in memory at once, about eight times: 13 GiB.
_MOST_ABOVE = 200_000_000


@dataclass(frozen=True, eq=False)
class PathSource:
    """What paths are drawn from.

    `marginals`, shape (len(GRID), nodes, horizon), are each node's quantiles at GRID; `errors`, shape
    (leaves, origins, horizon), the leaves' past errors, NaN where a month has not come yet. `hierarchy` is
    over the leaves that ever had demand.
    """

    hierarchy: Hierarchy
    marginals: Floats
    errors: NDArray[np.float32]

    def blocks(self, count: int, seed: int) -> Iterator[Floats]:
        """`count` paths in blocks of shape (nodes, horizon, paths); the same seed gives the same paths.

        How leaves and months move together is taken from their joint past errors, as random mixtures of
        their normal scores (a Gaussian copula; Clark et al. 2004 reorder draws in the same spirit); how far
        each leaf goes, from its own quantiles. Then each node above is brought to its own quantiles, which
        past origins have calibrated, by mapping ranks and raking its leaves, so that paths add up, are never
        negative, and above the leaves have the distributions that are published; the leaves' own are
        stretched or pressed by what is above them.
        """
        if count < 1:
            raise BadForecast(f"asked for {count} sample paths; ask for at least one")
        upper, horizon = self.hierarchy.slices[-1].start, self.marginals.shape[2]
        if upper * horizon * count > _MOST_ABOVE:
            most = _MOST_ABOVE // (upper * horizon)
            raise BadForecast(
                f"{count} sample paths of {upper:,} nodes above the leaves do not fit; ask for {most} at most"
            )
        scores = _joint_scores(self.errors)
        sums = np.concatenate(
            [self.hierarchy.aggregate(leaves)[:upper] for leaves in self._leaves(scores, count, seed)], axis=1
        )
        targets = _at(self.marginals[:, :upper], _ranks(sums.reshape(upper, horizon, count, order="F")))
        done = 0
        for leaves in self._leaves(scores, count, seed):
            size = leaves.shape[1] // horizon
            coherent = self.hierarchy.aggregate(leaves)
            toward = coherent.copy()
            toward[:upper] = targets[:, :, done : done + size].reshape(upper, horizon * size, order="F")
            raked = rake(self.hierarchy, coherent, toward, levels=len(self.hierarchy.levels) - 1)
            yield raked.reshape(len(raked), horizon, size, order="F")
            done += size

    def _leaves(self, scores: Floats, count: int, seed: int) -> Iterator[Floats]:
        """Leaves before they are raked, shape (leaves, horizon * paths), months running fastest."""
        random = np.random.default_rng(seed)
        marginals = self.marginals[:, self.hierarchy.slices[-1]]
        block = min(max(_ROOM // marginals[0].size, 1), _MOST)
        for start in range(0, count, block):
            size = min(block, count - start)
            mixture = random.standard_normal((scores.shape[1], size)) / np.sqrt(scores.shape[1])
            # Not a matrix product: BLAS may add in another order with another number of threads.
            levels = ndtr(np.einsum("noh,op->nhp", scores, mixture))
            yield _at(marginals, levels).reshape(len(levels), -1, order="F")


def _joint_scores(errors: NDArray[np.float32]) -> Floats:
    """Normal scores of errors by leaf and lead among the origins, shape (leaves, origins, horizon).

    Where an origin's later months have not come yet, those of an earlier origin stand in for them, and
    where few origins have seen a lead, the lead before stands in for it.
    """
    _, origins, horizon = errors.shape
    scores = np.empty(errors.shape)
    for lead in range(horizon):
        known = int(np.isfinite(errors[0, :, lead]).sum())
        # A few errors of a long lead would move all leaves as one; those of the lead before tell more.
        if lead and known < max(_FEWEST, origins // 2):
            scores[:, :, lead] = scores[:, :, lead - 1]
            continue
        ranks = np.argsort(np.argsort(errors[:, :known, lead], axis=1, kind="stable"), axis=1)
        score = ndtri((np.arange(known) + 0.5) / known)
        size = np.sqrt(np.mean(score**2))
        scores[:, :, lead] = (score / (size if size > 0 else 1.0))[ranks[:, np.arange(origins) % known]]
    return scores


def _ranks(values: Floats) -> Floats:
    """Each value's level among its row's, shape as given, from (nodes, horizon, paths)."""
    count = values.shape[2]
    ranks: Floats = (np.argsort(np.argsort(values, axis=2, kind="stable"), axis=2) + 0.5) / count
    return ranks


def _at(marginals: Floats, levels: Floats) -> Floats:
    """Quantiles at `levels` (nodes, horizon, paths), from those at GRID (len(GRID), nodes, horizon)."""
    place = np.interp(levels, GRID, np.arange(len(GRID)))
    low = np.minimum(place.astype(np.int64), len(GRID) - 2)
    part = place - low
    node, month = np.ogrid[: levels.shape[0], : levels.shape[1]]
    below, above = (marginals[step, node[..., None], month[..., None]] for step in (low, low + 1))
    value: Floats = below * (1 - part) + above * part
    return value
