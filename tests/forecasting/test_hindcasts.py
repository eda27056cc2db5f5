"""Forecasts at past origins: honest, aligned with what came, weighed by how wrong they were."""

import numpy as np
import pytest

from forecasting import calendar_effects
from forecasting.arrays import Floats
from forecasting.calendar_effects import calendar_factors, calendar_regressors
from forecasting.combine import relative_error, weigh
from forecasting.hindcasts import add_up, count_origins, errors_of, hindcast, past_error
from forecasting.models.naive import Naive
from forecasting.models.protocol import Model, SeriesBatch
from forecasting.models.smoothing import Smoothing
from forecasting.months import Month
from forecasting.recipe import Recipe


def batch(months: int = 72, seed: int = 0) -> SeriesBatch:
    random = np.random.default_rng(seed)
    season = 1 + 0.5 * np.sin(2 * np.pi * np.arange(months) / 12)
    values = random.lognormal(3, 1, (5, 1)) * season * random.gamma(20, 0.05, (5, months))
    born = np.array([0, 0, 10, 40, months - 3])
    values[np.arange(months)[None, :] < born[:, None]] = 0.0
    return SeriesBatch(Month(2020, 3), values, born)


def until(history: SeriesBatch, months: int) -> SeriesBatch:
    return SeriesBatch(history.first, history.values[:, :months].copy(), np.minimum(history.born, months - 1))


@pytest.mark.parametrize("model", [Smoothing("raw"), Smoothing("log"), Naive(12), Naive(1)], ids=str)
def test_no_origin_sees_its_future(model: Model) -> None:
    history = batch()
    changed = SeriesBatch(history.first, history.values.copy(), history.born)
    changed.values[:2, 60:] *= 7.0
    origins = 24
    before, after = (model.hindcast(each, origins, 12) for each in (history, changed))
    seen = 60 - (72 - origins)  # origins up to month 60 have seen nothing of the change
    if model == Smoothing("log"):  # its offset is five percent of the mean of all history
        np.testing.assert_allclose(after[:2, : seen + 1], before[:2, : seen + 1], rtol=0.1)
    else:
        np.testing.assert_allclose(after[:2, : seen + 1], before[:2, : seen + 1], rtol=1e-9)
    assert not np.allclose(after[:2, -1], before[:2, -1])


def test_a_trend_runs_no_further_than_what_was_seen_until_then_allows() -> None:
    values = (1.15 ** np.arange(72))[None]
    made = Smoothing("log").hindcast(SeriesBatch(Month(2020, 1), values, np.array([0])), 24, 60)
    offset = 0.05 * values.mean()
    cap = np.exp(3) * (values[0, 47:] + offset) - offset
    furthest = made[0].max(axis=1)
    assert (furthest <= cap * (1 + 1e-12)).all()
    # Some past ones would have gone on.
    assert np.isclose(furthest, cap)[:-1].any()


def test_an_unborn_series_is_forecast_as_nothing_and_a_young_one_by_its_mean() -> None:
    history = batch()
    made = Smoothing().hindcast(history, 40, 12)
    first_origin = 72 - 40
    assert (made[3, 40 - first_origin - 1] == 0).all()
    known = history.values[3, 40:45].mean()
    assert made[3, 45 - first_origin] == pytest.approx(np.full(12, known))


def test_the_seasonal_naive_by_hand() -> None:
    history = SeriesBatch(Month(2020, 1), np.arange(30.0)[None], np.array([0]))
    made = Naive(12).hindcast(history, 2, 14)
    assert made[0, -1].tolist() == [*range(18, 30), 18, 19]
    assert made[0, 0].tolist() == [*range(16, 28), 16, 17]


def test_errors_are_what_came_less_what_was_forecast() -> None:
    errors = errors_of(np.array([[1.0, 2.0, 4.0, 8.0]]), np.zeros((1, 3, 3)))
    np.testing.assert_array_equal(errors[0], [[4.0, 8.0, np.nan], [8.0, np.nan, np.nan]])


