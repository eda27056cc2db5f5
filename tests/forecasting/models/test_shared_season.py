"""Smoothing around a season that is shared: it looks at no later month, and the young have it too."""

import numpy as np
import polars as pl
import pytest

from forecasting.arrays import Floats
from forecasting.hierarchy import Hierarchy
from forecasting.models.protocol import SeriesBatch
from forecasting.models.shared_season import SharedSeason
from forecasting.models.smoothing import Smoothing
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.sharing import share

MONTHS, ORIGINS, HORIZON = 72, 24, 12
YOUNG = 69
SEASON = 1 + 0.6 * np.sin(2 * np.pi * np.arange(12) / 12)


@pytest.fixture
def quantity() -> Floats:
    """Five leaves with the same season, the last of them three months old."""
    rng = np.random.default_rng(3)
    values = rng.lognormal(3, 1, (5, 1)) * np.resize(SEASON, MONTHS) * rng.gamma(300, 1 / 300, (5, MONTHS))
    values[4, :YOUNG] = 0.0
    return np.asarray(values)


def leaves(quantity: Floats) -> SeriesBatch:
    hierarchy = Hierarchy.of(["k"], [(), ("k",)], pl.DataFrame({"k": list("abcde")}))
    panel = DemandPanel(hierarchy, Month(2020, 5), quantity, np.array([0, 0, 0, 0, YOUNG]))
    values = panel.nodes()
    levels = [SeriesBatch(panel.first, values[part], panel.node_born[part]) for part in hierarchy.slices]
    shared = share(hierarchy, levels, levels, ORIGINS, HORIZON)
    return SeriesBatch(panel.first, levels[1].values, levels[1].born, shared[1])


def test_a_series_of_three_months_has_the_season_of_what_it_is_part_of(quantity: Floats) -> None:
    history = leaves(quantity)
    ahead = SharedSeason().hindcast(history, ORIGINS, HORIZON)[4, -1]
    # Demand in proportion to the season, as three months of it say.
    level = (quantity[4, YOUNG:] / np.resize(SEASON, MONTHS)[YOUNG:]).mean()
    np.testing.assert_allclose(ahead, level * SEASON, rtol=0.15)
    alone = Smoothing("log").hindcast(history, ORIGINS, HORIZON)[4, -1]
    assert np.abs(alone - level * SEASON).mean() > 3 * np.abs(ahead - level * SEASON).mean()


@pytest.mark.parametrize("months", [[-13], list(range(-24, -12))])
def test_what_is_forecast_at_an_origin_knows_nothing_later(quantity: Floats, months: list[int]) -> None:
    # Months in the place of those a year later: what logarithms are offset by, a mean, stays as it is.
    there = np.array(months)
    other = quantity.copy()
    other[:4, there], other[:4, there + 12] = quantity[:4, there + 12], quantity[:4, there]
    one, two = (SharedSeason().hindcast(leaves(each), ORIGINS, HORIZON) for each in (quantity, other))
    known = ORIGINS + months[0] + 1
    np.testing.assert_allclose(two[:4, :known], one[:4, :known], rtol=1e-9)
    assert not np.isclose(two[:4, known:], one[:4, known:]).all(axis=2).any()


def test_without_a_hierarchy_it_is_smoothing_on_the_log_scale(quantity: Floats) -> None:
    alone = SeriesBatch(Month(2020, 5), quantity, np.array([0, 0, 0, 0, YOUNG]))
    ours = SharedSeason().hindcast(alone, ORIGINS, HORIZON)
    np.testing.assert_array_equal(ours, Smoothing("log").hindcast(alone, ORIGINS, HORIZON))
