"""Quantiles from past errors: calibrated, ordered, larger where more is forecast."""

import numpy as np
import pytest

from forecasting.spread import spread_of


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
