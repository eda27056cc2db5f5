"""The recursion of smoothing against statsmodels, at one set of parameters."""

import numpy as np
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from forecasting.models import smoothing_recursion


@pytest.mark.parametrize(("alpha", "beta", "gamma", "phi"), [(0.2, 0.05, 0.1, 0.9), (0.5, 0.2, 0.35, 0.98)])
def test_smoothing_steps_as_the_likelihood_recursion_of_statsmodels(
    alpha: float, beta: float, gamma: float, phi: float
) -> None:
    rng = np.random.default_rng(11)
    month = np.arange(50)
    y = 80 + 0.4 * month + 9 * np.sin(2 * np.pi * month / 12) + rng.normal(0, 3, 50)
    phase, born = 4, 3
    past = y[born:]

    grid = np.array([[alpha, alpha * beta, gamma, phi]])
    start = smoothing_recursion.initial_state(y, born, phase, min(len(y) - born, 36))
    level, trend, season = smoothing_recursion.begin(start, grid)
    model = ETSModel(
        past,
        error="add",
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=12,
        initialization_method="known",
        initial_level=level[0],
        initial_trend=trend[0],
        initial_seasonal=season[(np.arange(12) + born + phase) % 12, 0],
    )
    theirs = model.smooth(np.array([alpha, alpha * beta, gamma * (1 - alpha), phi]))

    steps, error, errors = smoothing_recursion.steps_of(grid), np.empty(1), []
    for t in range(born, 50):
        smoothing_recursion.step(y[t], level, trend, season[(t + phase) % 12], steps, error)
        errors.append(error[0])
    np.testing.assert_allclose(errors, theirs.resid, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(past - errors, theirs.fittedvalues, rtol=1e-12)
    np.testing.assert_allclose([level[0], trend[0]], [theirs.level[-1], theirs.slope[-1]], rtol=1e-10)

    # What the model says with this one combination is their forecast too, and the losses are their errors.
    out = np.zeros((1, 12))
    smoothing_recursion.add_up(y, born, phase, grid, start, np.ones((1, 1)), out)
    np.testing.assert_allclose(out[0], theirs.forecast(12), rtol=1e-10)
    losses = smoothing_recursion.losses_of(y, born, phase, grid, start, 0)
    np.testing.assert_allclose(losses[0, 0], (theirs.resid[12:] ** 2).sum(), rtol=1e-10)
