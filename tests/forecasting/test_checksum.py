"""What the checksums tell apart, and what they do not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from forecasting.checksum import forecast_checksum, panel_checksum
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel


@pytest.fixture
def forecast(tiny: Hierarchy) -> Forecast:
    mean = tiny.aggregate(np.arange(8.0).reshape(4, 2))
    return Forecast(tiny, Month(2026, 11), mean, (0.1, 0.9), np.stack([mean / 2, mean * 2]))


def nudged(values: np.ndarray, at: tuple[int, ...]) -> np.ndarray:
    """The same numbers but for the last bit of one."""
    values = values.copy()
    values[at] = np.nextafter(values[at], np.inf)
    return values


def renamed(hierarchy: Hierarchy) -> Hierarchy:
    return replace(hierarchy, leaves=hierarchy.leaves.with_columns(material=pl.col("material") + "s"))


@pytest.mark.parametrize(
    "change",
    [
        lambda each: replace(each, mean=nudged(each.mean, (3, 1))),
        lambda each: replace(each, quantiles=nudged(each.quantiles, (1, 8, 0))),
        lambda each: replace(each, first=each.first + 1),
        lambda each: replace(each, probabilities=(0.1, 0.95)),
        lambda each: replace(each, hierarchy=renamed(each.hierarchy)),
    ],
)
def test_a_forecast_that_differs_in_anything(
    forecast: Forecast, change: Callable[[Forecast], Forecast]
) -> None:
    assert forecast_checksum(change(forecast)) != forecast_checksum(forecast)


def test_how_numbers_lie_in_memory_does_not_matter(forecast: Forecast) -> None:
    other = replace(
        forecast,
        mean=np.asfortranarray(forecast.mean),
        quantiles=np.ascontiguousarray(forecast.quantiles.T).T,
    )
    assert not other.quantiles.flags.c_contiguous
    assert forecast_checksum(other) == forecast_checksum(forecast)


def test_it_is_what_it_was(forecast: Forecast) -> None:
    """Runs of old must stay comparable: whoever changes the canonical bytes breaks their reproduction."""
    assert forecast_checksum(forecast) == "2c9fad13ca79b5b430cba586c526fe1adcbf161cdb809be75621ba484bbd9125"


@pytest.mark.parametrize(
    "change",
    [
        lambda each: replace(each, quantity=nudged(each.quantity, (1, 35))),
        lambda each: replace(each, born=np.array([0, 0, 19, 0])),
        lambda each: replace(each, first=each.first + 1),
        lambda each: replace(each, hierarchy=renamed(each.hierarchy)),
        lambda each: replace(each, hierarchy=replace(each.hierarchy, levels=each.hierarchy.levels[1:])),
        lambda each: each.until(each.origin - 1),
    ],
)
def test_a_panel_that_differs_in_anything(
    tiny_panel: DemandPanel, change: Callable[[DemandPanel], DemandPanel]
) -> None:
    assert panel_checksum(change(tiny_panel)) != panel_checksum(tiny_panel)


def test_names_do_not_run_together() -> None:
    """The leaves ab and c are others than a and bc."""
    one, other = (
        DemandPanel(
            Hierarchy.of(["material"], [("material",)], pl.DataFrame({"material": names})),
            Month(2026, 1),
            np.ones((2, 2)),
            np.zeros(2, dtype=np.int64),
        )
        for names in (["ab", "c"], ["a", "bc"])
    )
    assert panel_checksum(one) != panel_checksum(other)
