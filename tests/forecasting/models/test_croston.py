from dataclasses import replace

import numpy as np
import pytest
from statsforecast.models import TSB, CrostonSBA

from forecasting.models.croston import NO_ORDER, SyntetosBoylan, TeunterSyntetosBabai
from forecasting.models.protocol import SeriesBatch

LEVELS = (0.1, 0.5, 0.9, 0.99)


def test_sba_by_hand(order_book: SeriesBatch) -> None:
    batch = SeriesBatch(order_book.first, np.array([[0, 4.0, 0, 0, 8.0, 0]]), np.array([0]))
    # size 0.1*8 + 0.9*4 = 4.4; interval 0.1*3 + 0.9*2 = 2.1; bias 0.95
    np.testing.assert_allclose(SyntetosBoylan().fit(batch).mean(2), [[0.95 * 4.4 / 2.1] * 2])


def test_sba_equals_statsforecast(order_book: SeriesBatch) -> None:
    ours = SyntetosBoylan().fit(order_book).mean(1)[:, 0]
    for i in range(60):
        past = order_book.values[i, order_book.born[i] :]
        assert ours[i] == pytest.approx(CrostonSBA().forecast(past, 1)["mean"][0])


@pytest.mark.parametrize(("size_alpha", "order_alpha"), [(0.1, 0.1), (0.3, 0.05)])
def test_tsb_equals_statsforecast(order_book: SeriesBatch, size_alpha: float, order_alpha: float) -> None:
    ours = TeunterSyntetosBabai(size_alpha, order_alpha).fit(order_book).mean(1)[:, 0]
    for i in range(60):
        past = order_book.values[i, order_book.born[i] :]
        theirs = TSB(alpha_d=size_alpha, alpha_p=order_alpha).forecast(past, 1)["mean"][0]
        assert ours[i] == pytest.approx(theirs)


@pytest.mark.parametrize("model", [SyntetosBoylan(), TeunterSyntetosBabai()])
def test_quantiles_are_ordered_scaled_and_finite(
    model: SyntetosBoylan | TeunterSyntetosBabai, order_book: SeriesBatch, odd_series: SeriesBatch
) -> None:
    for batch in (order_book, odd_series):
        fitted = model.fit(batch)
        quantiles = fitted.quantiles(3, LEVELS)
        assert quantiles.shape == (4, len(batch.values), 3)
        assert np.isfinite(quantiles).all()
        assert (quantiles >= 0).all()
        assert (np.diff(quantiles, axis=0) >= 0).all()
        larger = model.fit(replace(batch, values=batch.values * 1000))
        np.testing.assert_allclose(larger.mean(3), 1000 * fitted.mean(3), rtol=1e-12)
    assert [label == NO_ORDER for label in fitted.fallback] == [False, True, False, True, *[False] * 4]
