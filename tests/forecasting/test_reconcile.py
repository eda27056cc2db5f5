"""Reconciliation by hand, by its properties, and against hierarchicalforecast."""

import warnings

import numba
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.covariance import Covariance, independent, shrinkage, structural, variance
from forecasting.errors import BadForecast
from forecasting.hierarchy import Hierarchy
from forecasting.raking import rake
from forecasting.reconcile import ACCEPTED, reconcile, reconcile_nonnegative

KEYS = ("organization", "customer", "material")
LEVELS = (
    (),
    ("organization",),
    ("customer",),
    ("material",),
    ("organization", "customer"),
    ("organization", "material"),
    KEYS,
)


def grouped(leaves: int = 60, seed: int = 0) -> Hierarchy:
    rng = np.random.default_rng(seed)
    table = pl.DataFrame(
        {
            "organization": rng.integers(0, 3, leaves).astype(str),
            "customer": rng.integers(0, 9, leaves).astype(str),
            "material": rng.integers(0, 7, leaves).astype(str),
        }
    )
    return Hierarchy.of(KEYS, LEVELS, table)


def seven_nodes() -> Hierarchy:
    table = pl.DataFrame({"site": ["A", "A", "B", "B"], "item": ["x", "y", "x", "y"]})
    return Hierarchy.of(["site", "item"], [(), ("site",), ("site", "item")], table)


