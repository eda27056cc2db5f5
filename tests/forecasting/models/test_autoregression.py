"""The autoregression that series share: against plain numpy, by hand, and without a look ahead."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.arrays import Floats
from forecasting.models.autoregression import Autoregression, learn_coefficients
from forecasting.models.protocol import SeriesBatch, Shared
from forecasting.months import Month

START = Month(2018, 1)
OFFSET = 0.05


def batch(values: Floats, born: list[int] | None = None) -> SeriesBatch:
    return SeriesBatch(START, values, np.array(born or [0] * len(values)))


def steel(series: int, months: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(months) / 12)
    return np.asarray(rng.lognormal(3, 1, (series, 1)) * season * rng.gamma(9, 1 / 9, (series, months)))


def log(ratio: Floats) -> Floats:
    return np.asarray(np.log(ratio + OFFSET) - np.log(1 + OFFSET))


def seen(y: Floats, born: int, t: int) -> tuple[Floats, Floats, float]:
    """Last year without its season, the season by lead, and the year's mean, at the end of month `t`."""
    years = [y[s - 11 : s + 1] for s in range(t, born + 10, -12)]
    fade = 0.85 ** np.arange(len(years))
    season = sum(weight * log(year / year.mean()) for weight, year in zip(fade, years, strict=True)) / (
        fade.sum() + 0.5
    )
    return log(years[0] / years[0].mean()) - season, season, float(years[0].mean())


def by_least_squares(levels: list[SeriesBatch], known: int, lead: int) -> Floats:
    """Ridge coefficients of one lead, from the first `known` months, each level counting the same."""
    gram, cross = np.zeros((14, 14)), np.zeros(14)
    for level in levels:
        x, told = [], []
        for y, born in zip(level.values, level.born, strict=True):
            for t in range(int(born) + 11, known - lead):
                view, season, scale = seen(y, int(born), t)
                x.append([*view, 1.0, season[(lead - 1) % 12]])
                told.append(np.clip(log(y[t + lead] / scale) - season[(lead - 1) % 12], -5, 5))
        gram += np.array(x).T @ np.array(x) / len(x)
        cross += np.array(x).T @ np.array(told) / len(x)
    return np.asarray(np.linalg.solve(gram + 0.01 * np.trace(gram) / 14 * np.eye(14), cross))


def test_the_coefficients_are_those_of_a_ridge_regression() -> None:
    leaves = batch(steel(5, 50), [0, 0, 0, 8, 13])
    leaves.values[np.arange(50) < leaves.born[:, None]] = 0.0
    leaves.values[1, 30] = 0.0
    levels = [batch(leaves.values.sum(axis=0, keepdims=True)), leaves]
    found = learn_coefficients(levels, 4, 14)
    assert found.shape == (5, 14, 14)
    for k, lead in [(0, 1), (2, 6), (4, 1), (4, 12), (4, 14)]:
        np.testing.assert_allclose(
            found[k, lead - 1], by_least_squares(levels, 46 + k, lead), rtol=1e-7, atol=1e-9
        )


def test_a_known_autoregression_is_found() -> None:
    rng = np.random.default_rng(1)
    logs = np.zeros((400, 120))
    for t in range(1, 120):
        logs[:, t] = 0.7 * logs[:, t - 1] + rng.normal(0, 0.1, 400)
    history = batch(np.exp(logs))
    # What they return to, zero, is seen as the mean of a year: that costs a little.
    last = learn_coefficients([history], 0, 3)[0, :, 11]
    assert last == pytest.approx(0.7 ** np.arange(1, 4), abs=0.12)
    ahead = Autoregression().hindcast(replace(history, values=history.values[:, :108]), 0, 3)[:, 0]
    best = np.exp(0.7 ** np.arange(1, 4) * logs[:, 107, None])
    naive = history.values[:, 96:99]
    assert np.abs(ahead - best).mean() < 0.3 * np.abs(naive - best).mean()


@pytest.mark.parametrize("series", [1, 30])
def test_what_is_forecast_at_an_origin_knows_nothing_later(series: int) -> None:
    values = steel(series, 60)
    later = values.copy()
    later[:, 50:] = later[:, 50:] ** 2 + 7
    one, other = (Autoregression().hindcast(batch(each), 20, 6) for each in (values, later))
    # The series teach in the order of what they hold, later months too: sums differ in their last bit.
    np.testing.assert_allclose(other[:, :11], one[:, :11], rtol=0 if series == 1 else 1e-9)
    assert not np.isclose(other[:, 11:], one[:, 11:]).any()


def test_the_first_year_is_forecast_as_its_mean_and_a_year_of_nothing_as_nothing() -> None:
    values = steel(4, 40)
    values[1, :32] = 0.0
    values[2, 25:] = 0.0
    found = Autoregression().hindcast(batch(values, [0, 32, 0, 0]), 12, 3)
    assert (found[1, :5] == 0).all()
    for k in range(5, 13):
        assert found[1, k] == pytest.approx(np.repeat(values[1, 32 : 28 + k].mean(), 3))
    assert (found[2, 9:] == 0).all()


def test_without_any_teacher_months_repeat_their_season() -> None:
    # Two equal years: 1.85 of them are seen, half a year is doubt, so 1.85 / 2.35 of the season is believed.
    year = np.array([9.0, 4, 5, 6, 2, 3, 3, 7, 8, 6, 4, 3])
    nothing = Shared(np.zeros((1, 12)), np.zeros((1, 12)), np.zeros((1, 14, 14)))
    alone = replace(batch(np.tile(year, 2)[None]), shared=nothing)
    expected = (np.exp(1.85 / 2.35 * log(year / 5)) * (1 + OFFSET) - OFFSET) * 5
    np.testing.assert_allclose(
        Autoregression().hindcast(alone, 0, 14)[0, 0], np.resize(expected, 14), rtol=1e-9
    )


def test_nothing_runs_away_far_above_the_largest_month_so_far() -> None:
    y = np.arange(1.0, 31.0)
    coefficients = np.zeros((3, 1, 14))
    coefficients[..., 12] = 10.0
    growing = replace(batch(y[None]), shared=Shared(np.zeros((1, 12)), np.zeros((1, 12)), coefficients))
    # Told e^10 times as much: at most e times the largest, as logarithms with their offset go.
    expected = [(y[t] + 0.05 * y[t - 11 : t + 1].mean()) * np.e for t in (27, 28, 29)]
    expected -= 0.05 * np.array([y[t - 11 : t + 1].mean() for t in (27, 28, 29)])
    np.testing.assert_allclose(Autoregression().hindcast(growing, 2, 1)[0, :, 0], expected, rtol=1e-9)


def test_odd_series_are_forecast_within_reason(odd_series: SeriesBatch) -> None:
    found = Autoregression().hindcast(odd_series, 29, 12)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found[[1, 3]] == 0).all()


def test_a_constant_is_forecast_as_itself() -> None:
    found = Autoregression().hindcast(batch(np.full((2, 30), 7.0)), 12, 3)
    np.testing.assert_allclose(found, 7.0, rtol=1e-12)
