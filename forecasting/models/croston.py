"""Croston's family: exponential smoothing of order sizes apart from how often orders come."""

from dataclasses import dataclass

import numba as nb
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.protocol import SeriesBatch

MODELLED = ""
NO_ORDER = "no order yet: zero"


@dataclass(frozen=True, eq=False)
class FittedCroston:
    """Flat forecasts: the expected demand and the chance of an order, each of shape (series,).

    `orders` has shape (series, months): each series' own orders, ascending, after as many zeros as it
    had empty months. `fallback`, shape (series,), says why a row was not modelled, or nothing.
    """

    level: Floats
    probability: Floats
    orders: Floats
    fallback: tuple[str, ...]

    def mean(self, horizon: int) -> Floats:
        """Shape (series, horizon)."""
        return np.repeat(self.level[:, None], horizon, axis=1)

    def quantiles(self, horizon: int, probabilities: tuple[float, ...]) -> Floats:
        """Shape (levels, series, horizon): zero below 1 - p, above it the series' own order sizes.

        The sizes are stretched so that they agree with the mean forecast.
        """
        flat = _own_quantiles(self.level, self.probability, self.orders, np.array(probabilities))
        return np.repeat(flat[:, :, None], horizon, axis=2)


@dataclass(frozen=True)
class SyntetosBoylan:
    """Croston's method without its bias (Syntetos & Boylan 2005), sizes and intervals smoothed alike."""

    alpha: float = 0.1

    def fit(self, history: SeriesBatch) -> FittedCroston:
        values = _demand(history)
        size, interval = _sizes_and_intervals(values, history.born, self.alpha)
        probability = np.where(interval > 0, 1.0 / np.where(interval > 0, interval, 1.0), 0.0)
        return _fitted(values, size * probability * (1.0 - self.alpha / 2.0), probability)


@dataclass(frozen=True)
class TeunterSyntetosBabai:
    """TSB (Teunter, Syntetos & Babai 2011): the chance of an order fades while none comes."""

    size_alpha: float = 0.1
    order_alpha: float = 0.1

    def fit(self, history: SeriesBatch) -> FittedCroston:
        values = _demand(history)
        size, probability = _sizes_and_chances(values, history.born, self.size_alpha, self.order_alpha)
        return _fitted(values, size * probability, probability)


def _demand(history: SeriesBatch) -> Floats:
    known = np.arange(history.n_months)[None, :] >= history.born[:, None]
    return np.where(known & np.isfinite(history.values), np.maximum(history.values, 0.0), 0.0)


def _fitted(values: Floats, level: Floats, probability: Floats) -> FittedCroston:
    silent = (values <= 0).all(axis=1)
    labels = tuple(np.where(silent, NO_ORDER, MODELLED).tolist())
    return FittedCroston(level, probability, np.sort(values, axis=1), labels)


@nb.njit(parallel=True, cache=True)
def _sizes_and_intervals(values: Floats, born: Ints, alpha: float) -> tuple[Floats, Floats]:
    count, months = values.shape
    sizes = np.zeros(count)
    intervals = np.zeros(count)
    for i in nb.prange(count):
        last = born[i] - 1
        for month in range(born[i], months):
            if values[i, month] <= 0:
                continue
            if intervals[i] == 0:
                sizes[i] = values[i, month]
                intervals[i] = month - last
            else:
                sizes[i] = alpha * values[i, month] + (1 - alpha) * sizes[i]
                intervals[i] = alpha * (month - last) + (1 - alpha) * intervals[i]
            last = month
    return sizes, intervals


@nb.njit(parallel=True, cache=True)
def _sizes_and_chances(
    values: Floats, born: Ints, size_alpha: float, order_alpha: float
) -> tuple[Floats, Floats]:
    count, months = values.shape
    sizes = np.zeros(count)
    chances = np.zeros(count)
    for i in nb.prange(count):
        for month in range(born[i], months):
            amount = values[i, month]
            ordered = 1.0 if amount > 0 else 0.0
            if month == born[i]:
                chances[i] = ordered
            else:
                chances[i] = order_alpha * ordered + (1 - order_alpha) * chances[i]
            if amount > 0:
                known = sizes[i] > 0
                sizes[i] = size_alpha * amount + (1 - size_alpha) * sizes[i] if known else amount
    return sizes, chances


@nb.njit(parallel=True, cache=True)
def _own_quantiles(level: Floats, probability: Floats, orders: Floats, levels: Floats) -> Floats:
    count, months = orders.shape
    out = np.zeros((len(levels), count))
    for i in nb.prange(count):
        first = np.searchsorted(orders[i], 0.0, side="right")
        number = months - first
        if number == 0 or probability[i] <= 0:
            continue
        stretch = level[i] / (probability[i] * orders[i, first:].mean())
        for k in range(len(levels)):
            above = levels[k] - (1.0 - probability[i])
            if above > 0:
                place = min(int(above / probability[i] * number), number - 1)
                out[k, i] = stretch * orders[i, first + place]
    return out
