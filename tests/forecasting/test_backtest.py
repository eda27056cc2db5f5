"""Rolling origins: by hand on the tiny hierarchy, without leakage, and as published on real data."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from forecasting.backtest import Forecaster, backtest, origins
from forecasting.errors import BadForecast, TooFewOrigins
from forecasting.forecast import Forecast
from forecasting.hierarchy import parse_level
from forecasting.metrics import CRPS_GRID
from forecasting.months import Month
from forecasting.panel import DemandPanel
from tonnage.history_file import HistoryColumns, read_history

TOURISM = "total;state;zone;region;purpose;state,purpose;zone,purpose;region,purpose"
PROBABILITIES = (0.1, 0.5, 0.9)


def last_year(panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]) -> Forecast:
    """What was twelve months before, as the mean and as every quantile."""
    months = panel.n_months - 12 + np.arange(horizon) % 12
    mean = panel.nodes()[:, months]
    quantiles = np.repeat(mean[None], len(probabilities), axis=0)
    return Forecast(panel.hierarchy, panel.origin + 1, mean, probabilities, quantiles)


def off_by(mean: float, low: float, median: float, high: float) -> Forecaster:
    """Constant forecasts, so that errors can be counted by hand."""

    def forecaster(panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]) -> Forecast:
        shape = (panel.hierarchy.n_nodes, horizon)
        quantiles = np.array([np.full(shape, value) for value in (low, median, high)])
        return Forecast(panel.hierarchy, panel.origin + 1, np.full(shape, mean), probabilities, quantiles)

    return forecaster


def test_origins_end_a_horizon_before_the_panel(tiny_panel: DemandPanel) -> None:
    assert tiny_panel.origin == Month(2026, 10)
    assert origins(tiny_panel, 1, 12, 12) == (Month(2025, 10),)
    assert origins(tiny_panel, 3, 2, 6) == (Month(2025, 12), Month(2026, 2), Month(2026, 4))


def test_more_origins_than_history_has_room_for_say_how_many_fit(tiny_panel: DemandPanel) -> None:
    assert len(origins(tiny_panel, 12, 1, 12)) == 12
    with pytest.raises(TooFewOrigins, match=r"13 origins need 37 and 12 fit: ask for fewer") as caught:
        origins(tiny_panel, 13, 1, 12)
    assert caught.value.fit == 12
    with pytest.raises(TooFewOrigins, match="1 origin needs 43 and none fit"):
        origins(tiny_panel, 1, 1, 30)


def test_one_level_by_hand(tiny_panel: DemandPanel) -> None:
    """The total is 22 at each origin's first month, whatever the panel had; everything else is counted."""
    months = np.arange(36)
    demand = np.where(months < 26, 10.0 + months % 2, 20.0)
    quantity = np.zeros_like(tiny_panel.quantity)
    quantity[0] = demand
    panel = replace(tiny_panel, quantity=quantity, born=np.zeros(4, np.int64))
    asked = origins(panel, 2, 4, 6)  # 26 and 30 months known
    assert [origin - panel.first + 1 for origin in asked] == [26, 30]
    report = backtest(panel, off_by(23, 10, 22, 30), asked, 6, PROBABILITIES, levels=[()])
    row = report.table().row(by_predicate=(pl.col("lead") == "all") & (pl.col("origin") == "all"), named=True)
    assert row["wape"] == pytest.approx(2 / 20)
    assert row["bias"] == pytest.approx(3 / 20)
    assert row["coverage"] == 1.0
    # 10 and 11 alternate, so the seasonal differences are zero in the 26 months known first: no scale
    # there. At 30 months they are zero fourteen times and 10, 9, 10, 9.
    scale = 38 / 18
    assert row["mase"] == pytest.approx(2 / scale)
    # One-step differences are 1 twenty-five times; then 9 (from 11 to 20) and zero three times.
    first, second = 3 / 1.0, 3 / math.sqrt((25 + 81) / 29)
    assert row["rmsse"] == pytest.approx((first + second) / 2)
    assert row["wql"] == pytest.approx(2 * (0.1 * 10 + 0.5 * 2 + 0.1 * 10) / 3 / 20)
    # The seasonal naive misses by 10, 9, … six times; then by 10 and 9 eight less the four months of 20.
    assert row["value_added_seasonal"] == pytest.approx((6 * 9.5 + 6 * 9.5) / 240 - 0.1)
    # The last value misses by 9 from the first origin, by nothing from the second.
    assert row["value_added_last"] == pytest.approx(6 * 9 / 240 - 0.1)


def test_a_slice_is_a_ratio_of_sums(tiny_panel: DemandPanel) -> None:
    report = backtest(tiny_panel, last_year, origins(tiny_panel, 3, 2, 6), 6, PROBABILITIES)
    table = report.table()
    assert table.height == 4 * (1 + 6) * (1 + 3)
    weights = report.sums.abs_actual.sum(axis=(0, 2))
    shares = table.filter(lead="all", origin="all")["wape"].to_numpy()
    by_lead = table.filter(pl.col("lead") != "all", origin="all")
    for at, level in enumerate(("total", "organization", "material", "organization,material")):
        parts = report.sums.abs_actual[:, at].sum(axis=0)
        leads = by_lead.filter(level=level)["wape"].to_numpy()
        assert shares[at] * weights[at] == pytest.approx((leads * parts).sum())
    assert table["value_added_seasonal"].to_numpy() == pytest.approx(0.0)


