"""Demand in two parts, whether an order comes and how large it is, as one predictive distribution."""

from dataclasses import dataclass
from typing import Protocol

import numba as nb
import numpy as np

from forecasting.arrays import Bools, Floats, Ints
from forecasting.fallbacks import Fallbacks
from forecasting.models.features import Rows, next_months

GRID = 100
_BLOCK = 50_000


@dataclass(frozen=True, eq=False)
class SizeSpread:
    """How order sizes scatter around their expected size, by expected size.

    `centres`, shape (bins,), ascend; `ratios`, shape (bins, grid), holds for each bin the quantiles of
    size ÷ expected size at the middles of `GRID` equal steps of probability; `means`, shape (bins,), are
    the bins' mean ratios. Rows with like predictions share one empirical distribution: the level sets of
    Hasson, Wang, Januschowski & Gasthaus (2021).
    """

    centres: Floats
    ratios: Floats
    means: Floats


@dataclass(frozen=True, eq=False)
class TwoPart:
    """A predictive distribution: nothing with probability 1 - p, else an order.

    `probability` and `size`, in the history's unit, have shape (series, horizon); `unit` is the common
    unit in which `spread` was measured.
    """

    probability: Floats
    size: Floats
    unit: float
    spread: SizeSpread

    def mean(self) -> Floats:
        """Expected demand, shape (series, horizon)."""
        ratio = np.interp(_log_size(self.size, self.unit), self.spread.centres, self.spread.means)
        return self.probability * self.size * ratio

    def quantiles(self, probabilities: tuple[float, ...]) -> Floats:
        """Shape (levels, series, horizon); ordered and non-negative by construction."""
        flat = _quantiles(
            self.probability.ravel(),
            self.size.ravel(),
            _log_size(self.size, self.unit).ravel(),
            self.spread.centres,
            self.spread.ratios,
            np.array(probabilities),
        )
        return flat.reshape(len(probabilities), *self.size.shape)


class RowModel(Protocol):
    """What has been learned of orders and sizes, asked row by row."""

    def parts(self, rows: Rows) -> tuple[Floats, Floats]:
        """Order probability and size in common units, each of shape (rows,)."""
        ...


@dataclass(frozen=True, eq=False)
class FittedTwoPart:
    """A model of orders and sizes with the series that it has learned from.

    `values`, shape (series, months), are in common units of `unit`; `fallback` says of each series why
    it was not modelled, or nothing.
    """

    model: RowModel
    values: Floats
    unit: float
    spread: SizeSpread
    fallback: Fallbacks

    def predict(self, horizon: int) -> TwoPart:
        """The predictive distribution of the months ahead."""
        count, months = self.values.shape
        probability = np.empty(count * horizon)
        size = np.empty(count * horizon)
        for start in range(0, count, _BLOCK):
            rows = next_months(start, min(start + _BLOCK, count), months - 1, horizon)
            part = slice(start * horizon, start * horizon + len(rows))
            probability[part], size[part] = self.model.parts(rows)
        silent = (self.values <= 0).all(axis=1)
        shape = (count, horizon)
        probability, size = no_demand(probability.reshape(shape), size.reshape(shape), silent)
        return TwoPart(probability, size * self.unit, self.unit, self.spread)

    def mean(self, horizon: int) -> Floats:
        """Shape (series, horizon)."""
        return self.predict(horizon).mean()

    def quantiles(self, horizon: int, probabilities: tuple[float, ...]) -> Floats:
        """Shape (levels, series, horizon)."""
        return self.predict(horizon).quantiles(probabilities)


def measure_spread(expected: Floats, sizes: Floats, bins: int, per_bin: int = 200) -> SizeSpread:
    """The spread of `sizes` around `expected`, each of shape (orders,) and in common units.

    Bins hold equally many orders; fewer bins where orders are scarce.
    """
    if not len(sizes):
        return SizeSpread(np.zeros(1), np.ones((1, GRID)), np.ones(1))
    bins = int(np.clip(len(sizes) // per_bin, 1, bins))
    order = np.lexsort((sizes, expected))
    steps = (np.arange(GRID) + 0.5) / GRID
    # Centres must ascend strictly for interpolation; equal expected sizes are one bin.
    centres: list[float] = []
    parts: list[Floats] = []
    for part in np.array_split(order, bins):
        centre = float(np.log(expected[part]).mean())
        ratio = sizes[part] / expected[part]
        if centres and centre <= centres[-1] + 1e-9:
            parts[-1] = np.concatenate([parts[-1], ratio])
        else:
            centres.append(centre)
            parts.append(ratio)
    return SizeSpread(
        np.array(centres),
        np.array([np.quantile(part, steps) for part in parts]),
        np.array([part.mean() for part in parts]),
    )


def no_demand(probability: Floats, size: Floats, silent: Bools) -> tuple[Floats, Floats]:
    """The same parts with nothing expected of the `silent` series, shape (series,)."""
    keep = ~silent[:, None]
    return np.where(keep, probability, 0.0), np.where(keep, size, 0.0)


def own_parts(parts: TwoPart, chosen: Bools, values: Floats, born: Ints) -> TwoPart:
    """The chosen series, shape (series,), by how often each of them ordered and by its mean order."""
    if not chosen.any():
        return parts
    orders = np.maximum(values[chosen], 0.0)
    count = (orders > 0).sum(axis=1)
    probability, size = parts.probability.copy(), parts.size.copy()
    probability[chosen] = (count / (values.shape[1] - born[chosen]))[:, None]
    size[chosen] = (orders.sum(axis=1) / np.maximum(count, 1))[:, None]
    return TwoPart(probability, size, parts.unit, parts.spread)


def _log_size(size: Floats, unit: float) -> Floats:
    logs: Floats = np.log(np.maximum(size / unit, 1e-300))
    return logs


@nb.njit(parallel=True, cache=True)
def _quantiles(
    probability: Floats, size: Floats, log_size: Floats, centres: Floats, ratios: Floats, levels: Floats
) -> Floats:
    bins, grid = ratios.shape
    out = np.zeros((len(levels), len(size)))
    for i in nb.prange(len(size)):
        high = min(max(np.searchsorted(centres, log_size[i]), 1), max(bins - 1, 0))
        low = max(high - 1, 0)
        blend = 0.0
        if high > low:
            blend = (log_size[i] - centres[low]) / (centres[high] - centres[low])
            blend = min(max(blend, 0.0), 1.0)
        for k in range(len(levels)):
            # An order at this level means: above the mass at zero, at the same place among sizes.
            above = levels[k] - (1.0 - probability[i])
            if above <= 0.0:
                continue
            place = min(max(above / probability[i] * grid - 0.5, 0.0), grid - 1.0)
            step = min(int(place), grid - 2)
            part = place - step
            small = ratios[low, step] * (1 - part) + ratios[low, step + 1] * part
            large = ratios[high, step] * (1 - part) + ratios[high, step + 1] * part
            out[k, i] = size[i] * (small * (1 - blend) + large * blend)
            # Rounding in the blend must not put a level below the one before it.
            if k > 0 and out[k, i] < out[k - 1, i]:
                out[k, i] = out[k - 1, i]
    return out
