"""From recipe and panel to forecast: coherent, ordered, and indifferent to what must not matter."""

from dataclasses import replace

import numba
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.arrays import Floats
from forecasting.errors import BadForecast, TooLittleHistory
from forecasting.forecast import Forecast
from forecasting.forecaster import fit
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from retrain.recipes import default_recipe

PROBABILITIES = (0.1, 0.5, 0.9)
LEVELS = [(), ("o",), ("m",), ("o", "m")]
DEFAULT = default_recipe()
SEASONAL_NAIVE = Recipe("seasonal-naive", ("seasonal_naive",), calendar=False, learned=False)


def panel(quantity: Floats, names: list[tuple[str, str]] | None = None) -> DemandPanel:
    names = names or [(f"o{i % 3}", f"m{i:03d}") for i in range(len(quantity))]
    keys = pl.DataFrame(names, schema=["o", "m"], orient="row")
    hierarchy = Hierarchy.of(["o", "m"], LEVELS, keys)
    rows = hierarchy.leaves.join(keys.with_row_index("row"), on=["o", "m"], maintain_order="left")["row"]
    return DemandPanel(
        hierarchy, Month(2020, 1), quantity[rows.to_numpy()], np.zeros(len(quantity), dtype=np.int64)
    )


def demand(seed: int, leaves: int = 6, months: int = 60) -> Floats:
    random = np.random.default_rng(seed)
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(months) / 12)
    size = random.lognormal(3, 1, (leaves, 1))
    orders = random.random((leaves, months)) < random.uniform(0.3, 1.0, (leaves, 1))
    return np.round(size * season * random.gamma(5, 0.2, (leaves, months)) * orders, 3)


def forecast(quantity: Floats, recipe: Recipe = DEFAULT, horizon: int = 12) -> Forecast:
    return fit(recipe, panel(quantity), horizon).forecast(PROBABILITIES)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(2, 70))
def test_coherent_nonnegative_and_ordered(seed: int, leaves: int, months: int) -> None:
    made = forecast(demand(seed, leaves, months))  # the constructor refuses gaps, negatives and disorder
    assert made.incoherence() < 1e-9


def test_a_constant_is_forecast_as_itself() -> None:
    made = forecast(np.full((3, 48), 12.5))
    assert made.mean[-3:] == pytest.approx(np.full((3, 12), 12.5), rel=1e-6)
    assert made.quantiles[:, -3:] == pytest.approx(np.full((3, 3, 12), 12.5), rel=1e-6)


def test_the_seasonal_naive_repeats_the_last_year_bottom_to_top() -> None:
    quantity = demand(1)
    made = forecast(quantity, SEASONAL_NAIVE)
    assert made.mean[0] == pytest.approx(quantity[:, -12:].sum(axis=0), rel=1e-9)