@pytest.mark.parametrize(("months", "origins"), [(2, 1), (13, 12), (40, 12), (60, 24), (228, 96)])
def test_how_many_origins(months: int, origins: int) -> None:
    assert count_origins(months) == origins


def test_smoothing_follows_a_season_and_a_level() -> None:
    months = np.arange(72)
    values = (100 + 30 * np.sin(2 * np.pi * months / 12))[None]
    made = Smoothing().hindcast(SeriesBatch(Month(2020, 1), values, np.array([0])), 0, 12)
    assert made[0, 0] == pytest.approx(100 + 30 * np.sin(2 * np.pi * np.arange(72, 84) / 12), rel=0.02)


class TestWeights:
    def test_equal_errors_weigh_the_same(self) -> None:
        assert weigh([0.2, 0.2], 24).tolist() == [0.5, 0.5]

    def test_three_percent_worse_weighs_two_fifths_the_less_so_the_fewer_origins_say_it(self) -> None:
        for origins, sharpness in ((1_000_000, 30.0), (6, 15.0), (0, 0.0)):
            weights = weigh([1.0, 1.03], origins)
            assert weights[1] / weights[0] == pytest.approx(np.exp(-0.03 * sharpness), rel=1e-4)

    def test_without_an_error_there_is_no_weight(self) -> None:
        assert weigh([float("nan"), 0.3], 24).tolist() == [0.0, 1.0]

    def test_where_none_has_an_error_all_weigh_the_same(self) -> None:
        assert weigh([float("nan"), float("nan")], 24).tolist() == [0.5, 0.5]

    def test_a_perfect_one_takes_all(self) -> None:
        assert weigh([0.0, 0.3], 24).tolist() == [1.0, 0.0]

    def test_relative_error_by_hand(self) -> None:
        errors = np.array([[1.0, -3.0], [np.nan, 2.0]])
        assert relative_error(errors, np.array([4.0, 2.0])) == pytest.approx(6 / (4 * 2 + 2 * 1))


