"""From a recipe and history to a coherent forecast."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import Bools, Floats, Ints
from forecasting.covariance import Covariance, shrinkage, structural
from forecasting.distribution import LevelDistribution
from forecasting.errors import TooLittleHistory
from forecasting.fallbacks import Fallbacks, joined
from forecasting.forecast import Forecast, check_probabilities
from forecasting.hierarchy import Hierarchy
from forecasting.hindcasts import count_origins, errors_of
from forecasting.level_forecast import LevelForecast, begin_level, forecast_level
from forecasting.models.protocol import SeriesBatch
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from forecasting.reconcile import reconcile_nonnegative
from forecasting.reconcile_by_past import reconcile_by_past
from forecasting.sample_paths import PathSource
from forecasting.sharing import share
from forecasting.spread import GRID, no_spread, spread_of

MONTHS_NEEDED = 2
NO_DEMAND = "no demand yet: zero"
# Up to this many past forecasts (nodes x origins x horizon) are reconciled like the present one, so that
# past errors decide between reconciliations and give the spread around coherent means.
_MOST_PAST = 4_000_000
_ENOUGH_ORIGINS, _FEW_ORIGINS = 48, 12
# Beyond this many nodes errors shared by many of them take too long to follow.
_MOST_SHARED = 400_000
_LEVEL_MONTHS = 48


@dataclass(frozen=True, eq=False)
class FittedForecaster:
    """A recipe that has learned from a panel: coherent means and the distributions around them.

    `mean`, shape (nodes, horizon), and `levels` are of the nodes that ever had demand; `rows`, shape
    (nodes,), are their places in the panel's hierarchy. All other nodes are forecast as nothing.
    `fallback` says of each of those that had demand who answered in the place of the recipe's models.
    `leaf_errors`, shape (leaves that had demand, origins, horizon), are errors of past forecasts.
    """

    recipe: Recipe
    panel: DemandPanel
    rows: Ints
    mean: Floats
    levels: tuple[LevelDistribution, ...]
    fallback: Fallbacks
    leaf_errors: NDArray[np.float32]

    def forecast(self, probabilities: tuple[float, ...]) -> Forecast:
        """Coherent means and ordered quantiles for the months after the panel's origin."""
        check_probabilities(probabilities)
        shape = (self.panel.hierarchy.n_nodes, self.mean.shape[1])
        mean, quantiles = np.zeros(shape), np.zeros((len(probabilities), *shape))
        mean[self.rows] = self.mean
        start = 0
        for level in self.levels:
            rows = self.rows[start : start + len(level.spread.mean)]
            quantiles[:, rows] = level.quantiles(probabilities)
            start += len(rows)
        fallback = self.fallback.spread_out(self.rows, shape[0], NO_DEMAND)
        return Forecast(self.panel.hierarchy, self.panel.origin + 1, mean, probabilities, quantiles, fallback)

    def sample_paths(self, count: int, seed: int) -> Iterator[Floats]:
        """Coherent paths with the forecast's own distributions, in blocks of (nodes, horizon, paths)."""
        hierarchy, horizon = self.panel.hierarchy, self.mean.shape[1]
        if not self.levels:
            yield np.zeros((hierarchy.n_nodes, horizon, count))
            return
        leaves = np.zeros(hierarchy.n_leaves, dtype=np.bool_)
        first = hierarchy.slices[-1].start
        leaves[self.rows[self.rows >= first] - first] = True
        grid = tuple(GRID.tolist())
        marginals = np.concatenate([level.quantiles(grid) for level in self.levels], axis=1)
        source = PathSource(hierarchy.keep(leaves), marginals, self.leaf_errors)
        for block in source.blocks(count, seed):
            out = np.zeros((hierarchy.n_nodes, *block.shape[1:]))
            out[self.rows] = block
            yield out


