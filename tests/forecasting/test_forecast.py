"""Forecasts: coherence measured, impossible ones refused."""

import numpy as np
import pytest

from forecasting.errors import BadForecast
from forecasting.fallbacks import Fallbacks
from forecasting.forecast import Forecast, quantile_name
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month

LEAVES = np.array([[1.0, 2], [3, 4], [5, 6], [7, 8]])


def forecast(tiny: Hierarchy, **changes: object) -> Forecast:
    mean = tiny.aggregate(LEAVES)
    parts = {
        "mean": mean,
        "probabilities": (0.1, 0.9),
        "quantiles": np.stack([mean * 0.5, mean * 2]),
    } | changes
    return Forecast(tiny, Month(2026, 11), **parts)  # type: ignore[arg-type]  # the point of the test


def test_a_coherent_forecast_has_no_gap(tiny: Hierarchy) -> None:
    assert forecast(tiny).incoherence() == 0.0
    assert (forecast(tiny).origin, forecast(tiny).horizon) == (Month(2026, 10), 2)


def test_incoherence_is_relative_to_the_node(tiny: Hierarchy) -> None:
    mean = tiny.aggregate(LEAVES)
    mean[0, 0] *= 1.01
    assert forecast(tiny, mean=mean).incoherence() == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": LEAVES}, "9 nodes"),
        ({"quantiles": np.ones((1, 9, 2))}, "quantiles have shape"),
        ({"quantiles": np.full((2, 9, 2), np.nan)}, "NaN"),
        ({"quantiles": np.full((2, 9, 2), -1.0)}, "negative"),
        ({"quantiles": np.stack([np.full((9, 2), 2.0), np.full((9, 2), 1.0)])}, "out of order"),
        ({"fallback": Fallbacks.none(4)}, "4 reasons, the hierarchy has 9 nodes"),
        ({"probabilities": (0.9, 0.1)}, "ascend"),
        ({"probabilities": (0.0, 0.1)}, "between 0 and 1"),
    ],
)
def test_forecasts_that_cannot_be(tiny: Hierarchy, changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadForecast, match=message):
        forecast(tiny, **changes)


@pytest.mark.parametrize(
    ("probability", "name"),
    [(0.05, "p05"), (0.1, "p10"), (0.5, "p50"), (0.95, "p95"), (0.975, "p97_5"), (0.005, "p00_5")],
)
def test_quantile_names(probability: float, name: str) -> None:
    assert quantile_name(probability) == name
