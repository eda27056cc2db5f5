"""How far each node's base forecasts miss, and together with whom: the W of reconciliation."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats
from forecasting.errors import BadForecast
from forecasting.hierarchy import Hierarchy
from forecasting.woodbury import gram

# A node that never erred is trusted a thousand times more than the typical node, not infinitely: with a
# variance of zero nothing could settle a disagreement between two such nodes.
VARIANCE_FLOOR = 1e-6
# Errors that move in step throughout call for no shrinkage; without any, W is singular.
LEAST_INTENSITY = 1e-4


@dataclass(frozen=True, eq=False)
class Covariance:
    """W = diag(diagonal) + factor factor', kept as these two and never formed.

    `diagonal` has shape (nodes,), positive; `factor` has shape (nodes, rank), rank 0 where the nodes'
    errors are taken as independent. The unit is that of the forecasts, squared; a common scale of both
    cancels in reconciliation.
    """

    diagonal: Floats
    factor: Floats

    def __post_init__(self) -> None:
        if self.diagonal.ndim != 1 or self.factor.ndim != 2 or len(self.factor) != len(self.diagonal):
            raise BadForecast(
                f"a covariance needs a diagonal (nodes,) and a factor (nodes, rank), "
                f"got {self.diagonal.shape} and {self.factor.shape}"
            )
        if not (np.isfinite(self.diagonal).all() and np.isfinite(self.factor).all()):
            raise BadForecast("the covariance holds NaN or infinite values")
        if (self.diagonal <= 0).any():
            raise BadForecast(
                f"{int((self.diagonal <= 0).sum())} nodes have no variance of their own; "
                "give each a small positive one"
            )

    @property
    def rank(self) -> int:
        return int(self.factor.shape[1])

    def dense(self) -> Floats:
        """W itself, shape (nodes, nodes): for tests and small hierarchies only."""
        return np.diag(self.diagonal) + np.asarray(self.factor @ self.factor.T)


def independent(diagonal: Floats) -> Covariance:
    """Errors that have nothing to do with each other, variances of shape (nodes,)."""
    return Covariance(diagonal, np.zeros((len(diagonal), 0)))


def structural(hierarchy: Hierarchy) -> Covariance:
    """Variance in proportion to the leaves under a node: needs no history.

    Athanasopoulos, Hyndman, Kourentzes & Petropoulos (2017).
    """
    counts = [np.bincount(codes).astype(np.float64) for codes in hierarchy.codes]
    return independent(np.concatenate(counts))


def variance(errors: Floats) -> Covariance:
    """Each node's own mean squared error, from errors of shape (nodes, observations).

    NaN is a month without an error. Means are not removed: a bias is an error too. A node without any
    observation gets the median variance, and no variance is below `VARIANCE_FLOOR` times that median.
    """
    return independent(_floored(_mean_square(errors)))


def shrinkage(errors: Floats) -> Covariance:
    """Covariance of errors (nodes, observations), correlations shrunk toward none.

    The MinT-shrink of Wickramasuriya, Athanasopoulos & Hyndman (2019) with the intensity of Schaefer &
    Strimmer (2005). Errors are not centred and NaN is a month without an error, as in `variance`; a
    correlation is taken over the months that two nodes share, and weakened by those they do not.
    """
    raw = _mean_square(errors)
    floored = _floored(raw)
    months = errors.shape[1]
    seen = np.isfinite(errors)
    # Rows of mean square one, so that the products of rows are the correlations.
    share = np.maximum(seen.sum(axis=1), 1) / months
    known = np.isfinite(raw) & (raw > 0)
    scale = np.sqrt(np.where(known, raw, 1.0) * share)
    standard = np.where(seen & known[:, None], errors, 0.0) / scale[:, None]
    kept = max(shrinkage_intensity(standard), LEAST_INTENSITY)
    own = floored - (1 - kept) * np.where(known, raw, 0.0)
    if kept == 1.0:
        return independent(own)
    factor = standard * np.sqrt((1 - kept) / months * np.where(known, raw, 0.0))[:, None]
    return Covariance(own, factor)


def shrinkage_intensity(standard: Floats) -> float:
    """Weight of the diagonal, 0 to 1, from errors of mean square one, shape (nodes, observations).

    The sums of Schaefer & Strimmer (2005) run over pairs of nodes; here both are read from a matrix of
    observations by observations, so a million nodes need no table of pairs.
    """
    nodes, months = standard.shape
    if months < 2 or nodes < 2:
        return 1.0
    own = (standard * standard).mean(axis=1)
    # Pairs (i, i) are in the first sum of each line and are taken out by the second.
    correlation = float((gram(standard, standard) ** 2).sum()) / months**2 - float((own**2).sum())
    fourth = float(((standard * standard).sum(axis=0) ** 2).sum()) - float((standard**4).sum())
    spread = (fourth - months * correlation) / (months * (months - 1))
    if correlation <= 0:
        return 1.0
    return float(min(max(spread / correlation, 0.0), 1.0))


def _mean_square(errors: Floats) -> Floats:
    """Mean of the squares over the observations, NaN for a node without any, shape (nodes,)."""
    if errors.ndim != 2 or errors.shape[1] < 1:
        raise BadForecast(f"errors must be nodes x observations, got shape {errors.shape}")
    if np.isinf(errors).any():
        raise BadForecast("errors hold infinite values")
    seen = np.isfinite(errors)
    counts = seen.sum(axis=1)
    sums = np.where(seen, errors * errors, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _floored(raw: Floats) -> Floats:
    """Variances without zeros and gaps, shape (nodes,); all alike if no node ever erred."""
    positive = raw[raw > 0]
    typical = float(np.median(positive)) if len(positive) else 1.0
    return np.maximum(np.where(np.isnan(raw), typical, raw), VARIANCE_FLOOR * typical)
