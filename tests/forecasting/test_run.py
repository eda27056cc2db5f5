"""ForecastRun."""

import numpy as np
import polars as pl
import pytest

from forecasting.errors import BadForecast
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.run import ForecastRun


def run(run_id: str = "2026-10-3f9c", unit: str = "t") -> ForecastRun:
    hierarchy = Hierarchy.of(["material"], [("material",)], pl.DataFrame({"material": ["HEB 200"]}))
    forecast = Forecast(hierarchy, Month(2026, 11), np.ones((1, 2)), (), np.empty((0, 1, 2)))
    return ForecastRun(run_id, forecast, "3f9c", "naive/1", unit, "the first run")  # type: ignore[arg-type]  # wrong units too


def test_origin_is_that_of_its_forecast() -> None:
    assert run().origin == Month(2026, 10)


@pytest.mark.parametrize("run_id", ["", "a b", 'a"b', "a\n", "a/b", "ä"])
def test_id_that_cannot_stand_in_a_header(run_id: str) -> None:
    with pytest.raises(BadForecast, match="run id"):
        run(run_id)


def test_unknown_unit() -> None:
    with pytest.raises(BadForecast, match="'kg' is unknown; use 't' or 'piece'"):
        run(unit="kg")
