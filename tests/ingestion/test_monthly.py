"""From lines to the panel, computed by hand."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from forecasting.months import Month
from ingestion.errors import EmptyMonth, UnknownKey
from ingestion.monthly import build_panel
from ingestion.order_line import LINES
from ingestion.snapshot import Snapshot
from ingestion.units import DemandUnit

KEYS = ("organization", "customer", "material")
LEVELS = ((), ("organization",), KEYS)


type Sealed = Callable[..., Snapshot]


@pytest.fixture
def snapshot(sealed: Sealed) -> Callable[..., Snapshot]:
    def make(*lines: tuple[str, str, date, int], demand: DemandUnit = DemandUnit.TONNE) -> Snapshot:
        """October 2026 with lines of (customer, material, date, quantity) at NORD."""
        rows = [
            ("erp", str(number), "NORD", customer, material, day, quantity)
            for number, (customer, material, day, quantity) in enumerate(lines)
        ]
        return sealed(pl.DataFrame(rows, schema=LINES, orient="row"), demand=demand)

    return make


ORDERS = (
    ("K-2", "HEB-200", date(2026, 8, 3), 1_000),
    ("K-2", "HEB-200", date(2026, 8, 31), 2_501),
    ("K-2", "HEB-200", date(2026, 10, 1), -700),
    ("K-1", "IPE-80", date(2026, 9, 30), -250),
    ("K-1", "IPE-80", date(2026, 10, 31), 12_500),
)


def test_lines_add_up_by_leaf_and_month_in_tonnes(snapshot: Sealed) -> None:
    panel = build_panel(snapshot(*ORDERS), KEYS, LEVELS)
    assert panel.hierarchy.leaves.rows() == [("NORD", "K-1", "IPE-80"), ("NORD", "K-2", "HEB-200")]
    assert (panel.first, panel.origin) == (Month(2026, 8), Month(2026, 10))
    np.testing.assert_array_equal(panel.quantity, [[0, -0.25, 12.5], [3.501, 0, -0.7]])
    np.testing.assert_array_equal(panel.born, [1, 0])


def test_pieces_stay_pieces_and_fewer_keys_make_fewer_leaves(snapshot: Sealed) -> None:
    panel = build_panel(snapshot(*ORDERS, demand=DemandUnit.PIECE), ("organization",), ((), KEYS[:1]))
    np.testing.assert_array_equal(panel.quantity, [[3_501, -250, 11_800]])


def test_one_month_of_history_is_a_panel(snapshot: Sealed) -> None:
    panel = build_panel(snapshot(ORDERS[-1]), KEYS, LEVELS)
    assert (panel.n_months, panel.origin) == (1, Month(2026, 10))


def test_a_month_without_lines_names_the_newest_that_has(snapshot: Sealed) -> None:
    with pytest.raises(EmptyMonth, match="use --month 2026-08") as caught:
        build_panel(snapshot(*ORDERS[:2]), KEYS, LEVELS)
    assert (caught.value.month, caught.value.newest) == (Month(2026, 10), Month(2026, 8))


def test_no_lines_at_all_are_an_empty_month_too(snapshot: Sealed) -> None:
    with pytest.raises(EmptyMonth, match="no order line is left up to 2026-10") as caught:
        build_panel(snapshot(), KEYS, LEVELS)
    assert caught.value.newest is None


def test_a_key_that_lines_do_not_have_is_named(snapshot: Sealed) -> None:
    with pytest.raises(UnknownKey, match="'region' is not a key; keys are organization") as caught:
        build_panel(snapshot(*ORDERS), ("organization", "region"), LEVELS)
    assert (caught.value.key, caught.value.available) == ("region", KEYS)