class TestCalendar:
    def test_easter_and_working_days_by_hand(self) -> None:
        march, april = calendar_regressors(Month(2024, 3), 2)
        march_2025, april_2025 = calendar_regressors(Month(2025, 3), 2)
        # 2024: Good Friday 29 March to Easter Monday 1 April; 2025: all of it in April.
        assert march[0] - march_2025[0] == pytest.approx(0.75)
        assert april_2025[0] - april[0] == pytest.approx(0.75)
        assert march[1] - march_2025[1] == pytest.approx(21 - 21)
        assert april[1] - april_2025[1] == pytest.approx(22 - 22)

    def test_a_planted_working_day_effect_is_found(self) -> None:
        months = 120
        days = calendar_regressors(Month(2010, 1), months)[:, 1]
        random = np.random.default_rng(0)
        values = 100 * np.exp(0.04 * days) * random.lognormal(0, 0.005, (20, months))
        history = SeriesBatch(Month(2010, 1), values, np.zeros(20, dtype=np.int64))
        slopes = np.log(calendar_factors(history, 0, 0)[0]) @ days / (days @ days)
        assert slopes == pytest.approx(np.full(20, 0.04), abs=0.003)

    def test_short_history_has_no_calendar(self) -> None:
        history = SeriesBatch(Month(2010, 1), np.ones((2, 40)), np.zeros(2, dtype=np.int64))
        factors, unseen = calendar_factors(history, 4, 12)
        assert (factors.shape, unseen.shape) == ((2, 52), (2, 4))
        assert (factors == 1).all()
        assert (unseen == 1).all()

    def test_effects_without_a_month_are_those_of_a_fit_that_leaves_it_out(self) -> None:
        random = np.random.default_rng(1)
        history = SeriesBatch(Month(2010, 1), random.lognormal(3, 0.2, (3, 132)), np.zeros(3, dtype=np.int64))
        regressors = calendar_regressors(history.first, 132)
        fit = calendar_effects._fit(history, regressors)
        logs = np.log(history.values / history.values.mean(axis=1, keepdims=True) + 0.05)
        around = np.array([0.5, *[1.0] * 11, 0.5]) / 12

        def deviation(of: Floats) -> Floats:
            return of[6:-6] - np.convolve(of, around, mode="valid")

        design = np.column_stack(
            [np.eye(12)[np.arange(6, 126) % 12], *(deviation(one) for one in regressors.T)]
        )
        answers = np.array([deviation(one) for one in logs]).T
        np.testing.assert_allclose(fit.slopes, np.linalg.lstsq(design, answers)[0][12:].T, rtol=1e-8)
        for month in (0, 57, 119):
            left = np.arange(120) != month
            apart = np.linalg.lstsq(design[left], answers[left])[0][12:].T
            np.testing.assert_allclose(fit.without(month), apart, rtol=1e-8)

    def test_an_odd_month_does_not_tell_its_own_effects(self) -> None:
        months, odd = 120, 100
        days = calendar_regressors(Month(2010, 1), months)[:, 1]
        values = 100 * np.exp(0.03 * days) * np.random.default_rng(0).lognormal(0, 0.01, (20, months))
        plain = SeriesBatch(Month(2010, 1), values, np.zeros(20, dtype=np.int64))
        spiked = SeriesBatch(plain.first, values.copy(), plain.born)
        spiked.values[:, odd] *= 1.5
        (whole, unseen), (whole_odd, unseen_odd) = (calendar_factors(each, 24, 0) for each in (plain, spiked))
        place = odd - (months - 24)
        moved = np.abs(np.log(whole_odd[:, odd] / whole[:, odd]))
        moved_unseen = np.abs(np.log(unseen_odd[:, place] / unseen[:, place]))
        assert moved.mean() > 5 * moved_unseen.mean()

    def test_past_forecasts_carry_effects_that_their_own_months_did_not_teach(self) -> None:
        history = SeriesBatch(
            Month(2012, 1), np.random.default_rng(2).lognormal(3, 0.1, (8, 96)), np.zeros(8, dtype=np.int64)
        )
        recipe = Recipe("naive", ("seasonal_naive",), calendar=True, learned=False)
        made = hindcast(recipe, history, 24, 3).forecasts
        factors, unseen = calendar_factors(history, 24, 3)
        plain = history.values / factors[:, :96]
        np.testing.assert_allclose(made[:, 0], plain[:, 60:63] * unseen[:, :3], rtol=1e-12)
        # Two months of the past, and the first that has not come.
        ahead = np.concatenate([unseen[:, 22:], factors[:, 96:97]], axis=1)
        np.testing.assert_allclose(made[:, 22], plain[:, 82:85] * ahead, rtol=1e-12)
        np.testing.assert_allclose(made[:, 24], plain[:, 84:87] * factors[:, 96:], rtol=1e-12)


def test_truncated_history_forecasts_the_same() -> None:
    young_too = batch()
    # A young series starts from other months where history is shorter, and teaches the others otherwise.
    history = SeriesBatch(young_too.first, young_too.values[:3], young_too.born[:3])
    whole = Smoothing().hindcast(history, 24, 12)
    short = Smoothing().hindcast(until(history, 66), 18, 12)
    np.testing.assert_allclose(whole[:, 24 - 6], short[:, -1], rtol=1e-6)


def test_errors_read_in_blocks_are_those_of_all_series(monkeypatch: pytest.MonkeyPatch) -> None:
    values, forecasts = batch().values, Naive(12).hindcast(batch(), 24, 12)
    level = np.abs(values).mean(axis=1)
    whole = relative_error(errors_of(values, forecasts), level)
    assert past_error(values, forecasts, level) == whole
    monkeypatch.setattr("forecasting.blocks.BLOCK", 2)
    assert past_error(values, forecasts, level) == pytest.approx(whole, rel=1e-12)


def test_members_add_up_by_their_weights() -> None:
    first, second = np.full((2, 3, 4), 2.0), np.full((2, 3, 4), 10.0)
    assert (add_up([first, second], np.array([0.25, 0.75])) == 8.0).all()
