from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecasting.models.boosted import Boosted
from forecasting.models.intermittent import NO_ORDER, POOLED_RATE, OrdersAndSizes
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month

LEVELS = (0.05, 0.5, 0.75, 0.9, 0.975)
MODELS = [OrdersAndSizes(rows=20_000), Boosted(rows=20_000, rounds=20)]

type GlobalModel = OrdersAndSizes | Boosted


def must_be_a_forecast(model: GlobalModel, batch: SeriesBatch, horizon: int = 4) -> np.ndarray:
    fitted = model.fit(batch)
    mean, quantiles = fitted.mean(horizon), fitted.quantiles(horizon, LEVELS)
    assert mean.shape == (len(batch.values), horizon)
    assert quantiles.shape == (len(LEVELS), *mean.shape)
    assert np.isfinite(mean).all()
    assert np.isfinite(quantiles).all()
    assert (mean >= 0).all()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=0) >= 0).all()
    assert len(fitted.fallback) == len(mean)
    return np.concatenate([mean[None], quantiles])


@pytest.mark.parametrize("model", MODELS)
def test_the_order_of_series_and_the_threads_are_immaterial(
    model: GlobalModel, order_book: SeriesBatch
) -> None:
    first = must_be_a_forecast(model, order_book)
    shuffled = np.random.default_rng(3).permutation(400)
    moved = SeriesBatch(order_book.first, order_book.values[shuffled], order_book.born[shuffled])
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        second = must_be_a_forecast(model, moved)
    finally:
        numba.set_num_threads(threads)
    np.testing.assert_array_equal(second, first[:, shuffled])


@pytest.mark.parametrize("model", MODELS)
def test_an_empty_series_changes_nothing_else(model: GlobalModel, order_book: SeriesBatch) -> None:
    values = np.vstack([order_book.values, np.zeros((1, 48))])
    more = SeriesBatch(order_book.first, values, np.append(order_book.born, 0))
    found = must_be_a_forecast(model, more)
    np.testing.assert_array_equal(found[:, :-1], must_be_a_forecast(model, order_book))
    assert (found[:, -1] == 0).all()
    assert model.fit(more).fallback.reasons[-1] == NO_ORDER


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("factor", [1000.0, 0.37])
def test_another_unit_gives_the_same_forecast(
    model: GlobalModel, factor: float, order_book: SeriesBatch
) -> None:
    first = must_be_a_forecast(model, order_book)
    larger = must_be_a_forecast(model, replace(order_book, values=order_book.values * factor))
    np.testing.assert_allclose(larger, first * factor, rtol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_odd_series_alone_and_among_others(
    model: GlobalModel, odd_series: SeriesBatch, order_book: SeriesBatch
) -> None:
    must_be_a_forecast(model, odd_series, 30)
    values = np.vstack([order_book.values[:, -30:], odd_series.values])
    born = np.concatenate([np.maximum(order_book.born - 18, 0), odd_series.born])
    found = must_be_a_forecast(model, SeriesBatch(odd_series.first, values, born), 30)
    # A series of 1e12 every third month is forecast at its own size, and the others at theirs.
    assert 1e11 < found[0, 400 + 4].mean() < 1e12
    assert found[0, :400].max() < 10 * values[:400].max()


@settings(max_examples=15, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 30)),
        elements=st.sampled_from([0.0, 0.0, 1.0, 2.5, -3.0, 1e12, 1e-9]),
    )
)
def test_any_history_gives_a_forecast(values: np.ndarray) -> None:
    batch = SeriesBatch(Month(2023, 5), values, np.zeros(len(values), dtype=np.int64))
    for model in MODELS:
        must_be_a_forecast(model, batch, 3)


@pytest.mark.parametrize("model", MODELS)
def test_one_series_of_almost_nothing_spoils_no_fit(model: GlobalModel, order_book: SeriesBatch) -> None:
    values = order_book.values.copy()
    values[0] *= 1e-250  # its squares vanish
    must_be_a_forecast(model, replace(order_book, values=values))


def test_rates_and_upper_quantiles_are_calibrated() -> None:
    rng = np.random.default_rng(5)
    rate = rng.beta(1.0, 3.0, 1500)[:, None]
    values = np.where(rng.random((1500, 60)) < rate, rng.gamma(3.0, 2.0, (1500, 60)), 0.0)
    past = SeriesBatch(Month(2021, 1), values[:, :48], np.zeros(1500, dtype=np.int64))
    for model in MODELS:
        fitted = model.fit(past)
        covered = (values[:, 48:] <= fitted.quantiles(12, (0.8, 0.9, 0.95))).mean(axis=(1, 2))
        # 0.8 lies near the mass at zero, where coverage can only exceed it.
        assert 0.79 < covered[0] < 0.9
        np.testing.assert_allclose(covered[1:], [0.9, 0.95], atol=0.02)
        assert fitted.mean(12).mean() == pytest.approx(values[:, 48:].mean(), rel=0.05)


def test_a_dying_series_fades() -> None:
    rng = np.random.default_rng(6)
    values = (rng.random((300, 40)) < 0.5) * 1.0
    end = rng.integers(10, 60, 300)
    values[np.arange(40)[None, :] >= end[:, None]] = 0.0
    born = np.zeros(300, dtype=np.int64)
    chance = OrdersAndSizes().fit(SeriesBatch(Month(2020, 1), values, born)).predict(1).probability[:, 0]
    assert chance[end < 20].mean() < 0.05
    assert chance[end >= 40].mean() > 0.35


def test_one_lonely_series_says_that_it_is_pooled() -> None:
    values = np.array([[0, 2.0, 0, 0, 3.0, 0, 0, 1.0]])
    fitted = OrdersAndSizes().fit(SeriesBatch(Month(2024, 1), values, np.array([0])))
    assert fitted.fallback.reasons == [POOLED_RATE]
    assert 0.1 < fitted.predict(1).probability[0, 0] < 0.6
