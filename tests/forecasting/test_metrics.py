"""The measures, by hand and against an independent implementation."""

import math

import numpy as np
import pandas as pd
import pytest
from utilsforecast import losses

from forecasting.metrics import (
    CRPS_GRID,
    bias,
    coverage,
    grouped_crps,
    mase,
    pinball,
    rmsse,
    seasonal_scale,
    squared_scale,
    wape,
    weighted_quantile_loss,
)

ACTUAL = np.array([[10.0, 20.0], [0.0, 10.0]])
FORECAST = np.array([[12.0, 15.0], [1.0, 10.0]])


def test_shares_of_demand_by_hand() -> None:
    assert wape(ACTUAL, FORECAST) == pytest.approx((2 + 5 + 1) / 40)
    assert bias(ACTUAL, FORECAST) == pytest.approx((2 - 5 + 1) / 40)


def test_scales_by_hand_with_a_late_birth() -> None:
    history = np.array([[1.0, 2.0, 4.0, 7.0], [np.nan, np.nan, 5.0, 9.0], [3.0, 3.0, 3.0, 3.0]])
    np.testing.assert_allclose(seasonal_scale(history, 1), [2.0, 4.0, np.nan])
    np.testing.assert_allclose(seasonal_scale(history, 2), [4.0, np.nan, np.nan])
    np.testing.assert_allclose(squared_scale(history), [(1 + 4 + 9) / 3, 16.0, np.nan])


def test_scaled_errors_by_hand() -> None:
    history = np.array([[1.0, 2.0, 4.0, 7.0], [1.0, 1.0, 1.0, 1.0]])
    np.testing.assert_allclose(mase(ACTUAL, FORECAST, history, 1), [3.5 / 2, np.nan])
    np.testing.assert_allclose(rmsse(ACTUAL, FORECAST, history), [math.sqrt(14.5 / (14 / 3)), np.nan])


def test_a_scale_with_less_history_than_its_lag_is_undefined() -> None:
    np.testing.assert_array_equal(seasonal_scale(np.ones((2, 5))), [np.nan, np.nan])


@pytest.mark.parametrize(("quantile", "loss"), [(8.0, 0.9 * 2), (12.0, 0.1 * 2), (10.0, 0.0)])
def test_a_high_quantile_loses_most_from_below(quantile: float, loss: float) -> None:
    assert pinball(np.array([10.0]), np.array([quantile]), 0.9)[0] == pytest.approx(loss)


def test_a_point_as_all_quantiles_of_an_even_grid_scores_its_wape() -> None:
    quantiles = np.repeat(FORECAST[None], len(CRPS_GRID), axis=0)
    assert weighted_quantile_loss(ACTUAL, quantiles, CRPS_GRID) == pytest.approx(wape(ACTUAL, FORECAST))
    by_level = grouped_crps(ACTUAL, quantiles, [slice(0, 1), slice(1, 2)])
    np.testing.assert_allclose(by_level, [7 / 30, 1 / 10])


def test_coverage_counts_the_ends() -> None:
    actual = np.array([[1.0, 2.0, 3.0, np.nan, 5.0]])
    assert coverage(actual, np.full((1, 5), 2.0), np.full((1, 5), 3.0)) == pytest.approx(2 / 4)


def test_a_month_without_actual_is_not_scored() -> None:
    known = np.array([[10.0, np.nan]])
    assert wape(known, np.array([[12.0, 99.0]])) == pytest.approx(0.2)
    assert bias(known, np.array([[12.0, 99.0]])) == pytest.approx(0.2)
    np.testing.assert_allclose(mase(known, np.array([[12.0, 99.0]]), np.array([[1.0, 3.0]]), 1), [1.0])


def test_shares_of_no_demand_are_undefined_without_a_warning() -> None:
    nothing = np.zeros((2, 3))
    assert math.isnan(wape(nothing, nothing))
    assert math.isnan(bias(nothing, nothing + 1))
    assert math.isnan(weighted_quantile_loss(nothing, nothing[None], (0.5,)))
    assert math.isnan(weighted_quantile_loss(nothing, np.zeros((0, 2, 3)), ()))
    assert math.isnan(coverage(np.full((1, 2), np.nan), nothing[:1, :2], nothing[:1, :2]))


def test_as_utilsforecast_has_them() -> None:
    rng = np.random.default_rng(7)
    series, months, ahead = 6, 40, 12
    history = rng.gamma(2.0, 10.0, (series, months))
    actual = rng.gamma(2.0, 10.0, (series, ahead))
    quantiles = np.sort(rng.gamma(2.0, 10.0, (3, series, ahead)), axis=0)
    ids = np.arange(series).astype(str)
    train = pd.DataFrame(
        {"unique_id": np.repeat(ids, months), "ds": np.tile(np.arange(months), series), "y": history.ravel()}
    )
    test = pd.DataFrame(
        {
            "unique_id": np.repeat(ids, ahead),
            "ds": np.tile(np.arange(months, months + ahead), series),
            "y": actual.ravel(),
            "low": quantiles[0].ravel(),
            "model": quantiles[1].ravel(),
            "high": quantiles[2].ravel(),
        }
    )
    np.testing.assert_allclose(
        mase(actual, quantiles[1], history), losses.mase(test, ["model"], 12, train)["model"]
    )
    np.testing.assert_allclose(
        rmsse(actual, quantiles[1], history), losses.rmsse(test, ["model"], 1, train)["model"]
    )
    theirs = losses.quantile_loss(test, {"high": "high"}, q=0.9)["high"]
    np.testing.assert_allclose(pinball(actual, quantiles[2], 0.9).mean(axis=1), theirs)
