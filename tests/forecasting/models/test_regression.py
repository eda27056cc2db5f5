import numpy as np
import statsmodels.api as sm

from forecasting.models.regression import expit, gamma_log, logistic


def test_logistic_equals_statsmodels_without_a_pull() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(2000), rng.normal(size=(2000, 2))])
    happened = (rng.random(2000) < expit(x @ np.array([-0.5, 1.0, 0.3]))).astype(float)
    theirs = sm.Logit(happened, x).fit(disp=0).params
    np.testing.assert_allclose(logistic(x, happened, np.zeros(3), 0.0), theirs, rtol=1e-6)


def test_gamma_equals_statsmodels_without_a_pull() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(3000), rng.normal(size=3000)])
    ratio = np.exp(x @ np.array([0.2, 0.5])) * rng.gamma(4.0, 0.25, 3000)
    theirs = sm.GLM(ratio, x, family=sm.families.Gamma(sm.families.links.Log())).fit().params
    np.testing.assert_allclose(gamma_log(x, ratio, 0.0), theirs, rtol=1e-4)


def test_without_rows_the_prior_is_the_answer() -> None:
    prior = np.array([0.0, 1.0])
    np.testing.assert_array_equal(logistic(np.empty((0, 2)), np.empty(0), prior, 5.0), prior)
    np.testing.assert_array_equal(gamma_log(np.empty((0, 2)), np.empty(0), 5.0), np.zeros(2))


def test_perfect_separation_stays_finite() -> None:
    x = np.column_stack([np.ones(50), np.linspace(-1, 1, 50)])
    assert np.isfinite(logistic(x, (x[:, 1] > 0).astype(float), np.zeros(2), 1.0)).all()


def test_almost_certain_orders_do_not_send_it_flying() -> None:
    # Without halving, Newton's step from a far prior ends in coefficients of many thousands.
    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(400), np.repeat([-6.0, 6.0], 200), rng.normal(size=(400, 3)) * 4])
    happened = (x[:, 1] > 0).astype(float)
    happened[:3] = 1.0
    beta = logistic(x, happened, np.array([0.0, 1.0, 8.0, -8.0, 8.0]), 5.0)
    assert np.abs(beta).max() < 10
    slope = x.T @ (happened - expit(x @ beta)) - 5.0 * (beta - np.array([0.0, 1.0, 8.0, -8.0, 8.0]))
    np.testing.assert_allclose(slope, 0, atol=0.02)  # the line is cut at ±15, which it touches here
