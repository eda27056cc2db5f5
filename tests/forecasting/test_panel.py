"""Panels: aggregation, the view of the past, and what is refused."""

import numpy as np
import pytest

from forecasting.errors import BadPanel
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel


def panel(hierarchy: Hierarchy, quantity: object, born: object) -> DemandPanel:
    return DemandPanel(hierarchy, Month(2026, 1), np.array(quantity, dtype=float), np.array(born))


def test_nodes_add_up_by_hand(tiny: Hierarchy) -> None:
    history = panel(tiny, [[1, 2], [3, 4], [0, 5], [7, 8]], [0, 0, 1, 0])
    assert history.nodes()[:3].tolist() == [[11, 19], [4, 6], [7, 13]]


def test_a_node_is_as_old_as_its_oldest_leaf(tiny: Hierarchy) -> None:
    history = panel(tiny, [[0, 2], [0, 4], [0, 5], [7, 8]], [1, 1, 1, 0])
    assert history.node_born.tolist() == [0, 1, 0, 1, 0, 1, 1, 1, 0]


def test_until_forgets_later_months_and_unborn_leaves(tiny_panel: DemandPanel) -> None:
    past = tiny_panel.until(Month(2025, 5))
    assert (past.n_months, past.origin) == (19, Month(2025, 5))
    assert past.hierarchy.leaves.rows() == [("NORD", "COIL"), ("NORD", "PLATE"), ("WEST", "PLATE")]
    assert (past.quantity[0] == tiny_panel.quantity[0, :19]).all()


def test_until_the_origin_is_the_whole_panel(tiny_panel: DemandPanel) -> None:
    assert (tiny_panel.until(tiny_panel.origin).quantity == tiny_panel.quantity).all()


@pytest.mark.parametrize("month", [Month(2020, 1), Month(2030, 1)])
def test_until_a_month_outside(tiny_panel: DemandPanel, month: Month) -> None:
    with pytest.raises(BadPanel, match="outside the panel, 2023-11 to 2026-10"):
        tiny_panel.until(month)


def test_until_before_any_leaf(tiny: Hierarchy) -> None:
    history = panel(tiny, [[0, 2], [0, 4], [0, 5], [0, 8]], [1, 1, 1, 1])
    with pytest.raises(BadPanel, match="no leaf had been born by 2026-01"):
        history.until(Month(2026, 1))


@pytest.mark.parametrize(
    ("quantity", "born", "message"),
    [
        ([[1.0]], [0], "4 leaves"),
        ([[1.0], [1.0], [np.nan], [1.0]], [0, 0, 0, 0], "NaN"),
        ([[1.0], [1.0], [np.inf], [1.0]], [0, 0, 0, 0], "infinite"),
        ([[1.0], [-1e31], [1.0], [1.0]], [0, 0, 0, 0], r"1e\+31, beyond 1e\+30; use a larger unit"),
        ([[1.0], [1.0], [1.0], [1.0]], [0], "born has shape"),
        ([[1.0], [1.0], [1.0], [1.0]], [0, 0, 0, 1], "born within"),
        ([[1.0, 1], [1, 1], [1, 1], [1, 1]], [0, 0, 0, 1], "before the month it was born"),
        ([[], [], [], []], [0, 0, 0, 0], "at least one month"),
    ],
)
def test_panels_that_cannot_be(tiny: Hierarchy, quantity: object, born: object, message: str) -> None:
    with pytest.raises(BadPanel, match=message):
        panel(tiny, quantity, born)
