"""W from errors: by hand, against its definition, and where errors say little."""

import numpy as np
import polars as pl
import pytest

from forecasting.covariance import (
    LEAST_INTENSITY,
    VARIANCE_FLOOR,
    Covariance,
    independent,
    shrinkage,
    shrinkage_intensity,
    structural,
    variance,
)
from forecasting.errors import BadForecast
from forecasting.hierarchy import Hierarchy


def some_errors(nodes: int = 9, months: int = 24) -> np.ndarray:
    rng = np.random.default_rng(7)
    return rng.normal(size=(nodes, months)) + 0.7 * rng.normal(size=months)


def test_structural_counts_the_leaves():
    leaves = pl.DataFrame({"site": ["A", "A", "B"], "item": ["x", "y", "x"]})
    hierarchy = Hierarchy.of(["site", "item"], [(), ("site",), ("site", "item")], leaves)
    assert structural(hierarchy).diagonal.tolist() == [3, 2, 1, 1, 1, 1]


def test_variance_is_the_mean_square_over_the_months_seen():
    errors = np.array([[1.0, -3.0], [2.0, np.nan], [1.0, 1.0]])
    assert variance(errors).diagonal.tolist() == [5, 4, 1]


def test_a_node_that_never_erred_keeps_a_small_variance():
    errors = np.array([[0.0, 0.0], [2.0, -2.0], [1.0, 1.0], [3.0, 3.0]])
    assert variance(errors).diagonal[0] == VARIANCE_FLOOR * 4


def test_a_node_without_errors_gets_the_typical_variance():
    errors = np.array([[np.nan, np.nan], [2.0, -2.0], [1.0, 1.0], [3.0, 3.0]])
    for covariance in (variance(errors), shrinkage(errors)):
        assert covariance.dense()[0, 0] == 4


def test_errors_of_zero_everywhere_weigh_all_nodes_alike():
    for covariance in (variance(np.zeros((4, 3))), shrinkage(np.zeros((4, 3)))):
        np.testing.assert_array_equal(covariance.dense(), covariance.diagonal[0] * np.eye(4))


def test_shrinkage_equals_its_definition_pair_by_pair():
    errors = some_errors()
    nodes, months = errors.shape
    second = errors @ errors.T / months
    deviation = np.sqrt(np.diag(second))
    standard = errors / deviation[:, None]
    spread = squares = 0.0
    for i in range(nodes):
        for j in range(nodes):
            if i != j:
                products = standard[i] * standard[j]
                spread += ((products - products.mean()) ** 2).sum() / (months * (months - 1))
                squares += products.mean() ** 2
    kept = spread / squares
    assert 0 < kept < 1
    assert shrinkage_intensity(standard) == pytest.approx(kept, rel=1e-12)
    expected = kept * np.diag(np.diag(second)) + (1 - kept) * second
    np.testing.assert_allclose(shrinkage(errors).dense(), expected, rtol=1e-12, atol=1e-14)


def test_shrinkage_keeps_the_variances():
    errors = some_errors()
    errors[2, :9] = np.nan
    errors[4] = 0.0
    np.testing.assert_allclose(np.diag(shrinkage(errors).dense()), variance(errors).diagonal, rtol=1e-12)


def test_missing_months_weaken_a_correlation():
    errors = some_errors()
    whole = shrinkage_intensity(errors / np.sqrt((errors**2).mean(axis=1))[:, None])
    errors[0, :12] = np.nan
    covariance = shrinkage(errors)
    assert covariance.rank == errors.shape[1]
    assert 0 < whole < 1
    assert np.linalg.eigvalsh(covariance.dense()).min() > 0


def test_errors_in_step_leave_an_invertible_covariance():
    covariance = shrinkage(np.outer(np.arange(1.0, 6), np.ones(12)))
    assert np.linalg.cond(covariance.dense() / np.outer(range(1, 6), range(1, 6))) < 10 / LEAST_INTENSITY


def test_one_observation_says_nothing_about_correlation():
    assert shrinkage(some_errors(months=1)).rank == 0


def test_unit_of_the_errors_only_scales():
    errors = some_errors()
    np.testing.assert_allclose(shrinkage(errors * 1000).dense(), shrinkage(errors).dense() * 1e6, rtol=1e-9)


@pytest.mark.parametrize(
    ("diagonal", "factor"),
    [
        (np.array([1.0, 0.0]), np.zeros((2, 0))),
        (np.array([1.0, np.nan]), np.zeros((2, 0))),
        (np.array([1.0, 1.0]), np.zeros((3, 1))),
        (np.ones((2, 2)), np.zeros((2, 1))),
    ],
)
def test_what_is_no_covariance_is_refused(diagonal: np.ndarray, factor: np.ndarray):
    with pytest.raises(BadForecast):
        Covariance(diagonal, factor)


def test_infinite_errors_are_refused():
    with pytest.raises(BadForecast, match="infinite"):
        variance(np.array([[1.0, np.inf]]))
    with pytest.raises(BadForecast, match="nodes x observations"):
        shrinkage(np.ones(3))


def test_independent_has_no_common_causes():
    assert independent(np.ones(3)).rank == 0