def demand(hierarchy: Hierarchy, columns: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Incoherent base forecasts with many zeros and some negatives, and errors."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(1, 1.5, hierarchy.n_leaves))
    true = size[:, None] * rng.gamma(2, 0.5, (hierarchy.n_leaves, columns))
    true *= rng.random(true.shape) < 0.5
    scale = 0.5 * np.sqrt(hierarchy.aggregate(size[:, None] ** 2))
    base = hierarchy.aggregate(true) + scale * rng.normal(size=(hierarchy.n_nodes, columns))
    base[-hierarchy.n_leaves :][(true == 0) & (rng.random(true.shape) < 0.7)] = 0
    errors = scale * (rng.normal(size=(len(scale), 30)) + 0.5 * rng.normal(size=30))
    return base, errors


def every_covariance(hierarchy: Hierarchy, errors: np.ndarray) -> dict[str, Covariance]:
    return {
        "equal": independent(np.ones(hierarchy.n_nodes)),
        "structural": structural(hierarchy),
        "variance": variance(errors),
        "shrinkage": shrinkage(errors),
    }


def projection(hierarchy: Hierarchy, covariance: Covariance) -> np.ndarray:
    """S G as the textbook writes it."""
    s = hierarchy.summing.toarray()
    inverse = np.linalg.inv(covariance.dense())
    return s @ np.linalg.solve(s.T @ inverse @ s, s.T @ inverse)


def kkt(hierarchy: Hierarchy, base: np.ndarray, covariance: Covariance, y: np.ndarray) -> tuple[float, float]:
    """How negative a leaf's gradient is, and how far gradient x leaf is from zero, both relative."""
    s = hierarchy.summing.toarray()
    inverse = np.linalg.inv(covariance.dense())
    gradient = s.T @ (inverse @ (y - base))
    # What the gradient is a difference of: its size before anything cancels.
    scale = np.abs(s.T) @ (np.abs(inverse) @ (np.abs(y) + np.abs(base))) + 1e-300
    leaves = y[-hierarchy.n_leaves :]
    size = leaves.max() + 1e-300
    return float((-gradient / scale).max()), float(np.abs(gradient * leaves / scale).max() / size)


def test_seven_nodes_by_hand():
    hierarchy = seven_nodes()
    # Variances are 4, 2, 2, 1, 1, 1, 1. Each site and the sum of its leaves agree, each with variance 2:
    # together variance 1, and 2 for both sites' sum of 10. The total says 14 with variance 4, so it becomes
    # (14/4 + 10/2) / (1/4 + 1/2) = 34/3, and the four leaves share what is added.
    base = np.array([[14.0], [3], [7], [1], [2], [3], [4]])
    leaves = np.array([1.0, 2, 3, 4])
    got = reconcile(hierarchy, base, structural(hierarchy))
    assert got[0, 0] == pytest.approx(34 / 3, rel=1e-13)
    np.testing.assert_allclose(got[3:, 0], leaves + (34 / 3 - 10) / 4, rtol=1e-13)


def test_seven_nodes_with_a_leaf_at_zero_by_hand():
    hierarchy = seven_nodes()
    # Upper nodes that nobody believes: what is left is each leaf at its own forecast or at zero.
    covariance = independent(np.array([1e9, 1e9, 1e9, 1, 1, 1, 1]))
    base = np.array([[0.0], [0], [0], [-5], [2], [3], [4]])
    got = reconcile_nonnegative(hierarchy, base, covariance)
    np.testing.assert_allclose(got[:, 0], [9, 2, 7, 0, 2, 3, 4], atol=1e-7)


@pytest.mark.parametrize("name", ["equal", "structural", "variance", "shrinkage"])
def test_equals_the_textbook_and_hierarchicalforecast(name: str):
    from hierarchicalforecast import methods  # noqa: PLC0415  # brings pandas and more, which collecting spares

    hierarchy = grouped()
    base, errors = demand(hierarchy)
    centred = errors - errors.mean(axis=1, keepdims=True)
    # Their shrinkage removes the means first, ours does not; both scale W as they like.
    covariance = every_covariance(hierarchy, centred if name == "shrinkage" else errors)[name]
    got = reconcile(hierarchy, base, covariance)
    scale = np.abs(base).max()
    np.testing.assert_allclose(got, projection(hierarchy, covariance) @ base, atol=1e-11 * scale)

    theirs = {"equal": "ols", "structural": "wls_struct", "variance": "wls_var", "shrinkage": "mint_shrink"}
    insample = {"y_insample": errors, "y_hat_insample": np.zeros_like(errors)}
    summing = hierarchy.summing.toarray()
    rival = methods.MinTrace(theirs[name])
    mapping, _ = rival._get_PW_matrices(S=summing, y_hat=base, **insample)
    np.testing.assert_allclose(got, summing @ mapping @ base, atol=1e-8 * scale)

    clipped = np.maximum(base, 0)
    bounded = methods.MinTrace(theirs[name], nonnegative=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bounded.fit(S=summing, y_hat=clipped, **insample)
    ours = reconcile_nonnegative(hierarchy, clipped, covariance)
    # They round to single precision and stop at 1e-8 of the objective; ours is the lower one.
    np.testing.assert_allclose(ours, bounded.y_hat, atol=1e-4 * scale)
    inverse = np.linalg.inv(covariance.dense())
    costs = [np.einsum("nc,nm,mc->c", y - clipped, inverse, y - clipped) for y in (ours, bounded.y_hat)]
    assert (costs[0] <= costs[1] * (1 + 1e-12)).all()


@pytest.mark.parametrize("name", ["equal", "structural", "variance", "shrinkage"])
def test_coherent_forecasts_stay_and_the_mapping_projects(name: str):
    hierarchy = grouped()
    base, errors = demand(hierarchy)
    covariance = every_covariance(hierarchy, errors)[name]
    coherent = hierarchy.aggregate(base[-hierarchy.n_leaves :])
    scale = np.abs(coherent).max()
    np.testing.assert_allclose(reconcile(hierarchy, coherent, covariance), coherent, atol=1e-12 * scale)
    positive = np.abs(base[-hierarchy.n_leaves :])
    kept = reconcile_nonnegative(hierarchy, hierarchy.aggregate(positive), covariance)
    np.testing.assert_allclose(kept[-hierarchy.n_leaves :], positive, atol=1e-11 * scale)
    once = reconcile(hierarchy, base, covariance)
    np.testing.assert_allclose(reconcile(hierarchy, once, covariance), once, atol=1e-11 * scale)
    # Unbiased: S G S = S.
    summing = hierarchy.summing.toarray()
    np.testing.assert_allclose(reconcile(hierarchy, summing, covariance), summing, atol=1e-11)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    leaves=st.integers(1, 40),
    kind=st.sampled_from(["equal", "structural", "variance", "shrinkage"]),
    wild=st.floats(0, 4),
)
def test_nonnegative_is_the_optimum(seed: int, leaves: int, kind: str, wild: float):
    hierarchy = grouped(leaves, seed)
    base, errors = demand(hierarchy, seed=seed)
    rng = np.random.default_rng(seed)
    errors = errors * np.exp(wild * rng.normal(size=(len(errors), 1)))
    covariance = every_covariance(hierarchy, errors)[kind]
    got = reconcile_nonnegative(hierarchy, base, covariance)
    assert (got >= 0).all()
    np.testing.assert_array_equal(got, hierarchy.aggregate(got[-hierarchy.n_leaves :]))
    negative, slack = kkt(hierarchy, base, covariance, got)
    assert negative < ACCEPTED
    assert slack < ACCEPTED


@pytest.mark.parametrize("name", ["structural", "shrinkage"])
def test_a_coherent_base_with_negatives_is_still_moved_to_the_optimum(name: str):
    hierarchy = grouped()
    base, errors = demand(hierarchy)
    covariance = every_covariance(hierarchy, errors)[name]
    coherent = reconcile(hierarchy, base, covariance)
    assert coherent.min() < 0
    got = reconcile_nonnegative(hierarchy, coherent, covariance)
    assert max(kkt(hierarchy, coherent, covariance, got)) < 1e-9
    # Projecting first changes nothing: the bound's optimum depends on the coherent part alone.
    np.testing.assert_allclose(got, reconcile_nonnegative(hierarchy, base, covariance), atol=1e-8)


@pytest.mark.parametrize("name", ["structural", "shrinkage"])
@pytest.mark.parametrize("solve", [reconcile, reconcile_nonnegative])
def test_columns_stand_alone_and_threads_do_not_matter(name: str, solve):
    hierarchy = grouped(400)
    base, errors = demand(hierarchy, columns=11)
    covariance = every_covariance(hierarchy, errors)[name]
    whole = solve(hierarchy, base, covariance)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        assert solve(hierarchy, base, covariance).tobytes() == whole.tobytes()
    finally:
        numba.set_num_threads(before)
    for part in (slice(3, 5), slice(10, 11)):
        alone = solve(hierarchy, base[:, part], covariance)
        assert alone.tobytes() == np.ascontiguousarray(whole[:, part]).tobytes()


@pytest.mark.parametrize("solve", [reconcile, reconcile_nonnegative])
def test_tonnes_or_kilograms(solve):
    hierarchy = grouped()
    base, errors = demand(hierarchy)
    for unit in (1e-12, 1e3, 1e12):
        scaled = solve(hierarchy, base * unit, shrinkage(errors * unit))
        np.testing.assert_allclose(
            scaled / unit, solve(hierarchy, base, shrinkage(errors)), rtol=1e-8, atol=1e-9
        )


@pytest.mark.parametrize("solve", [reconcile, reconcile_nonnegative])
def test_errors_that_say_nothing(solve):
    hierarchy = grouped()
    base, errors = demand(hierarchy)
    silent = errors.copy()
    silent[::2] = 0
    constant = np.ones_like(errors)
    missing = errors.copy()
    missing[5] = np.nan
    for given_errors in (silent, constant, missing, np.zeros_like(errors)):
        for covariance in (variance(given_errors), shrinkage(given_errors)):
            got = solve(hierarchy, base, covariance)
            assert np.isfinite(got).all()
            np.testing.assert_array_equal(got, hierarchy.aggregate(got[-hierarchy.n_leaves :]))


@pytest.mark.parametrize("solve", [reconcile, reconcile_nonnegative])
def test_zero_forecasts_stay_zero(solve):
    hierarchy = grouped()
    _, errors = demand(hierarchy)
    zeros = np.zeros((hierarchy.n_nodes, 2))
    for covariance in every_covariance(hierarchy, errors).values():
        assert not solve(hierarchy, zeros, covariance).any()


@pytest.mark.parametrize("solve", [reconcile, reconcile_nonnegative])
def test_leaves_alone_need_no_reconciling(solve):
    hierarchy = Hierarchy.of(["item"], [("item",)], pl.DataFrame({"item": ["x", "y"]}))
    base = np.array([[1.0], [2.0]])
    np.testing.assert_array_equal(solve(hierarchy, base, structural(hierarchy)), base)


def test_what_does_not_fit_is_refused():
    hierarchy = seven_nodes()
    covariance = structural(hierarchy)
    with pytest.raises(BadForecast, match="7 nodes"):
        reconcile(hierarchy, np.ones((6, 2)), covariance)
    with pytest.raises(BadForecast, match="NaN"):
        reconcile_nonnegative(hierarchy, np.full((7, 1), np.nan), covariance)
    with pytest.raises(BadForecast, match="6 nodes"):
        reconcile(hierarchy, np.ones((7, 1)), independent(np.ones(6)))
    with pytest.raises(BadForecast, match="7 nodes"):
        rake(hierarchy, np.ones((7, 2)), np.ones((6, 2)))
    with pytest.raises(BadForecast, match="upper levels"):
        rake(hierarchy, np.ones((7, 2)), np.ones((7, 2)), levels=3)


def test_raking_is_coherent_nonnegative_and_keeps_the_total():
    hierarchy = grouped(400)
    base, errors = demand(hierarchy, columns=20)
    coherent = reconcile(hierarchy, base, shrinkage(errors))
    bounded = reconcile_nonnegative(hierarchy, base, shrinkage(errors))
    for columns in (coherent, bounded):
        for levels in (1, 2, 6):
            got = rake(hierarchy, columns, coherent, levels=levels)
            assert got.min() >= 0
            np.testing.assert_array_equal(got, hierarchy.aggregate(got[-hierarchy.n_leaves :]))
            np.testing.assert_allclose(got[0], np.maximum(coherent[0], 0), rtol=1e-9)
    assert coherent.min() < 0
    positive = hierarchy.aggregate(np.abs(base[-hierarchy.n_leaves :]))
    np.testing.assert_allclose(rake(hierarchy, positive, positive), positive, rtol=1e-12)


def test_raking_by_hand():
    hierarchy = seven_nodes()
    coherent = hierarchy.aggregate(np.array([[-2.0, -9], [4, 1], [3, 1], [5, 1]]))
    got = rake(hierarchy, coherent, coherent)
    # 4 + 3 + 5 stands 2 above the total of 10; a total below zero leaves nothing.
    np.testing.assert_allclose(got[3:, 0], np.array([0, 4, 3, 5]) * 10 / 12, rtol=1e-15)
    assert not got[:, 1].any()
    both = rake(hierarchy, coherent, coherent, levels=2)
    np.testing.assert_allclose(both[3:, 0], [0, 2, 3, 5], rtol=1e-15)