def test_what_comes_after_an_origin_changes_nothing_of_its_forecast(tiny_panel: DemandPanel) -> None:
    seen: list[Forecast] = []

    def remembering(panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]) -> Forecast:
        seen.append(last_year(panel, horizon, probabilities))
        return seen[-1]

    (origin,) = asked = origins(tiny_panel, 1, 1, 12)
    backtest(tiny_panel, remembering, asked, 12, PROBABILITIES)
    poisoned = tiny_panel.quantity.copy()
    poisoned[:, origin - tiny_panel.first + 1 :] = 1e9
    backtest(replace(tiny_panel, quantity=poisoned), remembering, asked, 12, PROBABILITIES)
    clean, canary = seen
    np.testing.assert_array_equal(clean.quantiles, canary.quantiles)
    assert clean.mean.max() < 1e6


def test_a_leaf_born_later_has_a_forecast_of_zero_and_is_scored_from_its_birth(
    tiny_panel: DemandPanel,
) -> None:
    asked = (Month(2025, 4),)  # 18 months known; the late leaf WEST COIL is born with the twentieth
    report = backtest(tiny_panel, last_year, asked, 6, PROBABILITIES)
    late = report.nodes.filter(level="organization,material", organization="WEST", material="COIL")
    demand = tiny_panel.quantity[2, 18:24].sum()
    assert late["actual"].item() == pytest.approx(demand)
    assert late["error"].item() == pytest.approx(demand)
    assert report.sums.cells[0, -1].tolist() == [3, 3, 4, 4, 4, 4]
    assert report.sums.cells[0, 2].tolist() == [2] * 6  # COIL is older than its late leaf
    assert report.sums.scaled_cells[0, -1].tolist() == [3 - 1] * 6  # one leaf repeats itself every year
    reasons = dict(
        report.left_out.select(pl.concat_str("organization", "material", separator=" "), "reason").rows()
    )
    assert reasons["WEST COIL"] == "too short: begins in 2025-07, after the last origin"


def test_a_series_too_short_or_without_demand_is_listed_with_its_reason(tiny_panel: DemandPanel) -> None:
    quantity = tiny_panel.quantity.copy()
    quantity[3] = 0.0
    panel = replace(tiny_panel, quantity=quantity)
    report = backtest(panel, last_year, (Month(2025, 4), Month(2025, 10)), 6, PROBABILITIES)
    reasons = [(f"{row[0]} {row[1]}", row[2]) for row in report.left_out.rows()]
    assert ("WEST COIL", "too short: begins in 2025-07, forecast as zero at 1 of 2 origins") in reasons
    assert ("WEST PLATE", "no demand in any month that was scored") in reasons
    assert "NORD PLATE" not in dict(reasons)


def test_measures_without_meaning_are_null_not_numbers(tiny_panel: DemandPanel) -> None:
    panel = replace(tiny_panel, quantity=np.zeros_like(tiny_panel.quantity))
    report = backtest(panel, last_year, origins(panel, 1, 1, 12), 12, PROBABILITIES)
    nulls = report.table().null_count().row(0, named=True)
    assert {name for name, count in nulls.items() if count} == {
        "wape", "bias", "mase", "rmsse", "wql", "value_added_seasonal", "value_added_last",
    }  # fmt: skip
    assert report.table()["coverage"].unique().to_list() == [1.0]


def test_without_quantiles_there_is_neither_wql_nor_coverage(tiny_panel: DemandPanel) -> None:
    table = backtest(tiny_panel, last_year, origins(tiny_panel, 1, 1, 12), 12, ()).table()
    assert table["wql"].is_null().all()
    assert table["coverage"].is_null().all()
    assert table["wape"].is_not_null().all()


def test_an_answer_to_another_question_is_refused(tiny_panel: DemandPanel) -> None:
    def late(panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]) -> Forecast:
        return replace(last_year(panel, horizon, probabilities), first=panel.origin + 2)

    def short(panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]) -> Forecast:
        return last_year(panel, horizon, probabilities[:1])

    for forecaster, message in ((late, "asked for 12 months after"), (short, "other quantiles")):
        with pytest.raises(BadForecast, match=message):
            backtest(tiny_panel, forecaster, origins(tiny_panel, 1, 1, 12), 12, PROBABILITIES)


def test_hospital_seasonal_naive_as_published(shared_data: Path) -> None:
    columns = HistoryColumns(("unique_id",), "ds", "y")
    panel = read_history(shared_data / "hospital" / "monthly.parquet", columns, [("unique_id",)]).panel
    tenths = tuple(round(0.1 * step, 1) for step in range(1, 10))
    table = backtest(panel, last_year, origins(panel, 1, 12, 12), 12, tenths).table()
    (row,) = table.filter(lead="all", origin="all").to_dicts()
    assert round(row["mase"], 4) == 0.9205
    assert round(row["wql"], 4) == 0.0726


def test_tourism_seasonal_naive_as_published(shared_data: Path) -> None:
    columns = HistoryColumns(("state", "zone", "region", "purpose"), "ds", "y")
    levels = [parse_level(level) for level in TOURISM.split(";")]
    panel = read_history(shared_data / "tourism_large" / "bottom.parquet", columns, levels).panel
    table = backtest(panel, last_year, origins(panel, 1, 12, 12), 12, CRPS_GRID).table()
    crps = table.filter(lead="all", origin="all")["wql"].to_numpy()
    published = [0.0385, 0.0984, 0.1818, 0.2582, 0.0810, 0.1742, 0.3103, 0.4285]
    np.testing.assert_allclose(crps, published, atol=5.1e-5)
    assert round(float(crps.mean()), 4) == 0.1964
