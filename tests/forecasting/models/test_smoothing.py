"""Smoothing: what each combination costs, as the batch has taught it, and what it says of odd series."""

import numpy as np
import pytest

from forecasting.arrays import Floats
from forecasting.models.protocol import SeriesBatch
from forecasting.models.smoothing import Smoothing, _learned_prices, _prices, parameter_grid
from forecasting.months import Month

GRID = parameter_grid(20)
SEASONAL = GRID[:, 2] >= 0


def likelihood(values: Floats, origins: int = 6) -> Floats:
    """How likely each combination is before a series has shown itself, shape (origins + 1, combinations)."""
    prices = _learned_prices(values, np.zeros(len(values), dtype=np.int64), 0, GRID, origins) / _prices(GRID)
    return np.asarray(prices / prices.sum(axis=1, keepdims=True))


def noise(months: int = 72, series: int = 20) -> Floats:
    return np.random.default_rng(0).normal(0, 1, (series, months))


def test_series_alike_make_what_fits_them_likely() -> None:
    seasonal = noise() + 5 * np.sin(2 * np.pi * np.arange(72) / 12)
    before = SEASONAL.mean()
    assert likelihood(seasonal)[-1, SEASONAL].sum() > before > likelihood(noise())[-1, SEASONAL].sum()
    # The level of a random walk is its last value, that of noise is its mean.
    quick, slow = GRID[:, 0] >= 0.5, GRID[:, 0] <= 0.05
    walk = likelihood(np.cumsum(noise(), axis=1))[-1]
    assert walk[quick].sum() > 5 * walk[slow].sum()
    assert likelihood(noise())[-1, slow].sum() > 5 * likelihood(noise())[-1, quick].sum()


def test_what_is_learned_at_an_origin_knows_nothing_later() -> None:
    later = noise()
    later[:, 69:] = 10 * later[:, 69:] + 3
    np.testing.assert_allclose(likelihood(later)[:4], likelihood(noise())[:4], rtol=1e-6)
    assert not np.allclose(likelihood(later)[4:], likelihood(noise())[4:], rtol=1e-3)


def test_nobody_teaches_nothing() -> None:
    np.testing.assert_allclose(likelihood(np.empty((0, 72))), 1 / len(GRID), rtol=1e-12)


@pytest.mark.parametrize("scale", ["raw", "log"])
def test_a_batch_without_demand_is_forecast_as_it_is(scale: str) -> None:
    values = np.vstack([np.zeros(30), np.full(30, -2.0)])
    history = SeriesBatch(Month(2024, 1), values, np.zeros(2, dtype=np.int64))
    found = Smoothing(scale).hindcast(history, 12, 3)  # type: ignore[arg-type]  # a parameter is any text
    np.testing.assert_allclose(found[:, -1].T, [[0.0, -2.0 if scale == "raw" else 0.0]] * 3, atol=1e-12)


@pytest.mark.parametrize("scale", ["raw", "log"])
@pytest.mark.parametrize("unit", [1.0, 1000.0])
def test_nothing_is_forecast_before_the_first_month(scale: str, unit: float) -> None:
    values = np.zeros((2, 30))
    values[0] = 5.0
    values[1, 25:] = 2.0
    history = SeriesBatch(Month(2024, 1), unit * values, np.array([0, 25]))
    found = Smoothing(scale).hindcast(history, 10, 3)  # type: ignore[arg-type]  # a parameter is any text
    assert (found[1, :6] == 0).all()
    np.testing.assert_allclose(found[1, 6:], 2.0 * unit, rtol=1e-9)
