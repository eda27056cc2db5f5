"""The paired test: sums by target month by hand, Monte Carlo beside t, and what it must not notice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecasting.months import Month
from retrain.paired_test import FEWEST_ORIGINS, by_target, holm, p_of_gain

ORIGINS = [Month(2024, 1) + step for step in range(16)]


def test_losses_of_the_same_month_are_added_up() -> None:
    values = np.array([[1.0, 2, 3], [10, 20, 30]])
    assert by_target(values, ORIGINS[:2]).tolist() == [1, 12, 23, 30]
    assert by_target(values, [ORIGINS[0], ORIGINS[4]]).tolist() == [1, 2, 3, 10, 20, 30]


def test_one_month_ahead_by_hand() -> None:
    """Without overlap and with even losses it is the mean by its standard error from eight cosines."""
    saved = np.array([3.0, -1, 2, 4, 0, 1, 5, -2, 2, 3, 1, 0, 2, 4, -1, 3])
    apart = saved - saved.mean()
    energy = 0.0
    for turn in range(1, 9):
        waves = [np.cos(np.pi * turn * (month + 0.5) / 16) for month in range(16)]
        energy += sum(wave * each for wave, each in zip(waves, apart, strict=True)) ** 2 / 8
    long_run = 2 / 16 * energy
    t = saved.mean() / np.sqrt(long_run / 16)
    found = p_of_gain(saved[:, None], np.full((16, 1), 10.0), ORIGINS)
    assert found == pytest.approx(float(stats.t.sf(t, 8)))


def test_a_steady_share_is_no_chance() -> None:
    lost = np.random.default_rng(1).gamma(3, 1, (16, 4))
    assert p_of_gain(0.01 * lost, lost, ORIGINS) == 0.0
    assert p_of_gain(-0.01 * lost, lost, ORIGINS) == 1.0


def test_noise_of_a_month_counts_once_however_many_origins_forecast_it() -> None:
    """The same months' noise seen from 16 origins: what looks like 192 differences are 27."""
    random = np.random.default_rng(2)
    months = np.arange(16)[:, None] + np.arange(12)
    lost = np.full((16, 12), 1.0)
    found = np.array([p_of_gain(random.normal(0, 1, 27)[months], lost, ORIGINS) for _ in range(2000)])
    assert 0.03 < (found < 0.05).mean() < 0.07
    repeated = [random.normal(0, 1, 27)[months].ravel() for _ in range(200)]
    naive = np.array([stats.ttest_1samp(each, 0, alternative="greater").pvalue for each in repeated])
    assert (naive < 0.05).mean() > 0.2


@pytest.mark.parametrize(
    ("saved", "lost", "origins"),
    [
        (np.zeros((16, 2)), np.ones((16, 2)), ORIGINS),
        (np.ones((16, 2)), np.zeros((16, 2)), ORIGINS),
        (np.full((16, 2), np.nan), np.ones((16, 2)), ORIGINS),
        (np.ones((16, 2)), np.full((16, 2), np.inf), ORIGINS),
        (np.ones((FEWEST_ORIGINS - 1, 2)), np.ones((FEWEST_ORIGINS - 1, 2)), ORIGINS[: FEWEST_ORIGINS - 1]),
        (np.ones((16, 2)), np.ones((16, 2)), [ORIGINS[0]] * 16),
    ],
)
def test_no_evidence_is_chance(saved: np.ndarray, lost: np.ndarray, origins: list[Month]) -> None:
    assert p_of_gain(saved, lost, origins) == 1.0


@given(seed=st.integers(0, 99), unit=st.sampled_from([1e-300, 1e-3, 1e3, 1e12, 1e250]))
def test_the_unit_does_not_matter(seed: int, unit: float) -> None:
    random = np.random.default_rng(seed)
    saved, lost = random.normal(0.05, 0.3, (16, 5)), random.gamma(3, 1, (16, 5))
    p = p_of_gain(saved, lost, ORIGINS)
    assert p_of_gain(saved * unit, lost * unit, ORIGINS) == pytest.approx(p)
    assert p_of_gain(-saved, lost, ORIGINS) == pytest.approx(1 - p)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_holm_knows_no_order_and_never_helps(p_values: list[float], random: object) -> None:
    corrected = holm(p_values)
    assert all(each >= p for each, p in zip(corrected, p_values, strict=True))
    assert min(corrected) == min(1.0, len(p_values) * min(p_values))
    pairs = sorted(zip(p_values, corrected, strict=True))
    again = holm(sorted(p_values))
    assert [each for _, each in pairs] == pytest.approx(list(again))
