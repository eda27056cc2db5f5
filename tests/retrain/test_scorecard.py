"""The scorecard by hand on four leaves, and against the backtest on the same forecasts."""

import numpy as np
import polars as pl
import pytest

from app.store.past import as_past
from forecasting.backtest import backtest
from forecasting.forecast import Forecast
from forecasting.forecaster import fit
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.recipes import shipped_recipes
from retrain.scorecard import score_runs, what_came

PROBABILITIES = (0.1, 0.5, 0.9)


def test_by_hand() -> None:
    """Two organizations; a leaf that the run did not have, one that the snapshot does not have any more."""
    levels = [(), ("organization",), ("organization", "material")]
    keys = ("organization", "material")

    def tree(*leaves: tuple[str, str]) -> Hierarchy:
        return Hierarchy.of(
            keys, levels, pl.DataFrame(leaves, schema=dict.fromkeys(keys, pl.String), orient="row")
        )

    then = tree(("NORD", "COIL"), ("NORD", "PLATE"), ("WEST", "PIPE"))
    now = tree(("NORD", "COIL"), ("NORD", "PLATE"), ("WEST", "COIL"))
    leaves = np.array([[10.0], [20.0], [6.0]])
    quantiles = np.stack([then.aggregate(leaves * share) for share in (0.5, 1.0, 1.25)])
    said = Forecast(then, Month(2026, 10), then.aggregate(leaves), PROBABILITIES, quantiles)
    # Three months of history and the one that came: COIL 14, PLATE 20, and 5 of a leaf born just then.
    quantity = np.array([[9.0, 9, 9, 14], [21, 21, 21, 20], [0, 0, 0, 5]])
    panel = DemandPanel(now, Month(2026, 7), quantity, np.array([0, 0, 3]))
    total, organizations, bottom = score_runs(what_came(panel), [as_past(said, panel.hierarchy, "r")])

    assert (total.level, total.month, total.lead) == ((), Month(2026, 10), 1)
    assert (total.nodes, total.new_nodes, total.gone_nodes) == (1, 0, 0)
    assert (total.actual, total.error, total.absolute_error) == (39.0, -3.0, 3.0)
    # The last value stands for the seasonal naive while there is no year of history: 30 of 39.
    assert total.seasonal_error == 9.0
    assert total.within == 1

    # NORD 34 against 30, WEST 5 against 6.
    assert (organizations.nodes, organizations.absolute_error, organizations.error) == (2, 5.0, -3.0)

    # COIL 4, PLATE 0, all 6 of WEST PIPE that is gone, all 5 of WEST COIL that is new.
    assert (bottom.nodes, bottom.new_nodes, bottom.gone_nodes) == (4, 1, 1)
    assert (bottom.actual, bottom.demand) == (39.0, 39.0)
    assert (bottom.absolute_error, bottom.error) == (15.0, -3.0)
    assert bottom.seasonal_error == 5.0 + 1.0 + 0.0 + 5.0
    # COIL 14 is above 12.5, PLATE within, 0 is below 3, 5 is above 0.
    assert bottom.within == 1
    # At p10: 0.1 x (14-5) + 0.1 x (20-10) + 0.9 x 3 + 0.1 x 5.
    assert bottom.pinball[0] == pytest.approx(0.9 + 1.0 + 2.7 + 0.5)
    assert bottom.pinball[1] == pytest.approx(15.0 / 2)


def test_months_that_did_not_come_and_quantiles_that_are_not_there(tiny_panel: DemandPanel) -> None:
    recipe = shipped_recipes().pick("seasonal-naive")
    forecast = fit(recipe, tiny_panel.until(Month(2026, 9)), 4).forecast(())
    scores = score_runs(what_came(tiny_panel), [as_past(forecast, tiny_panel.hierarchy, "r")])
    assert {each.month for each in scores} == {Month(2026, 10)}
    assert {each.within for each in scores} == {None}
    assert {each.pinball for each in scores} == {()}


def test_as_the_backtest_scores_the_same_forecasts(tiny_panel: DemandPanel) -> None:
    recipe = shipped_recipes().pick("theta")
    horizon, made = 3, []

    def forecaster(known: DemandPanel, months: int, asked: tuple[float, ...]) -> Forecast:
        made.append(fit(recipe, known, months).forecast(asked))
        return made[-1]

    # The late leaf is born after the first two origins, so that nodes are new in both.
    origins = [Month(2025, 5), Month(2025, 6), Month(2025, 7), Month(2026, 7)]
    sums = backtest(tiny_panel, forecaster, origins, horizon, PROBABILITIES).sums
    came = what_came(tiny_panel)
    for at, forecast in enumerate(made):
        for each in score_runs(came, [as_past(forecast, tiny_panel.hierarchy, "r")]):
            place = (at, tiny_panel.hierarchy.levels.index(each.level), each.lead - 1)
            assert each.nodes == sums.cells[place]
            assert each.demand == pytest.approx(sums.abs_actual[place])
            assert each.error == pytest.approx(sums.error[place])
            assert each.absolute_error == pytest.approx(sums.abs_error[place])
            assert each.seasonal_error == pytest.approx(sums.seasonal_error[place])
            assert each.within == sums.inside[place]
            assert each.pinball == pytest.approx(sums.pinball[place])
    assert any(each.new_nodes for each in score_runs(came, [as_past(made[0], tiny_panel.hierarchy, "r")]))


