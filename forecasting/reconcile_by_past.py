"""Reconciliation weighted by what each kind of it would have done at past origins."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.combine import relative_error, weigh
from forecasting.covariance import Covariance, shrinkage, variance
from forecasting.hierarchy import Hierarchy
from forecasting.reconcile import ROUGH, reconcile, reconcile_nonnegative

type Trust = Callable[[Floats], Covariance]
"""From errors one month ahead, shape (nodes, origins), to whom to trust."""

_FOLDS = 4
# Fewer past origins are not worth cutting up: the parts would know too little.
_LEAST_FOLDED = 12
# A kind that weighs less is not worth solving.
_LEAST_WEIGHT = 0.01


def reconcile_by_past(
    hierarchy: Hierarchy, values: Floats, base: Floats, past: Floats
) -> tuple[Floats, Floats]:
    """Coherent means (nodes, horizon) and past forecasts (nodes, origins + 1, horizon) of months that came.

    No reconciliation is best everywhere, so three are averaged, weighted by how well each would have
    done: an average of coherent forecasts is coherent. Past forecasts are reconciled by what the errors
    at other origins say (cross-fitting), so that neither these weights nor the quantiles take for skill
    what was only fitted.
    """
    leaves, (origin, lead) = hierarchy.slices[-1], _months_known(past)
    columns = past[:, origin, lead]
    came = values[:, values.shape[1] - past.shape[1] + 1 + origin + lead]
    one_step = (came - columns)[:, lead == 0]
    trusts: tuple[Trust, ...] = (shrinkage, variance)
    # Side by side: half of the time of each is spent in one thread.
    with ThreadPoolExecutor(len(trusts)) as threads:
        pasts = list(
            threads.map(lambda trust: _cross_fitted(hierarchy, columns, origin, one_step, trust), trusts)
        )
    # The third trusts the leaves alone.
    pasts.append(hierarchy.aggregate(columns[leaves]))
    size = np.abs(values).mean(axis=1)
    found = [_level_errors(hierarchy, came - each, size) for each in pasts]
    weights = weigh(found, one_step.shape[1])
    weights = np.where(weights >= _LEAST_WEIGHT, weights, 0.0) / weights[weights >= _LEAST_WEIGHT].sum()
    mean, average = np.zeros_like(base), np.zeros_like(columns)
    for weight, one, trust in zip(weights, pasts, (*trusts, None), strict=True):
        if weight > 0:
            average += weight * one
            mean += weight * (
                reconcile_nonnegative(hierarchy, base, trust(one_step))
                if trust
                else hierarchy.aggregate(base[leaves])
            )
    coherent = np.full_like(past, np.nan)
    coherent[:, origin, lead] = average
    return mean, coherent


def _cross_fitted(
    hierarchy: Hierarchy, columns: Floats, origin: Ints, one_step: Floats, trust: Trust
) -> Floats:
    """Columns (nodes, columns) of these origins (columns,), reconciled by the errors of other folds."""
    origins = one_step.shape[1]
    if origins < _LEAST_FOLDED:
        return reconcile(hierarchy, columns, trust(one_step), precision=ROUGH)
    fold = np.arange(origins) * _FOLDS // origins
    out = np.empty_like(columns)
    for one in range(_FOLDS):
        at = fold[origin] == one
        out[:, at] = reconcile(hierarchy, columns[:, at], trust(one_step[:, fold != one]), precision=ROUGH)
    return out


def _months_known(past: Floats) -> tuple[Ints, Ints]:
    """Origins and leads, each (columns,), of the past forecasts whose months have come by now."""
    _, origins, horizon = past.shape
    origin, lead = np.nonzero(np.add.outer(np.arange(origins), np.arange(horizon)) < origins - 1)
    return origin, lead


def _level_errors(hierarchy: Hierarchy, errors: Floats, size: Floats) -> float:
    """Mean over the levels of their relative errors: each level counts the same."""
    found = np.array([relative_error(errors[part], size[part]) for part in hierarchy.slices])
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")
