"""Normal scores by hand, and as properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from retrain.normal_scores import FARTHEST, normal_scores

PROBABILITIES = (0.1, 0.5, 0.9)
P90 = float(norm.ppf(0.9))


def score(came: float, *quantiles: float, probabilities: tuple[float, ...] = PROBABILITIES) -> float:
    said = np.array(quantiles, dtype=np.float64)[:, None]
    return float(normal_scores(np.array([came]), probabilities, said)[0])


@pytest.mark.parametrize(
    ("came", "quantiles", "expected"),
    [
        (10, (8, 10, 14), 0.0),
        (14, (8, 10, 14), P90),
        (12, (8, 10, 14), P90 / 2),
        (9, (8, 10, 14), -P90 / 2),
        # Beyond the last, the line from the middle goes on: 16 is one and a half times as far as 14.
        (16, (8, 10, 14), 1.5 * P90),
        (4, (8, 10, 14), -3 * P90),
        (100, (8, 10, 14), FARTHEST),
        # Half of the probability that nothing comes stands under zero.
        (0, (0, 0, 14), float(norm.ppf(0.25))),
        (0, (0, 0, 0), 0.0),
        (1, (0, 0, 0), FARTHEST),
        (0, (5, 5, 5), -FARTHEST),
        (7, (0, 0, 14), P90 / 2),
        # So sure that rounding is far out: it was right.
        (10 + 1e-9, (10 - 1e-12, 10, 10 + 1e-12), 0.0),
        (10.2, (10 - 1e-12, 10, 10 + 1e-12), FARTHEST),
    ],
)
def test_by_hand(came: float, quantiles: tuple[float, ...], expected: float) -> None:
    assert score(came, *quantiles) == pytest.approx(expected)


def test_one_quantile_says_nothing_of_how_far() -> None:
    assert np.isnan(score(3.0, 4.0, probabilities=(0.5,)))
    assert np.isnan(normal_scores(np.array([3.0]), (), np.empty((0, 1)))).all()


def test_what_comes_from_the_distribution_itself_is_standard_normal() -> None:
    random = np.random.default_rng(5)
    levels = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    came = random.normal(100, 7, 20_000)
    said = np.repeat((100 + 7 * norm.ppf(levels))[:, None], len(came), axis=1)
    found = normal_scores(came, levels, said)
    right = np.abs(came - 100) <= 1
    assert (found[right] == 0).all()
    assert found[~right] == pytest.approx(np.clip((came[~right] - 100) / 7, -FARTHEST, FARTHEST), abs=1e-9)


quantities = st.floats(0, 1e6).map(lambda value: round(value, 3))


@given(st.lists(quantities, min_size=3, max_size=3), quantities, quantities)
def test_more_is_never_less_and_scale_does_not_matter(said: list[float], less: float, more: float) -> None:
    said, (less, more) = sorted(said), sorted((less, more))
    assert score(less, *said) <= score(more, *said)
    assert score(1024 * less, *(1024 * each for each in said)) == score(less, *said)
