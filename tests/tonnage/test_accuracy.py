"""The table of accuracy by hand."""

from dataclasses import replace

import pytest

from app.store.scores import Score
from forecasting.months import Month
from tonnage.accuracy import accuracy_table

ONE = Score(
    run_id="a", level=(), month=Month(2026, 10), lead=1, nodes=1, new_nodes=0, gone_nodes=0, actual=100.0,
    demand=100.0, error=-10.0, absolute_error=10.0, seasonal_error=20.0, within=1,
    probabilities=(0.1, 0.5, 0.9), pinball=(2.0, 5.0, 2.0),
)  # fmt: skip


def test_by_hand() -> None:
    two = replace(ONE, run_id="b", lead=2, absolute_error=30.0, error=30.0, within=0)
    customers = replace(ONE, level=("customer",), nodes=4, demand=120.0, absolute_error=60.0, within=3)
    table = accuracy_table([customers, two, ONE])
    assert table.select("level", "lead").rows() == [
        ("total", "all"), ("total", "1"), ("total", "2"), ("customer", "all"), ("customer", "1"),
    ]  # fmt: skip
    both = table.row(0, named=True)
    assert (both["months"], both["runs"], both["cells"]) == (1, 2, 2)
    assert both["wape"] == 0.2
    assert both["bias"] == 0.1
    assert both["value_added_seasonal"] == 0.0
    assert both["mae_ratio_seasonal"] == 1.0
    # Twice nine, mean of three quantiles, of 100 tonnes.
    assert both["wql"] == pytest.approx(0.06)
    assert both["coverage_p10_p90"] == 0.5
    first = table.row(1, named=True)
    assert (first["wape"], first["value_added_seasonal"], first["mae_ratio_seasonal"]) == (0.1, 0.1, 0.5)
    assert table.row(3, named=True)["coverage_p10_p90"] == 0.75


def test_what_has_no_meaning_is_null() -> None:
    bare = replace(ONE, within=None, probabilities=(), pinball=())
    nothing = replace(bare, demand=0.0, absolute_error=0.0, seasonal_error=float("nan"))
    row = accuracy_table([nothing]).row(0, named=True)
    assert {row[name] for name in ("wape", "bias", "value_added_seasonal", "wql", "coverage_p10_p90")} == {
        None
    }
    # A run without a yardstick is left out of the comparison alone.
    mixed = accuracy_table([ONE, replace(nothing, demand=50.0, absolute_error=50.0)]).row(0, named=True)
    assert mixed["wape"] == pytest.approx(60 / 150)
    assert mixed["mae_ratio_seasonal"] == 0.5


def test_no_scores() -> None:
    assert accuracy_table([]).is_empty()
