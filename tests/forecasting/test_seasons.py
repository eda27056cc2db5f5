"""Seasons of nodes from what they are part of: by hand, and against statsmodels."""

import numpy as np
import polars as pl
import pytest
from statsmodels.tsa.seasonal import seasonal_decompose

from forecasting.arrays import Floats, Ints
from forecasting.hierarchy import Hierarchy
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.seasons import shared_seasons

MONTHS = 36


def batches(hierarchy: Hierarchy, quantity: Floats, born: Ints) -> list[SeriesBatch]:
    panel = DemandPanel(hierarchy, Month(2021, 4), quantity, born)
    values = panel.nodes()
    return [SeriesBatch(panel.first, values[part], panel.node_born[part]) for part in hierarchy.slices]


@pytest.fixture
def with_offset() -> Floats:
    """Four leaves of three equal years, each with the five percent of its mean that logarithms add."""
    year = np.random.default_rng(2).uniform(2, 9, (4, 12))
    return np.tile(year, 3)


def season_of(with_offset: Floats) -> Floats:
    """The season, as logarithms, of a sum of leaves that are alike every year."""
    logs = np.log(with_offset[:12])
    return np.asarray(logs - logs.mean())


def test_a_node_has_the_mean_season_of_what_it_is_part_of(tiny: Hierarchy, with_offset: Floats) -> None:
    quantity = with_offset - 0.05 / 1.05 * with_offset.mean(axis=1, keepdims=True)
    levels = batches(tiny, quantity, np.zeros(4, dtype=np.int64))
    total, organizations, materials, leaves = shared_seasons(tiny, levels, MONTHS)
    nord_coil, nord_plate, west_coil, west_plate = with_offset
    whole = season_of(with_offset.sum(axis=0))
    nord, west = season_of(nord_coil + nord_plate), season_of(west_coil + west_plate)
    coil, plate = season_of(nord_coil + west_coil), season_of(nord_plate + west_plate)
    assert (total == 0).all()
    np.testing.assert_allclose(organizations, [whole, whole], rtol=1e-9)
    np.testing.assert_allclose(materials, [whole, whole], rtol=1e-9)
    pairs = [(nord, coil), (nord, plate), (west, coil), (west, plate)]
    np.testing.assert_allclose(leaves, [(whole + o + m) / 3 for o, m in pairs], rtol=1e-9)


def test_what_is_younger_than_two_years_and_a_month_has_no_say(tiny: Hierarchy, with_offset: Floats) -> None:
    quantity = with_offset - 0.05 / 1.05 * with_offset.mean(axis=1, keepdims=True)
    quantity[2:, :12] = 0.0  # WEST has lived for two years only, and its materials as long as NORD's
    levels = batches(tiny, quantity, np.array([0, 0, 12, 12]))
    total_says, organization_says, _, leaves = shared_seasons(tiny, levels, MONTHS)
    assert (total_says == 0).all()
    whole = organization_says[0]
    values = tiny.aggregate(quantity)
    coil = seasonal_decompose(np.log(values[3] + 0.05 * values[3].mean()), period=12).seasonal[:12]
    np.testing.assert_allclose(leaves[2], (whole + coil) / 2, rtol=1e-9)


@pytest.mark.parametrize(("born", "months"), [(0, 60), (7, 60), (0, 41)])
def test_the_season_equals_that_of_statsmodels_on_logarithms(born: int, months: int) -> None:
    rng = np.random.default_rng(born + months)
    quantity = rng.gamma(3, 10, (2, 60)) * (1 + 0.5 * np.sin(2 * np.pi * np.arange(60) / 12))
    quantity[0, 20] = 0.0
    quantity[:, :born] = 0.0
    hierarchy = Hierarchy.of(["k"], [(), ("k",)], pl.DataFrame({"k": ["a", "b"]}))
    levels = batches(hierarchy, quantity, np.full(2, born))
    total = quantity.sum(axis=0)[born:months]
    theirs = seasonal_decompose(np.log(total + 0.05 * total.mean()), period=12).seasonal[:12]
    for ours in shared_seasons(hierarchy, levels, months)[1]:
        np.testing.assert_allclose(ours, theirs[(np.arange(12) - born) % 12], rtol=1e-9, atol=1e-12)


def test_months_after_the_first_ones_are_not_seen(tiny: Hierarchy, with_offset: Floats) -> None:
    later = with_offset.copy()
    later[:, 30:] *= 7.0
    born = np.zeros(4, dtype=np.int64)
    one, other = (shared_seasons(tiny, batches(tiny, values, born), 30) for values in (with_offset, later))
    assert [each.tobytes() for each in one] == [each.tobytes() for each in other]


def test_nodes_without_demand_are_part_of_no_season(tiny: Hierarchy) -> None:
    levels = batches(tiny, np.zeros((4, MONTHS)), np.zeros(4, dtype=np.int64))
    assert all((seasons == 0).all() for seasons in shared_seasons(tiny, levels, MONTHS))
