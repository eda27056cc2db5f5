from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsforecast.theta import auto_theta, forecast_theta
from statsmodels.tsa.seasonal import seasonal_decompose

from forecasting.arrays import Floats
from forecasting.models import theta
from forecasting.models.protocol import SeriesBatch
from forecasting.models.theta import Theta
from forecasting.months import Month

START = Month(2000, 1)


def batch(values: Floats) -> SeriesBatch:
    return SeriesBatch(START, values, np.zeros(len(values), dtype=np.int64))


@pytest.fixture(scope="module")
def seasonal() -> SeriesBatch:
    """Twenty positive series of five years with trend, season and noise."""
    rng = np.random.default_rng(5)
    month = np.arange(60)
    season = 1 + 0.3 * np.sin(2 * np.pi * (month + rng.integers(0, 12, (20, 1))) / 12)
    level = rng.gamma(4, 50, (20, 1)) * (1 + rng.normal(0, 0.005, (20, 1)) * month)
    return batch(level * season * rng.gamma(80, 1 / 80, (20, 60)))


@pytest.fixture
def hospital(shared_data: object) -> SeriesBatch:
    """Every tenth hospital series, without its last year."""
    table = pl.read_parquet(f"{shared_data}/hospital/monthly.parquet").sort("unique_id", "ds")
    values = table["y"].to_numpy().astype(np.float64).reshape(-1, 84)
    return batch(np.ascontiguousarray(values[::10, :72]))


def test_half_the_slope_by_hand() -> None:
    # The line through 1, 2, ... 8 begins at 0 and rises by 1. A larger weight lags less, so the largest is
    # best: at 0.99 the level is 8 - 0.01 / 0.99, and the first month adds half of 1 / 0.99.
    y = np.arange(1.0, 9.0)
    assert theta._line(y) == pytest.approx((0, 1))
    first = 8 - 0.01 / 0.99 + 0.5 / 0.99
    forecasts = Theta().hindcast(batch(y[None]), 0, 3)[0, -1]
    np.testing.assert_allclose(forecasts, [first, first + 0.5, first + 1.0], rtol=1e-12)


def test_a_level_is_forecast_by_smoothing_alone() -> None:
    # Five months are too few for a slope: the line is their mean, 4, and counts half as it fades.
    y = np.array([[4.0, 4.0, 4.0, 4.0, 4.0]])
    np.testing.assert_allclose(Theta().hindcast(batch(y), 0, 3)[0, -1], [4, 4, 4], rtol=1e-12)


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_the_season_equals_that_of_statsmodels(kind: str, seasonal: SeriesBatch) -> None:
    for y in seasonal.values[:, :53]:
        ours = theta._decompose(y, kind == "multiplicative")
        theirs = seasonal_decompose(y, model=kind, period=12).seasonal[:12]
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_equals_statsforecast_at_the_same_weight(kind: str, hospital: SeriesBatch) -> None:
    ours = Theta(kind).hindcast(hospital, 0, 12)[:, -1]  # type: ignore[arg-type]  # a parameter is any text
    for y, forecast in zip(hospital.values, ours, strict=True):
        season, multiplied = theta._season(y, kind == "multiplicative")
        repeated = season[np.arange(72) % 12]
        flat = y / repeated if multiplied else y - repeated
        alpha, level = theta._fit(flat, *theta._line(flat))
        fitted = auto_theta(y, 12, model="STM", initial_smoothed=level, alpha=alpha, decomposition_type=kind)
        np.testing.assert_allclose(forecast, forecast_theta(fitted, 12)["mean"], rtol=1e-8)


def test_close_to_statsforecast_that_searches_the_weight(hospital: SeriesBatch) -> None:
    ours = Theta().hindcast(hospital, 0, 12)[:, -1]
    theirs = np.array([forecast_theta(auto_theta(y, 12, model="STM"), 12)["mean"] for y in hospital.values])
    apart = np.abs(ours - theirs).mean(axis=1) / np.abs(theirs).mean(axis=1)
    # Theirs leaves the first three errors out and goes no lower than 0.1.
    assert np.median(apart) < 0.01
    assert (apart < 0.05).mean() > 0.8


def test_the_starting_level_is_that_of_least_squares(seasonal: SeriesBatch) -> None:
    def loss(y: Floats, alpha: float, level: float) -> float:
        intercept, slope = theta._line(y)
        total, decay = 0.0, 1.0
        for value in y:
            ahead = level + 0.5 * (decay * intercept + (1 - decay * (1 - alpha)) / alpha * slope)
            total += (value - ahead) ** 2
            level, decay = alpha * value + (1 - alpha) * level, decay * (1 - alpha)
        return total

    y = seasonal.values[0]
    alpha, level = theta._fit(y, *theta._line(y))
    best = loss(y, alpha, level)
    assert best < min(loss(y, alpha, level * 1.01), loss(y, alpha, level * 0.99))
    assert best <= min(loss(y, other, level) for other in theta._ALPHAS)


def test_what_is_forecast_at_an_origin_knows_nothing_later(seasonal: SeriesBatch) -> None:
    values = np.vstack([seasonal.values, seasonal.values[:3] - 100])
    born = np.zeros(len(values), dtype=np.int64)
    born[:4] = 30, 45, 50, 58
    history = SeriesBatch(START, values, born)
    at_once = Theta().hindcast(history, 13, 6)
    for back in (13, 5, 1):
        cut = replace(history, values=np.ascontiguousarray(values[:, :-back]))
        alive = born < 60 - back
        np.testing.assert_array_equal(at_once[alive, 13 - back], Theta().hindcast(cut, 0, 6)[alive, -1])
    assert (at_once[3, :11] == 0).all()


def test_a_thousand_times_the_unit_is_a_thousand_times_the_forecast(seasonal: SeriesBatch) -> None:
    larger = replace(seasonal, values=seasonal.values * 1000)
    np.testing.assert_allclose(
        Theta().hindcast(larger, 3, 12), 1000 * Theta().hindcast(seasonal, 3, 12), rtol=1e-9
    )


def test_odd_series_are_forecast_within_reason(odd_series: SeriesBatch) -> None:
    for kind in (Theta("additive"), Theta()):
        forecasts = kind.hindcast(odd_series, 29, 12)
        assert np.isfinite(forecasts).all()
        np.testing.assert_allclose(forecasts[0], 3.0, rtol=1e-12)
        assert (forecasts[1] == 0).all()
        np.testing.assert_allclose(forecasts[3], -1.0, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.tuples(st.just(2), st.integers(1, 40)), elements=st.floats(-1e9, 1e12)))
def test_no_series_is_forecast_as_nan(values: Floats) -> None:
    forecasts = Theta().hindcast(batch(values), values.shape[1] - 1, 5)
    assert np.isfinite(forecasts).all()
