"""What the guard refuses, by hand on nine nodes: reasons name the node, the month, both values, the bound."""

import tomllib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.errors import BadPlan
from retrain.guard import Guarded, guard, reasons_to_refuse
from retrain.jumps import Bound, Bounds, Shown, jumps, last_year, parse_bounds, shown_by

NOVEMBER = Month(2026, 11)
TOTAL = ((), ())
NORD = (("organization",), ("NORD",))
WEST = (("organization",), ("WEST",))


def forecast_of(hierarchy: Hierarchy, leaves: list[list[float]], first: Month = NOVEMBER) -> Forecast:
    mean = hierarchy.aggregate(np.array(leaves, float))
    return Forecast(hierarchy, first, mean, (0.1, 0.9), np.stack([mean * 0.5, mean * 2]))


@pytest.fixture
def forecast(tiny: Hierarchy) -> Forecast:
    return forecast_of(tiny, [[10.0, 20], [30, 40], [50, 60], [70, 80]])


@pytest.fixture
def panel(tiny: Hierarchy) -> DemandPanel:
    """Two years in which every leaf bought as much in every month as is forecast for November."""
    quantity = np.repeat(np.array([[10.0], [30], [50], [70]]), 24, axis=1)
    return DemandPanel(tiny, Month(2024, 11), quantity, np.zeros(4, np.int64))


def test_a_sound_forecast_is_shown(forecast: Forecast, panel: DemandPanel) -> None:
    assert reasons_to_refuse(forecast) == []
    assert reasons_to_refuse(forecast, panel, 2, shown_by(forecast), Bounds()) == []


def test_a_mean_beyond_the_outer_quantiles_is_no_reason(forecast: Forecast) -> None:
    forecast.mean[:] *= 3
    assert reasons_to_refuse(forecast) == []


def spoil_mean(row: int, lead: int, value: float) -> Callable[[Forecast], None]:
    def spoil(forecast: Forecast) -> None:
        forecast.mean[row, lead] = value

    return spoil


def spoil_quantile(which: int, row: int, lead: int, value: float) -> Callable[[Forecast], None]:
    def spoil(forecast: Forecast) -> None:
        forecast.quantiles[which, row, lead] = value

    return spoil


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            spoil_mean(8, 1, np.nan),
            "the mean of organization,material WEST, PLATE in 2026-12 is nan; 1 value is not finite",
        ),
        (
            spoil_quantile(1, 0, 0, np.inf),
            "the quantile 0.9 of total in 2026-11 is inf; 1 value is not finite",
        ),
        (
            spoil_quantile(0, 1, 0, -1.0),
            "the quantile 0.1 of organization NORD in 2026-11 is -1; 1 value is negative",
        ),
        (
            spoil_quantile(0, 2, 1, 300.0),
            "quantiles of organization WEST in 2026-12 are out of order: the quantile 0.1 is 300, "
            "the quantile 0.9 is 280; 1 value is out of order",
        ),
        (
            spoil_mean(0, 0, 160.001),
            "leaves do not add up to their nodes: total in 2026-11 is 160.001, its leaves sum to 160, "
            "a relative gap of 6.2e-06 where 1e-06 is allowed",
        ),
        (
            spoil_mean(5, 0, 0.0),
            "leaves do not add up to their nodes: organization NORD in 2026-11 is 40, its leaves sum to 30, "
            "a relative gap of 2.5e-01 where 1e-06 is allowed",
        ),
    ],
)
def test_numbers_that_cannot_be(forecast: Forecast, spoil: Callable[[Forecast], None], reason: str) -> None:
    """`Forecast` refuses most of them when it is made; arrays can change afterwards."""
    spoil(forecast)
    assert reason in reasons_to_refuse(forecast)


def test_gaps_below_the_limit_are_rounding(forecast: Forecast) -> None:
    forecast.mean[0, 0] *= 1 + 0.9e-6
    assert reasons_to_refuse(forecast) == []


def test_months_that_are_missing(tiny: Hierarchy, forecast: Forecast, panel: DemandPanel) -> None:
    assert reasons_to_refuse(forecast, panel, 3) == ["it has 2 months ahead, 3 were asked for"]
    late = forecast_of(tiny, [[10.0], [30], [50], [70]], NOVEMBER + 1)
    assert reasons_to_refuse(late, panel, 1) == ["it begins in 2026-12, and history ends in 2026-10"]


def test_nodes_that_are_missing(tiny: Hierarchy, panel: DemandPanel) -> None:
    """Without the WEST leaves: WEST itself and its two pairs are gone, and the total fell."""
    half = tiny.keep(np.array([True, True, False, False]))
    (gap, *falls) = reasons_to_refuse(forecast_of(half, [[10.0, 20], [30, 40]]), panel, 2)
    assert gap == (
        "it lacks 3 of 9 nodes of the history: organization WEST; organization,material WEST, COIL; "
        "organization,material WEST, PLATE"
    )
    assert [fall.split(" in ")[0] for fall in falls] == ["total"]


def test_more_nodes_than_can_be_named(panel: DemandPanel, tiny: Hierarchy) -> None:
    one = tiny.keep(np.array([True, False, False, False]))
    (gap, *_) = reasons_to_refuse(forecast_of(one, [[10.0, 20]]), panel, 2)
    assert gap.startswith("it lacks 5 of 9 nodes of the history: organization WEST; ")
    assert gap.endswith(" and 2 more")


