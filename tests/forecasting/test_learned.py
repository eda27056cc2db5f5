"""The model that learns across series: whatever happens to it, there is an answer or a reason."""

from collections.abc import Callable

import numpy as np

from forecasting.arrays import Floats
from forecasting.fallbacks import Fallbacks
from forecasting.learned import begin_learning
from forecasting.models.boosted import Boosted
from forecasting.models.features import Rows
from forecasting.models.intermittent import OrdersAndSizes
from forecasting.models.protocol import SeriesBatch
from forecasting.models.two_part import FittedTwoPart, measure_spread
from forecasting.months import Month


def batch(series: int = 60) -> SeriesBatch:
    values = np.random.default_rng(0).gamma(4.0, 5.0, (series, 60))
    return SeriesBatch(Month(2020, 1), values, np.zeros(series, dtype=np.int64))


def test_where_all_is_well_nobody_says_anything() -> None:
    history = batch()
    parts, fallback = begin_learning(Boosted(), history)(12)
    assert parts is not None
    np.testing.assert_array_equal(parts.mean(), Boosted().fit(history).mean(12))
    assert fallback.texts == ("",)


def test_what_lightgbm_refuses_leaves_the_members_alone() -> None:
    history = batch()
    history.values[:, ::2] *= 1e60  # its sizes have four bytes
    parts, fallback = begin_learning(Boosted(), history)(12)
    assert parts is None
    (reason,) = set(fallback.reasons)
    assert reason == "boosted failed: Check failed: (label) > (0): the members alone"


class HalfBroken:
    """Two series of ten orders a month each; of the first there is no number."""

    def begin(self, history: SeriesBatch) -> Callable[[], FittedTwoPart]:
        spread = measure_spread(np.empty(0), np.empty(0), 1)
        fitted = FittedTwoPart(self, history.values, 1.0, spread, Fallbacks.of(["", "pooled"]))
        return lambda: fitted

    def parts(self, rows: Rows) -> tuple[Floats, Floats]:
        return np.ones(len(rows)), np.where(rows.series == 0, np.nan, 10.0)


def test_a_series_without_a_number_is_forecast_by_its_own_rate_and_mean_order() -> None:
    values = np.array([[0.0, 4.0, 0.0, 8.0], [10.0, 10.0, 10.0, 10.0]])
    history = SeriesBatch(Month(2020, 1), values, np.array([0, 0]))
    parts, fallback = begin_learning(HalfBroken(), history)(2)
    assert parts is not None
    assert parts.mean().tolist() == [[3.0, 3.0], [10.0, 10.0]]
    assert fallback.reasons == [
        "orders and sizes failed: its forecast is not a number: own rate and mean order",
        "pooled",
    ]


def test_regressions_without_a_number_leave_the_members_alone() -> None:
    history = batch()
    history.values[0] *= 1e200
    parts, fallback = begin_learning(OrdersAndSizes(), history)(12)
    assert parts is None
    assert set(fallback.reasons) == {
        "orders and sizes failed: its forecast is not a number: the members alone"
    }