def fit(recipe: Recipe, panel: DemandPanel, horizon: int) -> FittedForecaster:
    """Learn from all of the panel to forecast `horizon` months; raises `TooLittleHistory` below two months.

    Each level forecasts by itself; the forecasts are reconciled with what past errors say about whom to
    trust; the same errors, once reconciled, give the quantiles.
    """
    if panel.n_months < MONTHS_NEEDED:
        raise TooLittleHistory(panel.n_months, MONTHS_NEEDED)
    # Leaves with returns alone are forecast as nothing; left in what they are part of, their returns would
    # be taken from the forecasts of others, for no leaf can be forecast below zero.
    active = (panel.quantity > 0).any(axis=1)
    if not active.any():
        nothing = np.empty((0, 0, horizon), dtype=np.float32)
        rows, mean = np.empty(0, np.int64), np.empty((0, horizon))
        return FittedForecaster(recipe, panel, rows, mean, (), Fallbacks.none(0), nothing)
    known = panel if active.all() else panel.keep(active)
    mean, levels, fallback, errors = _fit_active(recipe, known, horizon)
    rows = _rows_of(panel.hierarchy, active)
    return FittedForecaster(recipe, panel, rows, mean, levels, fallback, errors)


def _rows_of(hierarchy: Hierarchy, active: Bools) -> Ints:
    """Places of the nodes that have an active leaf: those of the hierarchy of active leaves, in its order."""
    return np.concatenate(
        [
            part.start + np.unique(codes[active])
            for codes, part in zip(hierarchy.codes, hierarchy.slices, strict=True)
        ]
    )


def _fit_active(
    recipe: Recipe, panel: DemandPanel, horizon: int
) -> tuple[Floats, tuple[LevelDistribution, ...], Fallbacks, NDArray[np.float32]]:
    """Coherent means (nodes, horizon), distributions by level, reasons and the leaves' past errors.

    Every leaf of the panel had demand.
    """
    hierarchy, values = panel.hierarchy, panel.nodes()
    origins, small = _affordable(count_origins(panel.n_months), hierarchy.n_nodes * horizon)
    batches = [SeriesBatch(panel.first, values[part], panel.node_born[part]) for part in hierarchy.slices]
    # The leaves' trees grow beside all else.
    learning = [begin_level(recipe, batch, leaves=batch is batches[-1]) for batch in batches]
    if recipe.shares:
        # Logarithms of demand that comes and goes would teach all others to expect less.
        teachers = [one for one, begun in zip(batches, learning, strict=True) if not begun.intermittent]
        shared = share(hierarchy, batches, teachers or batches, origins, horizon)
        batches = [replace(batch, shared=one) for batch, one in zip(batches, shared, strict=True)]
    levels = [
        forecast_level(recipe, batch, begun, origins, horizon)
        for batch, begun in zip(batches, learning, strict=True)
    ]
    base = np.concatenate([level.mean for level in levels])
    pasts = [level.hindcasts.forecasts for level in levels]
    if small:
        mean, coherent = reconcile_by_past(hierarchy, values, base, np.concatenate(pasts))
        pasts = [coherent[part] for part in hierarchy.slices]
    else:
        mean = reconcile_nonnegative(hierarchy, base, _trusted(hierarchy, values, pasts))
    fallback = joined([level.fallback for level in levels])
    leaf_errors = errors_of(panel.quantity, pasts[-1]).astype(np.float32)
    return mean, _distributions(panel, values, levels, mean, pasts), fallback, leaf_errors


def _affordable(origins: int, cells: int) -> tuple[int, bool]:
    """How many past origins there is room for, and whether what was forecast there can be reconciled.

    `cells` are the nodes times the months ahead.
    """
    room = _MOST_PAST // cells - 1
    small = room >= min(origins, _ENOUGH_ORIGINS)
    return min(origins, room if small else _FEW_ORIGINS), small


def _trusted(hierarchy: Hierarchy, values: Floats, pasts: list[Floats]) -> Covariance:
    """Whom to trust, from past errors one month ahead; where nodes are many, from their numbers of leaves."""
    if hierarchy.n_nodes > _MOST_SHARED:
        return structural(hierarchy)
    return shrinkage(errors_of(values, np.concatenate([past[:, :, :1] for past in pasts]))[:, :, 0])


def _distributions(
    panel: DemandPanel, values: Floats, levels: list[LevelForecast], mean: Floats, pasts: list[Floats]
) -> tuple[LevelDistribution, ...]:
    recent = np.abs(values[:, -_LEVEL_MONTHS:]).mean(axis=1)
    # What has been dead for years is as large as it was while it lived.
    recent = np.where(recent > 0, recent, np.abs(values).mean(axis=1))
    return tuple(
        LevelDistribution(
            level,
            no_spread(mean[part])
            if level.intermittent
            else spread_of(mean[part], past[:, :-1], errors_of(values[part], past), recent[part]),
        )
        for part, level, past in zip(panel.hierarchy.slices, levels, pasts, strict=True)
    )
