"""The model that learns across series: whatever happens to it, there is an answer or a reason."""

import numpy as np

from forecasting.learned import learn
from forecasting.models.boosted import Boosted
from forecasting.models.intermittent import OrdersAndSizes
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month


def batch(series: int = 60) -> SeriesBatch:
    values = np.random.default_rng(0).gamma(4.0, 5.0, (series, 60))
    return SeriesBatch(Month(2020, 1), values, np.zeros(series, dtype=np.int64))


def test_where_all_is_well_nobody_says_anything() -> None:
    history = batch()
    parts, fallback = learn(Boosted(), history, 12)
    assert parts is not None
    np.testing.assert_array_equal(parts.mean(), Boosted().fit(history).mean(12))
    assert fallback.texts == ("",)


def test_what_lightgbm_refuses_leaves_the_members_alone() -> None:
    history = batch()
    history.values[:, ::2] *= 1e60  # its sizes have four bytes
    parts, fallback = learn(Boosted(), history, 12)
    assert parts is None
    (reason,) = set(fallback.reasons)
    assert reason == "boosted failed: Check failed: (label) > (0): the members alone"


def test_regressions_without_a_number_leave_the_members_alone() -> None:
    history = batch()
    history.values[0] *= 1e200
    parts, fallback = learn(OrdersAndSizes(), history, 12)
    assert parts is None
    assert set(fallback.reasons) == {
        "orders and sizes failed: its forecast is not a number: the members alone"
    }
