"""From a recipe and history to a coherent forecast."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Bools, Floats, Ints
from forecasting.combine import relative_error, weigh
from forecasting.covariance import Covariance, shrinkage, structural, variance
from forecasting.distribution import LevelDistribution
from forecasting.errors import TooLittleHistory
from forecasting.forecast import Forecast, check_probabilities
from forecasting.hierarchy import Hierarchy
from forecasting.hindcasts import count_origins, errors_of
from forecasting.level_forecast import LevelForecast, begin_learning, forecast_level
from forecasting.models.protocol import SeriesBatch
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from forecasting.reconcile import reconcile, reconcile_nonnegative
from forecasting.spread import no_spread, spread_of

MONTHS_NEEDED = 2
# Up to this many past forecasts (nodes x origins x horizon) are reconciled like the present one, so that
# past errors decide between reconciliations and give the spread around coherent means.
_MOST_PAST = 4_000_000
_FEW_ORIGINS = 12
# Beyond this many nodes errors shared by many of them take too long to follow.
_MOST_SHARED = 400_000
_LEVEL_MONTHS = 48


@dataclass(frozen=True, eq=False)
class FittedForecaster:
    """A recipe that has learned from a panel: coherent means and the distributions around them.

    `mean`, shape (nodes, horizon), and `levels` are of the nodes that ever had demand; `rows`, shape
    (nodes,), are their places in the panel's hierarchy. All other nodes are forecast as nothing.
    """

    recipe: Recipe
    panel: DemandPanel
    rows: Ints
    mean: Floats
    levels: tuple[LevelDistribution, ...]

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
        return Forecast(self.panel.hierarchy, self.panel.origin + 1, mean, probabilities, quantiles)


def fit(recipe: Recipe, panel: DemandPanel, horizon: int) -> FittedForecaster:
    """Learn from all of the panel to forecast `horizon` months; raises `TooLittleHistory` below two months.

    Each level forecasts by itself; the forecasts are reconciled with what past errors say about whom to
    trust; the same errors, once reconciled, give the quantiles.
    """
    if panel.n_months < MONTHS_NEEDED:
        raise TooLittleHistory(panel.n_months, MONTHS_NEEDED)
    active = (panel.quantity != 0).any(axis=1)
    if not active.any():
        return FittedForecaster(recipe, panel, np.empty(0, np.int64), np.empty((0, horizon)), ())
    mean, levels = _fit_active(recipe, panel if active.all() else panel.keep(active), horizon)
    return FittedForecaster(recipe, panel, _rows_of(panel.hierarchy, active), mean, levels)


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
) -> tuple[Floats, tuple[LevelDistribution, ...]]:
    """Coherent means (nodes, horizon) and distributions by level, of a panel where every leaf had demand."""
    hierarchy, values = panel.hierarchy, panel.nodes()
    origins = count_origins(panel.n_months)
    small = hierarchy.n_nodes * (origins + 1) * horizon <= _MOST_PAST
    if not small:
        origins = min(origins, _FEW_ORIGINS)
    batches = [SeriesBatch(panel.first, values[part], panel.node_born[part]) for part in hierarchy.slices]
    # The leaves' trees grow beside all else.
    learning = [begin_learning(recipe, batch, leaves=batch is batches[-1]) for batch in batches]
    levels = [
        forecast_level(recipe, batch, begun, origins, horizon)
        for batch, begun in zip(batches, learning, strict=True)
    ]
    base = np.concatenate([level.mean for level in levels])
    pasts = [level.hindcasts.forecasts for level in levels]
    if small:
        mean, coherent = _reconcile_with_past(hierarchy, values, base, np.concatenate(pasts))
        pasts = [coherent[part] for part in hierarchy.slices]
    else:
        mean = reconcile_nonnegative(hierarchy, base, _trusted(hierarchy, values, pasts))
    return mean, _distributions(panel, values, levels, mean, pasts)


def _trusted(hierarchy: Hierarchy, values: Floats, pasts: list[Floats]) -> Covariance:
    """Whom to trust, from past errors one month ahead; where nodes are many, from their numbers of leaves."""
    if hierarchy.n_nodes > _MOST_SHARED:
        return structural(hierarchy)
    return shrinkage(errors_of(values, np.concatenate([past[:, :, :1] for past in pasts]))[:, :, 0])


def _reconcile_with_past(
    hierarchy: Hierarchy, values: Floats, base: Floats, past: Floats
) -> tuple[Floats, Floats]:
    """Coherent means (nodes, horizon) and past forecasts (nodes, origins + 1, horizon) of months that came.

    No reconciliation is best everywhere, so three are averaged, weighted by how well each would have
    done: an average of coherent forecasts is coherent.
    """
    leaves, (origin, lead) = hierarchy.slices[-1], _months_known(past)
    columns = past[:, origin, lead]
    came = values[:, values.shape[1] - past.shape[1] + 1 + origin + lead]
    one_step = (came - columns)[:, lead == 0]
    trusted = (shrinkage(one_step), variance(one_step))
    # The third trusts the leaves alone.
    pasts = [reconcile(hierarchy, columns, each) for each in trusted]
    pasts.append(hierarchy.aggregate(columns[leaves]))
    means = [reconcile_nonnegative(hierarchy, base, each) for each in trusted]
    means.append(hierarchy.aggregate(base[leaves]))
    size = np.abs(values).mean(axis=1)
    weights = weigh([_level_errors(hierarchy, came - each, size) for each in pasts])
    coherent = np.full_like(past, np.nan)
    coherent[:, origin, lead] = _averaged(weights, pasts)
    return _averaged(weights, means), coherent


def _months_known(past: Floats) -> tuple[Ints, Ints]:
    """Origins and leads, each (columns,), of the past forecasts whose months have come by now."""
    _, origins, horizon = past.shape
    origin, lead = np.nonzero(np.add.outer(np.arange(origins), np.arange(horizon)) < origins - 1)
    return origin, lead


def _averaged(weights: Floats, candidates: list[Floats]) -> Floats:
    average = np.zeros_like(candidates[0])
    for weight, each in zip(weights, candidates, strict=True):
        average += weight * each
    return average


def _level_errors(hierarchy: Hierarchy, errors: Floats, size: Floats) -> float:
    """Mean over the levels of their relative errors: each level counts the same."""
    found = np.array([relative_error(errors[part], size[part]) for part in hierarchy.slices])
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def _distributions(
    panel: DemandPanel, values: Floats, levels: list[LevelForecast], mean: Floats, pasts: list[Floats]
) -> tuple[LevelDistribution, ...]:
    recent = np.abs(values[:, -_LEVEL_MONTHS:]).mean(axis=1)
    return tuple(
        LevelDistribution(
            level,
            no_spread(mean[part])
            if level.intermittent
            else spread_of(mean[part], past[:, :-1], errors_of(values[part], past), recent[part]),
        )
        for part, level, past in zip(panel.hierarchy.slices, levels, pasts, strict=True)
    )
