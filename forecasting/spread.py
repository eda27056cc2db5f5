"""How far demand scatters around its forecast: learned from the errors of past origins."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from forecasting.arrays import Floats
from forecasting.row_quantiles import row_quantiles

# Errors grow with the forecast, a little less than in proportion: a busy month misses by more tonnes.
_POWER = 0.75
_FLOOR = 0.3
GRID = np.array([0.005, 0.01, 0.025, *np.arange(1, 20) / 20, 0.975, 0.99, 0.995])
_LEAST_ERRORS = 24
# A node of less demand than this part of its level's median is forecast by what others leave it: without a
# floor its errors, next to nothing and yet many times its demand, would pass for those of the level.
_LEAST_LEVEL = 1e-4
# Fewer origins say nothing about how alike their errors are; an autocorrelation below this is taken as none;
# and even the most alike errors are worth this many.
_LEAST_ORIGINS, _NEGLIGIBLE, _LEAST_WORTH = 6, 0.05, 6.0


class Distribution(Protocol):
    """Forecasts of some nodes with their uncertainty."""

    def quantiles(self, probabilities: tuple[float, ...]) -> Floats:
        """Shape (levels, nodes, horizon), ordered and non-negative."""
        ...


@dataclass(frozen=True, eq=False)
class Spread:
    """A location (nodes, horizon), a scale of the same shape, and a standard shape per node (nodes, GRID)."""

    mean: Floats
    scale: Floats
    shape: Floats

    def quantiles(self, probabilities: tuple[float, ...]) -> Floats:
        """Shape (levels, nodes, horizon); ordered by construction, cut at zero."""
        shape = _interpolate(self.shape, probabilities)
        return np.maximum(self.mean[None] + shape[:, :, None] * self.scale[None], 0.0)


def no_spread(mean: Floats) -> Spread:
    """The mean (nodes, horizon) alone, for nodes whose quantiles come from elsewhere."""
    return Spread(mean, np.broadcast_to(0.0, mean.shape), np.broadcast_to(0.0, (len(mean), len(GRID))))


def spread_of(mean: Floats, forecasts: Floats, errors: Floats, level: Floats) -> Spread:
    """The spread of nodes of one level around their `mean` (nodes, horizon).

    `forecasts` and `errors`, shape (nodes, origins, horizon), are those of past origins, NaN where the
    month has not come yet; `level`, shape (nodes,), is each node's average demand. Errors are made
    comparable by the size of their forecast, by lead (pooled over the nodes) and by node. The shape is
    halfway between each node's own errors and those of its level, so that few errors do not decide the
    tails; half of the level's common bias stays in. It is widened as Student's t is against the normal
    curve, for a scale learned from as many errors as the level's are worth.
    """
    level = np.maximum(level, _LEAST_LEVEL * np.median(level))
    standard = errors / _size(forecasts, level[:, None, None])
    lead = _by_lead(standard)
    standard /= lead
    per_node = np.sqrt(_mean(standard**2, axis=(1, 2)))
    seen = per_node > 0
    standard = standard / np.where(seen, per_node, 1.0)[:, None, None]
    scale = np.where(seen, per_node, 0.0)[:, None] * lead * _size(mean, level[:, None])
    shape = _shapes(standard.reshape(len(mean), -1), seen)
    return Spread(mean, scale, _widened(shape, effective_origins(standard)))


def effective_origins(errors: Floats) -> float:
    """How many independent origins the errors (nodes, origins, horizon) are worth.

    Errors of origins next to each other are alike, the more so the longer the lead: n / (1 + 2 sum of
    autocorrelations), pooled over the nodes (Bartlett 1946), each sum up to the first that is negligible.
    Leads err together, so what they do not know adds up: the mean over them is that of 1 / sqrt(n).
    """
    found = []
    for lead in range(errors.shape[2]):
        known = errors[:, np.isfinite(errors[:, :, lead]).all(axis=0), lead]
        origins = known.shape[1]
        power = np.square(known).sum()
        if origins < _LEAST_ORIGINS or power <= 0:
            continue
        alike = 1.0
        for apart in range(1, origins - 1):
            together = (known[:, apart:] * known[:, :-apart]).sum() * origins / (origins - apart)
            if together < _NEGLIGIBLE * power:
                break
            alike += 2.0 * together / power * (1.0 - apart / origins)
        found.append(origins / alike)
    return max(float(np.mean(np.power(found, -0.5))) ** -2, _LEAST_WORTH) if found else _LEAST_WORTH


def _widened(shape: Floats, degrees: float) -> Floats:
    """The shape (nodes, GRID) stretched from its middle as Student's t is against the normal curve.

    The node's own bias was taken out of it, and is not known any better than its scale.
    """
    middle = np.argmin(np.abs(GRID - 0.5))
    normal = ndtri(GRID)
    normal[middle] = normal[middle + 1]
    stretch = stdtrit(degrees, ndtr(normal)) / normal * np.sqrt(1 + 1 / degrees)
    centre = shape[:, middle, None]
    wide: Floats = centre + (shape - centre) * stretch
    return wide


def _size(forecasts: Floats, level: Floats) -> Floats:
    positive = np.maximum(forecasts, 0.0) + _FLOOR * level
    size: Floats = positive**_POWER * level ** (1 - _POWER)
    return np.where(size > 0, size, 1.0)


def _by_lead(standard: Floats) -> Floats:
    """Relative size of errors by lead month, shape (horizon,), never falling."""
    power = _mean(standard**2, axis=(0, 1))
    lead: Floats = np.maximum.accumulate(np.sqrt(np.where(np.isfinite(power), power, 0.0)))
    if lead.max() <= 0:
        return np.ones(len(lead))
    relative: Floats = lead / lead.mean()
    return relative


def _shapes(standard: Floats, seen: np.ndarray) -> Floats:
    """Quantiles of standard errors at GRID, shape (nodes, GRID), from (nodes, errors)."""
    pooled = standard[seen]
    if not np.isfinite(pooled).any():
        return np.zeros((len(standard), len(GRID)))
    if np.isfinite(pooled).sum() < _LEAST_ERRORS:
        # So few say how far demand scatters, but not to which side.
        pooled = np.concatenate([pooled, -pooled])
    common = np.nanquantile(pooled, GRID)
    counts = np.isfinite(standard).sum(axis=1)
    own = np.repeat(common[None], len(standard), axis=0)
    enough = seen & (counts >= _LEAST_ERRORS)
    if enough.any():
        of_node = standard[enough]
        centred = of_node - np.nanmean(of_node, axis=1, keepdims=True)
        own[enough] = row_quantiles(centred, GRID)
    halfway: Floats = 0.5 * own + 0.5 * common
    return halfway


def _mean(values: Floats, axis: tuple[int, ...]) -> Floats:
    """Mean over the finite values, NaN where there is none."""
    seen = np.isfinite(values)
    total = np.where(seen, values, 0.0).sum(axis=axis)
    count = seen.sum(axis=axis)
    mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _interpolate(shape: Floats, probabilities: tuple[float, ...]) -> Floats:
    """Shape at the probabilities, (levels, nodes), from shapes at GRID."""
    place = np.interp(probabilities, GRID, np.arange(len(GRID)))
    low = np.minimum(place.astype(int), len(GRID) - 2)
    part = (place - low)[:, None]
    table = shape.T
    blend: Floats = table[low] * (1 - part) + table[low + 1] * part
    return blend
