"""Sample paths: they add up, are never negative, and have the distributions that are published."""

import numpy as np
import polars as pl
import pytest

from forecasting.errors import BadForecast
from forecasting.forecaster import FittedForecaster, fit
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.sample_paths import PathSource
from forecasting.spread import GRID
from retrain.recipes import default_recipe

PATHS = 400


@pytest.fixture(scope="module")
def fitted() -> FittedForecaster:
    random = np.random.default_rng(3)
    names = pl.DataFrame({"o": ["a", "a", "b", "b", "b"], "m": ["1", "2", "1", "2", "3"]})
    hierarchy = Hierarchy.of(("o", "m"), ((), ("o",), ("m",), ("o", "m")), names)
    common = random.normal(0, 0.3, 72)
    season = 0.3 * np.sin(2 * np.pi * np.arange(72) / 12)
    own = random.normal(0, 0.2, (5, 72))
    quantity = 50 * np.exp(common + season + own)
    quantity[4] = 0.0  # never had demand
    return fit(default_recipe(), DemandPanel(hierarchy, Month(2020, 1), quantity, np.zeros(5, np.int64)), 6)


@pytest.fixture(scope="module")
def paths(fitted: FittedForecaster) -> np.ndarray:
    return np.concatenate(list(fitted.sample_paths(PATHS, seed=1)), axis=2)


def test_every_path_adds_up_and_none_is_negative(fitted: FittedForecaster, paths: np.ndarray) -> None:
    hierarchy = fitted.panel.hierarchy
    assert paths.shape == (hierarchy.n_nodes, 6, PATHS)
    leaves = paths[hierarchy.slices[-1]].reshape(hierarchy.n_leaves, -1)
    np.testing.assert_allclose(hierarchy.aggregate(leaves), paths.reshape(len(paths), -1), rtol=1e-9)
    assert (paths >= 0).all()
    assert (paths[-1] == 0).all()


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_their_quantiles_are_the_published_ones(
    fitted: FittedForecaster, paths: np.ndarray, level: int
) -> None:
    probabilities = (0.1, 0.25, 0.5, 0.75, 0.9)
    published = fitted.forecast(probabilities).quantiles
    part = fitted.panel.hierarchy.slices[level]
    drawn = np.quantile(paths[part], probabilities, axis=2)
    width = (published[-1, part] - published[0, part]).clip(min=1e-9)
    assert (np.abs(drawn - published[:, part]) / width).mean() < (0.01 if level == 0 else 0.06)


def test_leaves_and_months_move_together_as_their_errors_did(
    fitted: FittedForecaster, paths: np.ndarray
) -> None:
    leaves = paths[fitted.panel.hierarchy.slices[-1]][:4, 0]
    together = np.corrcoef(leaves)[np.triu_indices(4, 1)]
    errors = fitted.leaf_errors[:, :, 0]
    expected = np.corrcoef(errors)[np.triu_indices(4, 1)]
    assert together.mean() == pytest.approx(expected.mean(), abs=0.2)
    assert together.mean() > 0.3


def test_the_same_seed_gives_the_same_paths_and_another_one_others(
    fitted: FittedForecaster, paths: np.ndarray
) -> None:
    again = np.concatenate(list(fitted.sample_paths(PATHS, seed=1)), axis=2)
    np.testing.assert_array_equal(again, paths)
    assert not np.array_equal(np.concatenate(list(fitted.sample_paths(PATHS, seed=2)), axis=2), paths)


def test_leaves_whose_errors_are_one_rise_and_fall_as_one() -> None:
    hierarchy = Hierarchy.of(("m",), ((), ("m",)), pl.DataFrame({"m": ["1", "2"]}))
    errors = np.random.default_rng(0).normal(size=(1, 30, 1)).repeat(2, axis=0).astype(np.float32)
    leaf = np.linspace(1, 9, len(GRID))[:, None, None].repeat(2, axis=1)
    marginals = np.concatenate([leaf.sum(axis=1, keepdims=True), leaf], axis=1)
    (block,) = PathSource(hierarchy, marginals, errors).blocks(50, seed=0)
    np.testing.assert_allclose(block[1], block[2])
    assert np.ptp(block[1]) > 3


def test_a_hierarchy_of_leaves_alone_has_paths_too() -> None:
    hierarchy = Hierarchy.of(("m",), (("m",),), pl.DataFrame({"m": ["1", "2"]}))
    quantity = np.random.default_rng(0).gamma(4, 5, (2, 40))
    panel = DemandPanel(hierarchy, Month(2020, 1), quantity, np.zeros(2, np.int64))
    made = fit(default_recipe(), panel, 3)
    (block,) = made.sample_paths(30, seed=0)
    published = made.forecast((0.01, 0.99)).quantiles
    assert ((block >= 0.9 * published[0][:, :, None]) & (block <= 1.1 * published[1][:, :, None])).all()


def test_no_paths_are_refused(fitted: FittedForecaster) -> None:
    with pytest.raises(BadForecast, match="asked for 0 sample paths"):
        next(fitted.sample_paths(0, seed=1))


def test_where_nothing_was_ever_bought_all_paths_are_nothing() -> None:
    hierarchy = Hierarchy.of(("m",), ((), ("m",)), pl.DataFrame({"m": ["1", "2"]}))
    panel = DemandPanel(hierarchy, Month(2020, 1), np.zeros((2, 24)), np.zeros(2, np.int64))
    (block,) = fit(default_recipe(), panel, 3).sample_paths(5, seed=0)
    assert block.shape == (3, 3, 5)
    assert (block == 0).all()


def test_long_leads_that_few_origins_have_seen_move_as_the_leads_before() -> None:
    # Forty months leave twelve past origins: one error twelve months ahead, which varies with nothing.
    hierarchy = Hierarchy.of(("m",), ((), ("m",)), pl.DataFrame({"m": [f"{leaf:02d}" for leaf in range(20)]}))
    quantity = np.random.default_rng(1).gamma(4, 5, (20, 40))
    made = fit(default_recipe(), DemandPanel(hierarchy, Month(2020, 1), quantity, np.zeros(20, np.int64)), 12)
    paths = np.concatenate(list(made.sample_paths(300, seed=0)), axis=2)
    published = made.forecast((0.1, 0.9)).quantiles[:, 1:]
    drawn = np.quantile(paths[1:], (0.1, 0.9), axis=2)
    widths = (drawn[1] - drawn[0]).mean(axis=0) / (published[1] - published[0]).mean(axis=0)
    assert widths == pytest.approx(np.ones(12), abs=0.25)
    together = np.corrcoef(paths[1:, 11])[np.triu_indices(20, 1)]
    assert np.abs(together).mean() < 0.5


def test_more_paths_than_fit_are_refused(fitted: FittedForecaster) -> None:
    with pytest.raises(
        BadForecast, match=r"100000000 sample paths of 5 nodes above .* ask for 6666666 at most"
    ):
        next(fitted.sample_paths(100_000_000, seed=1))
