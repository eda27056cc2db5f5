"""Demand beside the same months of earlier years: growth and season are no drift."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.arrays import Floats
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.data_drift import data_drift, expected, measures, standardised

KEYS = ("organization", "customer", "material")
LEVELS = ((), ("organization",), ("customer",), ("organization", "customer"), KEYS)
FIRST = Month(2021, 1)


def panel(quantity: Floats, leaves: list[tuple[str, str, str]]) -> DemandPanel:
    table = pl.DataFrame(leaves, schema=dict.fromkeys(KEYS, pl.String), orient="row")
    return DemandPanel(
        Hierarchy.of(KEYS, LEVELS, table), FIRST, quantity, np.zeros(len(leaves), dtype=np.int64)
    )


def trade(months: int = 60, seed: int = 3) -> tuple[Floats, list[tuple[str, str, str]]]:
    """Twenty customers of two organizations, a strong season, growth and noise."""
    random = np.random.default_rng(seed)
    leaves = sorted((f"O{at % 2}", f"K-{at:03d}", "COIL") for at in range(20))
    time = np.arange(months)
    shape = (1 + 0.5 * np.sin(2 * np.pi * time / 12)) * 1.1 ** (time / 12)
    return 100 * shape * random.gamma(20, 1 / 20, (20, months)), leaves


def test_measures_by_hand() -> None:
    leaves = [("NORD", "K1", "COIL"), ("NORD", "K1", "PLATE"), ("NORD", "K2", "COIL"), ("WEST", "K1", "COIL")]
    found = measures(panel(np.array([[4.0, 0], [9, 0], [13, -2], [5, 0]]), leaves), ("organization",))
    assert found["tonnes"].tolist() == [[26.0, 0.0], [5.0, 0.0]]
    assert found["customers"].tolist() == [[2.0, 0.0], [1.0, 0.0]]
    assert found["order size"][0, 0] == pytest.approx((4 * 9 * 13) ** (1 / 3))
    assert found["concentration"][:, 0] == pytest.approx([0.5, 1.0])
    assert np.isnan(found["concentration"][:, 1]).all()


@given(st.floats(0.7, 1.5), st.lists(st.floats(0.2, 3.0), min_size=12, max_size=12))
def test_growth_and_season_leave_nothing(growth: float, season: list[float]) -> None:
    time = np.arange(60)
    series = (growth ** (time / 12) * np.array(season)[time % 12])[None]
    found = standardised(series)
    assert (found[0, 36:] == 0.0).all()
    assert np.isnan(found[0, :36]).all()
    assert expected(series, 59) == pytest.approx(series[:, 59])


def test_a_stable_trade_raises_nothing_in_two_years() -> None:
    quantity, leaves = trade(72)
    for month in range(48, 73):
        assert (
            data_drift(panel(quantity[:, :month], leaves), LEVELS[:2], caution=1.0, unit="t").findings == ()
        )


def test_an_organization_that_stops_is_seen_with_its_customers() -> None:
    quantity, leaves = trade()
    quantity[:10, -3:] *= 0.1
    found = data_drift(panel(quantity, leaves), LEVELS[:2], caution=1.0, unit="t")
    told = {each.scope: each for each in found.findings}
    assert "organization O1" not in told
    event = told["organization O0"]
    assert (event.kind, event.chart, event.months[-1]) == ("data", "less", FIRST + 59)
    assert event.observed[-1] < 0.2 * event.expected[-1]
    assert event.nodes
    assert all(int(each.node.removeprefix("customer K-")) % 2 == 0 for each in event.nodes)
    assert "was usual" in event.words


def test_customers_that_stay_away_are_counted() -> None:
    quantity, leaves = trade()
    # The others buy what they bought: the tonnes are the same, the customers are not.
    gone = np.arange(20) % 2 == 0
    quantity[~gone, -3:] *= quantity[:, -3:].sum(axis=0) / quantity[~gone, -3:].sum(axis=0)
    quantity[gone, -3:] = 0.0
    found = data_drift(panel(quantity, leaves), [()], caution=1.0, unit="t")
    assert [each.measure for each in found.findings] != []
    assert found.findings[0].measure in {"number of customers", "concentration", "order size"}


def test_scale_and_a_leaf_that_never_buys_change_nothing() -> None:
    quantity, leaves = trade()
    quantity[:10, -3:] *= 0.1
    found = data_drift(panel(quantity, leaves), LEVELS[:2], caution=1.0, unit="t").findings
    assert found
    thousand = data_drift(panel(1000 * quantity, leaves), LEVELS[:2], caution=1.0, unit="t").findings
    assert [(each.scope, each.measure) for each in thousand] == [(each.scope, each.measure) for each in found]
    assert [each.statistic for each in thousand] == pytest.approx([each.statistic for each in found])
    wider = panel(np.vstack([quantity, np.zeros((1, 60))]), [*leaves, ("O1", "K-999", "COIL")])
    assert data_drift(wider, LEVELS[:2], caution=1.0, unit="t").findings == found


def test_a_short_history_says_nothing() -> None:
    quantity, leaves = trade(20)
    found = data_drift(panel(quantity, leaves), LEVELS[:2], caution=1.0, unit="t")
    assert found.findings == ()
    assert len(found.scopes) == 3
