import numpy as np
import pytest

from forecasting.models.akaike import akaike_weights


@pytest.mark.parametrize("observed", [24, 25])
def test_weights_are_exp_of_minus_half_the_criterion(observed: int) -> None:
    rng = np.random.default_rng(observed)
    losses = np.cumsum(rng.gamma(4, 1, (13, 40)) * rng.uniform(1, 2, 40), axis=0)
    parameters = rng.integers(0, 9, 40)
    weights = akaike_weights(losses, observed, np.tile(np.exp(-parameters.astype(float)), (13, 1)))
    seen = observed - 12 + np.arange(13)[:, None]
    criterion = seen * np.log(losses) + 2 * parameters
    expected = np.exp(-0.5 * (criterion - criterion.min(axis=1, keepdims=True)))
    expected /= expected.sum(axis=1, keepdims=True)
    expected[expected < 1e-3] = 0
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(weights, expected, rtol=1e-9)


def test_too_few_errors_leave_what_was_likely_before_and_a_perfect_fit_takes_all() -> None:
    losses = np.array([[1.0, 4.0], [1.0, 4.0], [0.0, 5.0]])
    weights = akaike_weights(losses, 5, np.array([[3.0, 1.0], [1.0, 1.0], [1.0, 1.0]]))
    assert weights[0].tolist() == [0.75, 0.25]
    assert weights[1, 0] == pytest.approx(1 / (1 + 0.25**2))
    assert weights[2].tolist() == [1, 0]
    assert (akaike_weights(np.zeros((1, 4)), 30, np.ones((1, 4))) == 0.25).all()