RUN = Bound(0.5, "in the last published run", "guard.max_jump_run")


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ({TOTAL: {NOVEMBER: 160.0 / 1.5}}, []),
        ({TOTAL: {NOVEMBER: 160.0 * 1.5}}, []),
        (
            {TOTAL: {NOVEMBER: 100.0}},
            [
                "total in 2026-11 is 160.0, in the last published run 100.0: more than 1.5 times apart "
                "(guard.max_jump_run = 0.5)"
            ],
        ),
        (
            {TOTAL: {NOVEMBER: 70.0, NOVEMBER + 1: 600.0}},
            [
                "total in 2026-12 is 200.0, in the last published run 600.0: "
                "more than 1.5 times apart (guard.max_jump_run = 0.5), and so is 1 other month"
            ],
        ),
        # Below the total a single order makes a jump of any size.
        ({NORD: {NOVEMBER: 70.0, NOVEMBER + 1: 600.0}, WEST: {NOVEMBER: 1200.0}}, []),
        # A month that was not forecast then, and a level that nobody asks about, say nothing.
        ({TOTAL: {NOVEMBER + 2: 1.0}}, []),
        ({(("material",), ("TUBE",)): {NOVEMBER: 100.0}}, []),
    ],
)
def test_jumps(forecast: Forecast, before: Shown, found: list[str]) -> None:
    """The total is 160 and 200."""
    assert list(jumps(forecast, before, RUN)) == found


def test_last_year_is_what_was_bought_twelve_months_before(tiny: Hierarchy, panel: DemandPanel) -> None:
    quantity = panel.quantity.copy()
    quantity[:, 12] = [1, 2, 3, 4]
    quantity[2:, :20] = 0
    late = replace(panel, quantity=quantity, born=np.array([0, 0, 20, 20]))
    said = last_year(late)
    assert said[TOTAL][NOVEMBER] == 3
    assert (min(said[TOTAL]), max(said[TOTAL])) == (NOVEMBER, NOVEMBER + 11)


def test_a_jump_against_last_year(forecast: Forecast, panel: DemandPanel) -> None:
    less = replace(panel, quantity=panel.quantity * 0.4)
    first, *others = reasons_to_refuse(forecast, less, 2)
    assert first == (
        "total in 2026-12 is 200.0, a year before 64.0: more than 2 times apart "
        "(guard.max_jump_year = 1), and so is 1 other month"
    )
    assert others == []
    assert reasons_to_refuse(forecast, less, 2, None, Bounds(max_jump_year=3.0)) == []


def test_a_history_without_a_total_still_has_a_top(tiny: Hierarchy) -> None:
    levels = (("material",), ("organization", "material"))
    hierarchy = Hierarchy.of(tiny.keys, levels, tiny.leaves)
    said = shown_by(forecast_of(hierarchy, [[1.0], [2], [3], [4]]))
    assert said == {(("material",), ("COIL",)): {NOVEMBER: 4.0}, (("material",), ("PLATE",)): {NOVEMBER: 6.0}}


def test_a_total_of_a_single_leaf() -> None:
    hierarchy = Hierarchy.of(["a"], [()], pl.DataFrame({"a": ["x"]}))
    assert reasons_to_refuse(forecast_of(hierarchy, [[1.0]])) == []


@given(
    new=st.floats(0, 1e6), old=st.floats(0, 1e6), most=st.floats(0.01, 10), unit=st.sampled_from([1e-3, 1e3])
)
def test_a_fall_is_as_bad_as_the_rise_and_units_do_not_matter(
    new: float, old: float, most: float, unit: float
) -> None:
    def found(now: float, then: float) -> bool:
        hierarchy = Hierarchy.of(["a"], [()], pl.DataFrame({"a": ["x"]}))
        return bool(
            list(jumps(forecast_of(hierarchy, [[now]]), {TOTAL: {NOVEMBER: then}}, replace(RUN, most=most)))
        )

    assert found(new * unit, old * unit) == found(new, old) or np.isclose(
        max(new, old), (1 + most) * min(new, old)
    )
    if min(new, old) > 0.02 * max(new, old):
        assert found(new, old) == found(old, new)


def test_a_run_that_is_accepted_is_shown_and_keeps_the_reason(forecast: Forecast, panel: DemandPanel) -> None:
    less = replace(panel, quantity=panel.quantity * 0.4)
    refused = guard(forecast, less, 2, None, Bounds())
    assert (refused.shown, len(refused.reasons), refused.accepted) == (False, 1, None)
    assert not guard(forecast, less, 2, None, Bounds(), accept="  ").shown
    accepted = guard(forecast, less, 2, None, Bounds(), accept=" a new plant ")
    assert (accepted.shown, accepted.reasons, accepted.accepted) == (True, refused.reasons, "a new plant")
    assert guard(forecast, panel, 2, None, Bounds(), accept="a new plant") == Guarded(())


def test_bounds_in_the_configuration() -> None:
    assert parse_bounds({}) == Bounds(0.5, 1.0)
    assert parse_bounds(tomllib.loads("[guard]\nmax_jump_run = 2\nmax_jump_year = 0.25")) == Bounds(2.0, 0.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[guard]\nmax_jump_run = 0", "guard.max_jump_run = 0: write a share above 0 and up to 100"),
        ("[guard]\nmax_jump_year = true", "guard.max_jump_year = True: write a share"),
        ("[guard]\nmax_jump_year = inf", "guard.max_jump_year = inf: write a share"),
        ("[guard]\nmax = 1", "guard.max = 1: unknown setting; there are max_jump_run, max_jump_year"),
        ("guard = 1", "guard = 1: write it as a table"),
    ],
)
def test_bounds_that_make_no_sense(text: str, message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        parse_bounds(tomllib.loads(text))
