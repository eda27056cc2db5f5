import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.models.two_part import SizeSpread, TwoPart, measure_spread, own_parts

LEVELS = tuple(np.arange(1, 100) / 100)


def test_zero_mass_and_sizes_by_hand() -> None:
    grid = (np.arange(100) + 0.5) / 100
    spread = SizeSpread(np.zeros(1), grid[None, :], np.array([0.5]))  # sizes uniform on 0..size
    demand = TwoPart(np.array([[0.4]]), np.array([[10.0]]), 1.0, spread)
    np.testing.assert_allclose(demand.mean(), [[0.4 * 10 * 0.5]])
    found = demand.quantiles((0.5, 0.6, 0.8, 0.9))[:, 0, 0]
    np.testing.assert_allclose(found, [0, 0, 5.0, 7.5], atol=1e-9)


def test_spread_is_measured_among_like_sizes() -> None:
    rng = np.random.default_rng(0)
    expected = np.repeat([1.0, 100.0], 5000)
    sizes = expected * np.where(expected > 50, rng.uniform(0.9, 1.1, 10_000), rng.uniform(0, 2, 10_000))
    spread = measure_spread(expected, sizes, 2)
    np.testing.assert_allclose(np.exp(spread.centres), [1, 100])
    assert spread.ratios[0, 90] > 1.7
    assert spread.ratios[1, 90] < 1.1
    assert measure_spread(np.ones(900), np.ones(900), 4).centres.shape == (1,)


def test_own_rate_and_mean_order_by_hand() -> None:
    spread = measure_spread(np.empty(0), np.empty(0), 1)
    broken = TwoPart(np.array([[0.5], [np.nan], [0.5]]), np.array([[1.0], [2.0], [np.inf]]), 1.0, spread)
    values = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 4.0, 0.0, 8.0], [0.0, 0.0, 9.0, -1.0]])
    mended = own_parts(broken, np.array([False, True, True]), values, np.array([0, 0, 2]))
    assert mended.probability[:, 0].tolist() == [0.5, 0.5, 0.5]
    assert mended.size[:, 0].tolist() == [1.0, 6.0, 9.0]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.just(0.0) | st.floats(1e-9, 1e12)), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1),
)
def test_quantiles_are_ordered_and_scale(parts: list[tuple[float, float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected = np.exp(rng.normal(0, 2, 900))
    spread = measure_spread(expected, expected * rng.gamma(1.0, 1.0, 900), 4)
    probability = np.array([[p for p, _ in parts]])
    size = np.array([[s for _, s in parts]])
    quantiles = TwoPart(probability, size, 1.0, spread).quantiles(LEVELS)
    assert np.isfinite(quantiles).all()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=0) >= 0).all()
    larger = TwoPart(probability, size * 1000, 1000.0, spread).quantiles(LEVELS)
    np.testing.assert_allclose(larger, quantiles * 1000, rtol=1e-9)
