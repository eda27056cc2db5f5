"""Contests on the tiny panel: losses by hand, the yardstick always there, failures told and never fatal."""

import numpy as np
import pytest

from forecasting.backtest import origins
from forecasting.forecast import Forecast
from forecasting.metrics import pinball
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from retrain.contest import Progress, contest_origins, fit_and_forecast, hold_contest, yardstick
from retrain.policy import Policy
from retrain.recipes import shipped_recipes
from retrain.verdict import judge

TEN = Recipe("ten", ("theta",), calendar=False, learned=False)
TWENTY = Recipe("twenty", ("smoothing",), calendar=False, learned=False)
BROKEN = Recipe("broken", ("theta", "smoothing"), calendar=False, learned=False)
PROBABILITIES = (0.1, 0.5, 0.9)


def constant(recipe: Recipe, panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]) -> Forecast:
    """Ten or twenty tonnes for every leaf and month; the broken recipe cannot see 2025."""
    if recipe == BROKEN and panel.origin.year == 2025:
        raise ZeroDivisionError("no 2025")
    leaf = 20.0 if recipe == TWENTY else 10.0
    mean = panel.hierarchy.aggregate(np.full((panel.hierarchy.n_leaves, horizon), leaf))
    quantiles = mean * (np.array(probabilities) + 0.5)[:, None, None]
    return Forecast(panel.hierarchy, panel.origin + 1, mean, probabilities, quantiles)


def test_losses_are_summed_over_the_nodes_of_a_level(tiny_panel: DemandPanel) -> None:
    asked = origins(tiny_panel, 3, 2, 6)
    contest = hold_contest([TEN, TWENTY], tiny_panel, 6, asked, PROBABILITIES, forecast=constant)
    assert contest.levels == tiny_panel.hierarchy.levels
    assert [entry.recipe for entry in contest.entries] == [TEN, TWENTY, yardstick()]
    losses = contest.entry(TWENTY).losses
    assert losses is not None
    assert losses.absolute.shape == losses.pinball.shape == contest.demand.shape == (3, 4, 6)
    for place, origin in enumerate(asked):
        start = origin - tiny_panel.first + 1
        actual = tiny_panel.quantity[:, start : start + 6]
        assert contest.demand[place, 3] == pytest.approx(actual.sum(axis=0))
        assert losses.absolute[place, 3] == pytest.approx(np.abs(actual - 20).sum(axis=0))
        assert losses.absolute[place, 0] == pytest.approx(np.abs(actual.sum(axis=0) - 80))
        by_hand = np.mean(
            [2 * pinball(actual, np.full((4, 6), 20 * (p + 0.5)), p) for p in PROBABILITIES], axis=0
        )
        assert losses.pinball[place, 3] == pytest.approx(by_hand.sum(axis=0))


def test_only_the_levels_asked_for(tiny_panel: DemandPanel) -> None:
    asked = origins(tiny_panel, 2, 1, 6)
    contest = hold_contest(
        [TEN], tiny_panel, 6, asked, PROBABILITIES, levels=[("material",)], forecast=constant
    )
    assert contest.levels == (("material",),)
    assert contest.demand.shape == (2, 1, 6)


def test_a_recipe_takes_part_once_and_the_yardstick_too(tiny_panel: DemandPanel) -> None:
    asked = origins(tiny_panel, 2, 1, 6)
    seen: list[Progress] = []
    contest = hold_contest(
        [yardstick(), TEN, TEN], tiny_panel, 6, asked, (), forecast=constant, on_progress=seen.append
    )
    assert [entry.recipe for entry in contest.entries] == [yardstick(), TEN]
    assert [(each.recipe, each.origin, each.done, each.total) for each in seen] == [
        ("seasonal-naive", Month(2026, 3), 0, 4),
        ("seasonal-naive", Month(2026, 4), 1, 4),
        ("ten", Month(2026, 3), 2, 4),
        ("ten", Month(2026, 4), 3, 4),
    ]
    losses = contest.entry(TEN).losses
    assert losses is not None
    assert not losses.pinball.any()


