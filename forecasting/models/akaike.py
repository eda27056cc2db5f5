"""Weights of a model's parameter combinations from their past errors."""

import numba as nb
import numpy as np

from forecasting.arrays import Floats

_FEWEST_ERRORS = 4
_LEAST_WEIGHT = 1e-3


@nb.njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def akaike_weights(losses: Floats, observed: int, prices: Floats) -> Floats:
    """Akaike weights (Burnham & Anderson 2002) that sum to one, shape (origins + 1, combinations).

    `losses`, of the same shape, are sums of squared errors up to each origin, `observed` of them up to the
    last; `prices`, of the same shape, are exp(-number of parameters) times how likely each combination was
    before a series had shown itself. Tiny weights are dropped.
    exp(-AIC / 2) is the price times loss^(-observed / 2): products and a root, where a logarithm and an
    exponential for each would take longer than the errors themselves.
    """
    origins, count = losses.shape[0] - 1, losses.shape[1]
    weights = np.empty(losses.shape)
    ratio = np.empty(count)
    largest = 1e-300
    for p in range(count):
        largest = max(largest, losses[-1, p])
    # The floor, relative to the series, keeps a perfect fit finite and the weights free of its unit.
    floor = 1e-12 * largest
    for k in range(origins + 1):
        seen = observed - origins + k
        if seen < _FEWEST_ERRORS:
            weights[k] = prices[k] / prices[k].sum()
            continue
        least = np.inf
        for p in range(count):
            least = min(least, losses[k, p])
        weight = weights[k]
        for p in range(count):
            ratio[p] = (least + floor) / (losses[k, p] + floor)
            weight[p] = prices[k, p] * np.sqrt(ratio[p]) if seen % 2 else prices[k, p]
        _multiply_by_powers(weight, ratio, seen // 2)
        total = 0.0
        for p in range(count):
            total += weight[p]
        kept = 0.0
        for p in range(count):
            weight[p] = weight[p] if weight[p] >= _LEAST_WEIGHT * total else 0.0
            kept += weight[p]
        for p in range(count):
            weight[p] *= 1.0 / kept
    return weights


@nb.njit(cache=True)
def _multiply_by_powers(weight: Floats, base: Floats, exponent: int) -> None:
    """weight *= base^exponent, by squaring; `base` is used up."""
    left = exponent
    while left:
        if left & 1:
            for p in range(len(base)):
                weight[p] *= base[p]
        for p in range(len(base)):
            base[p] *= base[p]
        left >>= 1
