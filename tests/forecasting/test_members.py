"""Members of a recipe: who is asked where, who stands in for whom, and how slow ones are averaged."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting import members
from forecasting.arrays import Floats
from forecasting.combine import sums_by_lead, weigh_by_lead
from forecasting.hindcasts import Hindcasts, errors_of, hindcast
from forecasting.members import ask_members
from forecasting.models.in_workers import STATSMODELS, InWorkers
from forecasting.models.naive import Naive
from forecasting.models.protocol import SeriesBatch
from forecasting.models.smoothing import Smoothing
from forecasting.models.theta import Theta
from forecasting.months import Month
from forecasting.recipe import Recipe

FAST = Recipe("fast", ("smoothing", "theta"), calendar=False, learned=False)
SLOW = replace(FAST, slow_members=("statsmodels",), slow_nodes=2, slow_seconds=60.0)
# The sum of a few such months is infinite, and so is the line that Theta draws through them.
BEYOND_SUMS = 3e306
ORIGINS, HORIZON = 24, 3


def steel(series: int = 2, months: int = 60) -> SeriesBatch:
    random = np.random.default_rng(5)
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(months) / 12)
    values = random.lognormal(4, 1, (series, 1)) * season * random.gamma(30, 1 / 30, (series, months))
    return SeriesBatch(Month(2021, 1), values, np.zeros(series, dtype=np.int64))


def with_one_beyond() -> SeriesBatch:
    history = steel()
    history.values[1] *= BEYOND_SUMS
    return history


def test_a_member_that_fails_on_a_series_is_answered_for_by_the_next_one() -> None:
    history = with_one_beyond()
    answers = ask_members(replace(FAST, members=("theta", "smoothing")), history, ORIGINS, HORIZON)
    reason = "theta failed: its forecast is not a number: smoothing"
    assert answers.fallback.reasons == ["", reason]
    theta, smoothing = answers.forecasts
    np.testing.assert_array_equal(theta[0], Theta().hindcast(history, ORIGINS, HORIZON)[0])
    np.testing.assert_array_equal(smoothing, Smoothing().hindcast(history, ORIGINS, HORIZON))
    np.testing.assert_array_equal(theta[1], smoothing[1])


def test_where_no_member_has_an_answer_it_is_the_seasonal_naive() -> None:
    history = with_one_beyond()
    answers = ask_members(replace(FAST, members=("theta", "log_smoothing")), history, ORIGINS, HORIZON)
    told = [
        f"{member} failed: its forecast is not a number: seasonal_naive"
        for member in ("theta", "log_smoothing")
    ]
    assert answers.fallback.reasons == ["", "; ".join(told)]
    last_year = Naive().hindcast(history, ORIGINS, HORIZON)[1]
    for forecasts in answers.forecasts:
        np.testing.assert_array_equal(forecasts[1], last_year)


class DividesByZero:
    """A model whose arithmetic fails for all series at once."""

    def hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> Floats:
        raise ZeroDivisionError("division by zero")


def test_a_member_that_raises_is_answered_for_at_all_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(members._FAST, "theta", DividesByZero())
    answers = ask_members(FAST, steel(), ORIGINS, HORIZON)
    assert answers.fallback.reasons == ["theta failed: division by zero: smoothing"] * 2
    np.testing.assert_array_equal(*answers.forecasts)


@pytest.fixture(scope="module")
def both() -> tuple[Hindcasts, Hindcasts]:
    """Without and with a slow member."""
    without, with_slow = (hindcast(recipe, steel(), ORIGINS, HORIZON) for recipe in (FAST, SLOW))
    return without, with_slow


def test_origins_that_slow_members_skip_are_forecast_as_without_them(
    both: tuple[Hindcasts, Hindcasts],
) -> None:
    fast, slow = both
    skipped = np.setdiff1d(np.arange(ORIGINS + 1), [0, 12, 24])
    np.testing.assert_array_equal(slow.forecasts[:, skipped], fast.forecasts[:, skipped])
    assert np.isfinite(slow.forecasts).all()
    assert slow.fallback.reasons == ["", ""]


def test_slow_members_are_weighed_at_the_origins_that_all_have(both: tuple[Hindcasts, Hindcasts]) -> None:
    history = steel()
    forecasts = [
        np.maximum(model.hindcast(history, ORIGINS, HORIZON), 0.0)
        for model in (Smoothing("raw"), Theta(), InWorkers(STATSMODELS, 60.0))
    ]
    past = [0, 12]

    errors, sizes = zip(
        *(
            sums_by_lead(errors_of(history.values, each)[:, past], history.values.mean(axis=1))
            for each in forecasts
        ),
        strict=True,
    )
    weights = weigh_by_lead(np.array(errors), np.array(sizes), 2)
    expected = sum(weight * each for weight, each in zip(weights, forecasts, strict=True))
    assert isinstance(expected, np.ndarray)
    _, slow = both
    np.testing.assert_allclose(slow.forecasts[:, [0, 12, 24]], expected[:, [0, 12, 24]], rtol=1e-12)


def test_slow_members_stay_away_from_levels_of_more_nodes() -> None:
    history = steel(3)
    fast, slow = (hindcast(recipe, history, ORIGINS, HORIZON) for recipe in (FAST, SLOW))
    np.testing.assert_array_equal(slow.forecasts, fast.forecasts)


def test_a_slow_member_without_time_says_so() -> None:
    made = hindcast(replace(SLOW, slow_seconds=1e-4), steel(), 12, HORIZON)
    assert made.fallback.reasons == ["statsmodels took longer than 0.0001 s: smoothing"] * 2
    assert np.isfinite(made.forecasts).all()


def test_before_the_first_common_origin_all_weigh_the_same() -> None:
    history = steel(1)
    forecasts = ask_members(SLOW, history, 6, HORIZON).forecasts
    assert [np.isfinite(each[0, :6]).all() for each in forecasts] == [True, True, False]
    made = hindcast(SLOW, history, 6, HORIZON)
    np.testing.assert_allclose(made.now, np.mean([each[:, -1] for each in forecasts], axis=0))
