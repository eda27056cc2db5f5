"""Quantiles from past errors: calibrated, ordered, larger where more is forecast."""

import numpy as np
import pytest
from scipy.stats import norm, t

from forecasting.spread import GRID, _widened, effective_origins, spread_of


def test_normal_errors_give_normal_quantiles() -> None:
    random = np.random.default_rng(0)
    forecasts = np.full((40, 60, 12), 100.0)
    errors = random.normal(0, 10, forecasts.shape)
    spread = spread_of(np.full((40, 12), 100.0), forecasts, errors, np.full(40, 100.0))
    low, middle, high = spread.quantiles((0.1, 0.5, 0.9)).mean(axis=(1, 2))
    assert (low, middle, high) == pytest.approx((100 - 12.8, 100, 100 + 12.8), abs=0.5)


def test_later_months_are_never_less_uncertain() -> None:
    random = np.random.default_rng(1)
    leads = np.linspace(1, 3, 12)
    errors = random.normal(0, 5, (30, 48, 12)) * leads
    spread = spread_of(np.full((30, 12), 50.0), np.full((30, 48, 12), 50.0), errors, np.full(30, 50.0))
    assert (np.diff(spread.scale, axis=1) >= 0).all()
    assert spread.scale[:, -1] / spread.scale[:, 0] == pytest.approx(np.full(30, 3.0), rel=0.1)


def test_a_larger_forecast_scatters_more() -> None:
    random = np.random.default_rng(2)
    forecasts = np.full((30, 48, 12), 50.0)
    errors = random.normal(0, 5, forecasts.shape)
    mean = np.full((30, 12), 50.0)
    mean[:, 6] = 200.0
    spread = spread_of(mean, forecasts, errors, np.full(30, 50.0))
    assert (spread.scale[:, 6] > 2 * spread.scale[:, 5]).all()


def test_without_errors_there_is_no_spread() -> None:
    spread = spread_of(np.full((2, 3), 7.0), np.full((2, 4, 3), 7.0), np.zeros((2, 4, 3)), np.full(2, 7.0))
    assert (spread.quantiles((0.05, 0.95)) == 7.0).all()


def test_nothing_below_zero() -> None:
    random = np.random.default_rng(3)
    errors = random.normal(0, 50, (5, 48, 12))
    spread = spread_of(np.full((5, 12), 10.0), np.full((5, 48, 12), 10.0), errors, np.full(5, 10.0))
    quantiles = spread.quantiles((0.01, 0.5, 0.99))
    assert quantiles.min() == 0.0
    assert (np.diff(quantiles, axis=0) >= 0).all()


def test_white_noise_is_worth_all_its_origins_and_a_random_walk_few() -> None:
    noise = np.random.default_rng(4).normal(0, 1, (50, 60, 3))
    assert effective_origins(noise) == pytest.approx(60, rel=0.15)
    assert effective_origins(np.cumsum(noise, axis=1)) <= 6
    # Errors half as alike with each month between them: n / (1 + 2 (1/2 + 1/4 + …)) is a third.
    alike = noise.copy()
    for month in range(1, 60):
        alike[:, month] = 0.5 * alike[:, month - 1] + np.sqrt(0.75) * noise[:, month]
    assert effective_origins(alike) == pytest.approx(20, rel=0.2)


def test_origins_without_an_error_and_units_are_immaterial_to_their_worth() -> None:
    noise = np.random.default_rng(5).normal(0.2, 1, (20, 40, 2))
    later = np.concatenate([noise, np.full((20, 5, 2), np.nan)], axis=1)
    assert effective_origins(noise) > 10
    assert effective_origins(1000 * later) == pytest.approx(effective_origins(noise))
    assert effective_origins(np.zeros((2, 40, 2))) == effective_origins(noise[:, :5]) <= 6


@pytest.mark.parametrize("degrees", [3.0, 17.5])
def test_the_shape_is_widened_from_the_normal_curve_to_student_s_t(degrees: float) -> None:
    wide = _widened(7.0 + 2.0 * norm.ppf(GRID)[None], degrees)[0] - 7.0
    away = GRID != 0.5
    ratio = wide[away] / t.ppf(GRID[away], degrees)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
    # Where the middle is not known any better, all of it is as much wider.
    assert 2.0 - 1e-9 <= ratio[0] <= 2.0 * np.sqrt(1 + 1 / degrees) + 1e-9
    assert wide[~away] == pytest.approx(0.0, abs=1e-9)
    # All errors alike: no spread, whatever the degrees.
    assert (_widened(np.full((1, len(GRID)), 7.0), degrees) == 7.0).all()