@pytest.mark.parametrize("leaves", [6, 60])
def test_a_thousand_times_the_demand_is_a_thousand_times_the_forecast(leaves: int) -> None:
    quantity = demand(2, leaves)
    small, large = forecast(quantity), forecast(1000 * quantity)
    np.testing.assert_allclose(large.mean, 1000 * small.mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(large.quantiles, 1000 * small.quantiles, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("leaves", [6, 80])
def test_the_order_of_leaves_changes_no_bit(leaves: int) -> None:
    quantity = demand(3, leaves)
    names = [(f"o{i % 3}", f"m{i:03d}") for i in range(leaves)]
    order = np.random.default_rng(0).permutation(leaves)
    shuffled = fit(DEFAULT, panel(quantity[order], [names[i] for i in order]), 12).forecast(PROBABILITIES)
    straight = forecast(quantity)
    assert shuffled.mean.tobytes() == straight.mean.tobytes()
    assert shuffled.quantiles.tobytes() == straight.quantiles.tobytes()


@pytest.mark.parametrize("leaves", [6, 80])
def test_the_number_of_threads_changes_no_bit(leaves: int) -> None:
    quantity = demand(4, leaves)
    threads = numba.get_num_threads()
    both = forecast(quantity)
    numba.set_num_threads(1)
    try:
        one = forecast(quantity)
    finally:
        numba.set_num_threads(threads)
    assert one.mean.tobytes() == both.mean.tobytes()
    assert one.quantiles.tobytes() == both.quantiles.tobytes()


@pytest.mark.parametrize("leaves", [6, 80])
def test_a_leaf_that_never_bought_changes_nothing_else(leaves: int) -> None:
    quantity = demand(5, leaves)
    with_zero = forecast(np.vstack([quantity, np.zeros((1, 60))]))
    without = forecast(quantity)
    zero = with_zero.hierarchy.nodes["m"].eq(f"m{leaves:03d}").fill_null(value=False).to_numpy()
    assert (with_zero.mean[zero] == 0).all()
    assert (with_zero.quantiles[:, zero] == 0).all()
    np.testing.assert_allclose(with_zero.mean[~zero], without.mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(with_zero.quantiles[:, ~zero], without.quantiles, rtol=1e-9, atol=1e-9)


def test_what_never_had_demand_says_so() -> None:
    made = forecast(np.vstack([demand(5), np.zeros((1, 60))]))
    assert made.fallback is not None
    silent = made.hierarchy.nodes["m"].eq("m006").fill_null(value=False)
    told = ["no demand yet: zero" if one else "" for one in silent]
    assert made.fallback.reasons == told
    nothing = forecast(np.zeros((2, 60)))
    assert nothing.fallback is not None
    assert set(nothing.fallback.reasons) == {"no demand yet: zero"}


def test_a_level_where_the_learned_model_fails_says_so_and_is_forecast() -> None:
    quantity = demand(5, 60)
    quantity[:, ::2] *= 1e-30
    quantity[:, 1::2] *= 1e25  # LightGBM keeps sizes in four bytes
    made = forecast(quantity)
    assert made.fallback is not None
    leaves = made.hierarchy.slices[-1]
    assert all(reason.startswith("boosted failed: ") for reason in made.fallback.reasons[leaves])
    assert set(made.fallback.reasons[: leaves.start]) == {""}


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros(60),
        np.full(60, 3.0),
        np.full(60, -2.0),
        np.where(np.arange(60) == 59, 5.0, 0.0),
        np.where(np.arange(60) == 0, 5.0, 0.0),
        np.arange(60) * 1e12,
        np.full(60, 1e-12),
        np.where(np.arange(60) % 2, 1e9, -1e9),
    ],
    ids=["zero", "constant", "negative", "last", "first", "huge", "tiny", "alternating"],
)
def test_one_odd_series_spoils_nothing(odd: Floats) -> None:
    made = forecast(np.vstack([demand(6), odd]))
    assert np.isfinite(made.mean).all()
    assert made.incoherence() < 1e-9


def test_a_very_long_history() -> None:
    made = forecast(demand(7, leaves=2, months=10_000))
    assert np.isfinite(made.quantiles).all()


@pytest.mark.parametrize("horizon", [1, 12, 30])
def test_any_horizon(horizon: int) -> None:
    assert forecast(demand(8), horizon=horizon).horizon == horizon


def test_what_is_refused() -> None:
    with pytest.raises(TooLittleHistory, match="history covers 1 month"):
        forecast(demand(9, months=1))
    with pytest.raises(BadForecast, match="ascend"):
        fit(DEFAULT, panel(demand(9)), 12).forecast((0.9, 0.1))


def test_recipes_are_told_apart_by_content() -> None:
    assert DEFAULT.key != SEASONAL_NAIVE.key
    assert replace(DEFAULT, slow_nodes=DEFAULT.slow_nodes + 1).key != DEFAULT.key
    assert replace(DEFAULT).key == DEFAULT.key


def test_intermittent_leaves_are_expected_to_buy_what_they_buy_on_average() -> None:
    random = np.random.default_rng(0)
    orders = (random.random((300, 72)) < 0.15) * random.gamma(4, 2.5, (300, 72))
    made = forecast(orders)
    assert made.mean[0].mean() == pytest.approx(orders.sum(axis=0).mean(), rel=0.1)


def test_what_died_years_ago_says_nothing_of_how_the_living_scatter() -> None:
    random = np.random.default_rng(0)
    living, dead = random.gamma(9, 2, (15, 120)), random.gamma(9, 2, (25, 120))
    dead[:, 40:] = 0.0
    widths = []
    for unit in (1e-4, 1.0):
        made = forecast(unit * np.vstack([living, dead]))
        low, high = made.quantiles[0, -40:-25], made.quantiles[-1, -40:-25]
        widths.append((high - low) / unit)
    np.testing.assert_allclose(widths[0], widths[1], rtol=1e-6)