def test_who_fails_on_any_fold_has_no_losses_and_stops_nobody(tiny_panel: DemandPanel) -> None:
    asked = origins(tiny_panel, 6, 1, 6)
    contest = hold_contest([BROKEN, TEN], tiny_panel, 6, asked, PROBABILITIES, forecast=constant)
    broken = contest.entry(BROKEN)
    assert broken.losses is None
    assert broken.failure == "from 2025-11: ZeroDivisionError: no 2025"
    assert contest.entry(TEN).losses is not None
    assert contest.demand.sum() > 0


def test_numbers_that_are_not_finite_are_a_failure(tiny_panel: DemandPanel) -> None:
    def without_number(
        recipe: Recipe, panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]
    ) -> Forecast:
        forecast = constant(recipe, panel, horizon, probabilities)
        if recipe == TEN:
            forecast.mean[0, 0] = forecast.quantiles[0, 0, 0] = np.inf
            return Forecast(
                forecast.hierarchy, forecast.first, forecast.mean, probabilities, forecast.quantiles
            )
        forecast.quantiles[1, 2, 0] = np.inf  # after `Forecast` has looked
        return forecast

    asked = origins(tiny_panel, 2, 1, 6)
    contest = hold_contest([TEN, TWENTY], tiny_panel, 6, asked, PROBABILITIES, forecast=without_number)
    assert contest.entry(TEN).failure == (
        "from 2026-03: BadForecast: the forecast holds NaN or infinite values"
    )
    assert contest.entry(TWENTY).failure == "from 2026-03: its losses are not finite"


def test_what_progress_raises_is_no_recipes_fault(tiny_panel: DemandPanel) -> None:
    def lost(progress: Progress) -> None:
        raise TimeoutError("the lease is lost")

    with pytest.raises(TimeoutError):
        hold_contest(
            [TEN], tiny_panel, 6, origins(tiny_panel, 2, 1, 6), (), forecast=constant, on_progress=lost
        )


def test_as_many_origins_as_history_has_room_for(tiny_panel: DemandPanel) -> None:
    assert contest_origins(tiny_panel, 24, 1, 12) == origins(tiny_panel, 12, 1, 12)
    assert contest_origins(tiny_panel, 3, 1, 12) == origins(tiny_panel, 3, 1, 12)
    assert contest_origins(tiny_panel, 24, 1, 30) == ()


def test_without_any_origin_nobody_is_compared(tiny_panel: DemandPanel) -> None:
    contest = hold_contest([TEN, TWENTY], tiny_panel, 30, (), PROBABILITIES, forecast=constant)
    assert [entry.losses for entry in contest.entries] == [None] * 3
    assert contest.entry(TEN).failure == "none of the 36 months of history has room for a past origin"
    assert judge(contest, TEN, Policy((TWENTY,))).winner == TEN


def test_who_took_no_part_has_no_losses(tiny_panel: DemandPanel) -> None:
    contest = hold_contest([TEN], tiny_panel, 30, (), (), forecast=constant)
    assert contest.entry(TWENTY).failure == "it took no part"


def test_recipes_that_ship_hold_a_contest(tiny_panel: DemandPanel) -> None:
    """The yardstick's absolute errors are those that a backtest counts for the seasonal naive."""
    theta = shipped_recipes().pick("theta")
    asked = contest_origins(tiny_panel, 12, 1, 12)
    contest = hold_contest([theta], tiny_panel, 12, asked, PROBABILITIES)
    last_year = contest.entry(yardstick()).losses
    assert last_year is not None
    known = tiny_panel.until(asked[0])
    said = fit_and_forecast(yardstick(), known, 12, (0.5,)).quantiles[0, 0]
    came = tiny_panel.nodes()[0, known.n_months : known.n_months + 12]
    assert last_year.absolute[0, 0] == pytest.approx(np.abs(said - came))
    verdict = judge(contest, yardstick(), Policy((theta,)))
    assert [each.recipe for each in verdict.comparisons] == [theta]