def test_history_that_begins_after_the_run_has_no_yardstick(tiny_panel: DemandPanel) -> None:
    forecast = fit(shipped_recipes().pick("theta"), tiny_panel.until(Month(2026, 9)), 1).forecast(())
    late = DemandPanel(
        tiny_panel.hierarchy, Month(2026, 10), tiny_panel.quantity[:, -1:], np.zeros(4, dtype=np.int64)
    )
    scores = score_runs(what_came(late), [as_past(forecast, late.hierarchy, "r")])
    assert all(np.isnan(each.seasonal_error) for each in scores)
    assert all(np.isfinite(each.absolute_error) for each in scores)


def test_classes_and_scales_by_hand() -> None:
    """Two years known at the origin: an even leaf, a lumpy, a silent one; 80, 15 and 5 of the last 100 t."""
    keys = ("material",)
    names = ["EVEN", "LUMPY", "NEW", "SILENT", "SMALL"]
    tree = Hierarchy.of(keys, [(), keys], pl.DataFrame({"material": names}))
    quantity = np.zeros((5, 25))
    quantity[0, :24] = np.repeat([40.0, 80.0], 12) / 12
    quantity[1, [0, 6, 18]] = [1.0, 29.0, 15.0]
    quantity[4, 12:24] = 5.0 / 12
    # What came: nothing of it may move a node to another class.
    quantity[:, 24] = [10.0, 0.0, 7.0, 0.0, 1000.0]
    panel = DemandPanel(tree, Month(2024, 10), quantity, np.array([0, 0, 24, 0, 12]))
    said_of = np.array([4.0, 2.0, 0.0, 0.0, 1.0])
    known = panel.until(Month(2026, 9))
    assert known.hierarchy.leaves["material"].to_list() == ["EVEN", "LUMPY", "SILENT", "SMALL"]
    mean = known.hierarchy.aggregate(said_of[[0, 1, 3, 4], None])
    said = Forecast(known.hierarchy, Month(2026, 10), mean, PROBABILITIES, np.stack([mean] * 3))
    total, leaves = score_runs(what_came(panel), [as_past(said, tree, "r")])

    parts = {(each.demand_class, each.abc): each for each in leaves.classes}
    assert {place: each.nodes for place, each in parts.items()} == {
        ("smooth", "A"): 1, ("lumpy", "B"): 1, ("smooth", "C"): 1, ("silent", "C"): 2,
    }  # fmt: skip
    assert parts["smooth", "A"].absolute_error == 6.0
    assert parts["lumpy", "B"].error == 2.0
    assert (parts["silent", "C"].demand, parts["silent", "C"].absolute_error) == (7.0, 7.0)
    assert (parts["smooth", "C"].demand, parts["smooth", "C"].within) == (1000.0, 0)
    # The even leaf differs by 40/12 from each month of the year before, the lumpy one by 1 and by 14, once.
    assert parts["smooth", "A"].scaled_error == pytest.approx(6 / (40 / 12))
    assert parts["lumpy", "B"].scaled_error == pytest.approx(2 / ((1 + 14) / 12))
    # Neither the one that never bought nor those born less than a year before have a scale.
    assert (parts["silent", "C"].scaled_nodes, parts["smooth", "C"].scaled_nodes) == (0, 0)
    assert leaves.scaled_nodes == 2
    for field in ("nodes", "demand", "error", "absolute_error", "seasonal_error", "within", "scaled_error"):
        whole = sum(getattr(each, field) for each in leaves.classes)
        assert whole == pytest.approx(getattr(leaves, field)), field
    assert [(each.demand_class, each.abc, each.nodes) for each in total.classes] == [("erratic", "A", 1)]


def test_classes_do_not_know_the_unit(tiny_panel: DemandPanel) -> None:
    """In kilograms every node is in the class that it is in by tonnes, and is scaled alike."""
    recipe = shipped_recipes().pick("seasonal-naive")
    found = []
    for unit in (1.0, 1000.0):
        panel = DemandPanel(
            tiny_panel.hierarchy, tiny_panel.first, unit * tiny_panel.quantity, tiny_panel.born
        )
        forecast = fit(recipe, panel.until(Month(2026, 9)), 1).forecast(PROBABILITIES)
        scores = score_runs(what_came(panel), [as_past(forecast, panel.hierarchy, "r")])
        found.append([part for each in scores for part in each.classes])
    assert len(found[0]) == len(found[1]) > 4
    for one, other in zip(*found, strict=True):
        assert (one.demand_class, one.abc, one.nodes, one.within) == (
            other.demand_class, other.abc, other.nodes, other.within,
        )  # fmt: skip
        assert other.demand == pytest.approx(1000 * one.demand)
        assert other.scaled_error == pytest.approx(one.scaled_error)
