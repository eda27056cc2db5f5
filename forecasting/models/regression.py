"""Two small regressions whose answer does not depend on the number of threads."""

import numba as nb
import numpy as np

from forecasting.arrays import Floats

_CHUNKS = 64
_STEPS = 30
_HALVINGS = 10
_REACH = 15.0


def logistic(x: Floats, happened: Floats, prior: Floats, pull: float) -> Floats:
    """Coefficients of a logistic regression, shape (columns,), by Newton steps.

    `x` has shape (rows, columns), `happened` (rows,) holds 0 or 1. A ridge of strength `pull` draws
    towards `prior`, which is the answer where there are no rows.
    """
    beta = prior.copy()
    score = _support(x, happened, beta, prior, pull)
    for _ in range(_STEPS):
        chance = expit(linear(x, beta))
        step = _step(x, chance * (1 - chance), happened - chance, beta - prior, pull)
        # Where orders are almost certain the curve is flat and a full step flies off: halve until it helps.
        for _ in range(_HALVINGS):
            better = _support(x, happened, beta + step, prior, pull)
            if better >= score:
                break
            step = step / 2
        else:
            break
        beta, score = beta + step, better
        if np.abs(step).max() < 1e-8:
            break
    return beta


def _support(x: Floats, happened: Floats, beta: Floats, prior: Floats, pull: float) -> float:
    """The penalized log likelihood of a logistic regression."""
    line = linear(x, beta)
    return float((happened * line - np.logaddexp(0.0, line)).sum() - pull * ((beta - prior) ** 2).sum() / 2)


def gamma_log(x: Floats, ratio: Floats, pull: float) -> Floats:
    """Coefficients of a gamma regression with log link, drawn to zero: expected ratio exp(x @ beta)."""
    beta = np.zeros(x.shape[1])
    weight = np.ones(len(x))
    for _ in range(_STEPS):
        # Fisher scoring overshoots from afar; a relative error above ten says no more than ten does.
        error = np.minimum(ratio / np.exp(linear(x, beta)) - 1.0, 10.0)
        step = np.clip(_step(x, weight, error, beta, pull), -1.0, 1.0)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            break
    return beta


def expit(x: Floats) -> Floats:
    """The logistic curve."""
    chance: Floats = 1.0 / (1.0 + np.exp(-x))
    return chance


@nb.njit(parallel=True, cache=True)
def linear(x: Floats, beta: Floats) -> Floats:
    """x @ beta, shape (rows,), kept within ±15; unlike BLAS, the same for any number of threads."""
    out = np.empty(len(x))
    for row in nb.prange(len(x)):
        total = 0.0
        for j in range(len(beta)):
            total += x[row, j] * beta[j]
        out[row] = min(max(total, -_REACH), _REACH)
    return out


def _step(x: Floats, weight: Floats, error: Floats, from_prior: Floats, pull: float) -> Floats:
    curve, slope = _sums(x, weight, error)
    width = x.shape[1]
    step: Floats = np.linalg.solve(curve + pull * np.eye(width), slope - pull * from_prior)
    return step


@nb.njit(parallel=True, cache=True)
def _sums(x: Floats, weight: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Sums of weight·x·x' and error·x, over fixed chunks that are then added in order."""
    rows, width = x.shape
    curves = np.zeros((_CHUNKS, width, width))
    slopes = np.zeros((_CHUNKS, width))
    for chunk in nb.prange(_CHUNKS):
        for row in range(chunk * rows // _CHUNKS, (chunk + 1) * rows // _CHUNKS):
            for j in range(width):
                slopes[chunk, j] += error[row] * x[row, j]
                weighted = weight[row] * x[row, j]
                for k in range(j + 1):
                    curves[chunk, j, k] += weighted * x[row, k]
    curve = np.zeros((width, width))
    slope = np.zeros(width)
    for chunk in range(_CHUNKS):
        curve += curves[chunk]
        slope += slopes[chunk]
    for j in range(width):
        for k in range(j):
            curve[k, j] = curve[j, k]
    return curve, slope
