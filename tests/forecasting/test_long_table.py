"""Long tables in and out: sums, births, zeros, order."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.errors import BadPanel
from forecasting.fallbacks import Fallbacks
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.long_table import forecast_rows, panel_from_rows
from forecasting.months import Month

JANUARY = Month(2026, 1).ordinal
ROWS = [("a", JANUARY, 1.0), ("a", JANUARY + 2, 2.0), ("a", JANUARY + 2, 0.5), ("b", JANUARY + 1, 4.0)]


def rows(records: list[tuple[str, int, float]]) -> pl.DataFrame:
    return pl.DataFrame(records, schema=["k", "ordinal", "quantity"], orient="row")


def test_rows_of_one_key_and_month_add_up_and_gaps_are_zero() -> None:
    panel = panel_from_rows(rows(ROWS), ["k"], [(), ("k",)])
    assert panel.quantity.tolist() == [[1.0, 0.0, 2.5], [0.0, 4.0, 0.0]]
    assert panel.born.tolist() == [0, 1]
    assert (panel.first, panel.origin) == (Month(2026, 1), Month(2026, 3))


def test_history_may_end_later_than_its_last_row() -> None:
    panel = panel_from_rows(rows(ROWS), ["k"], [(), ("k",)], Month(2026, 5))
    assert panel.quantity[0].tolist() == [1.0, 0.0, 2.5, 0.0, 0.0]


@given(st.permutations(range(6)))
def test_the_order_of_rows_changes_no_bit(order: list[int]) -> None:
    records = [("a", JANUARY, value) for value in (0.1, 0.2, 0.3, 1e9, -1e9, 0.7)]
    shuffled = panel_from_rows(rows([records[i] for i in order]), ["k"], [("k",)])
    assert shuffled.quantity.tobytes() == panel_from_rows(rows(records), ["k"], [("k",)]).quantity.tobytes()


def test_no_rows_are_no_history() -> None:
    with pytest.raises(BadPanel, match="no row of history"):
        panel_from_rows(rows(ROWS).clear(), ["k"], [("k",)])


def test_forecast_rows_by_hand(tiny: Hierarchy) -> None:
    mean = tiny.aggregate(np.array([[1.0, 2], [3, 4], [5, 6], [7, 8]]))
    fallback = Fallbacks.of(["", "", "", "", "too young", "", "", "", ""])
    forecast = Forecast(tiny, Month(2026, 12), mean, (0.5,), mean[None] * 2, fallback)
    table = forecast_rows(forecast, [(), ("material",)])
    assert table.columns == ["level", "organization", "material", "month", "mean", "p50", "fallback"]
    assert table.rows() == [
        ("total", None, None, "2026-12", 16.0, 32.0, None),
        ("total", None, None, "2027-01", 20.0, 40.0, None),
        ("material", None, "COIL", "2026-12", 6.0, 12.0, None),
        ("material", None, "COIL", "2027-01", 8.0, 16.0, None),
        ("material", None, "PLATE", "2026-12", 10.0, 20.0, "too young"),
        ("material", None, "PLATE", "2027-01", 12.0, 24.0, "too young"),
    ]


def test_a_forecast_without_reasons_has_an_empty_column(tiny: Hierarchy) -> None:
    mean = tiny.aggregate(np.ones((4, 1)))
    table = forecast_rows(Forecast(tiny, Month(2026, 12), mean, (), np.empty((0, 9, 1))), [()])
    assert table["fallback"].to_list() == [None]
    assert table.schema["fallback"] == pl.String
