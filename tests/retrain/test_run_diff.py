"""Why two runs differ: each cause alone, all of them together, adding up whatever the numbers are."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.arrays import Floats
from forecasting.checksum import panel_checksum
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from retrain.errors import NothingToCompare
from retrain.plan import Plan
from retrain.run_diff import CAUSES, ROUNDING, RunDiff, Said, Side, explain

KEYS = ("organization", "material")
LEVELS: tuple[Level, ...] = ((), ("organization",), ("material",), KEYS)
TEN = Recipe("ten", ("theta",), calendar=False, learned=False)
FIVE = Recipe("five", ("smoothing",), calendar=False, learned=False)
PLAN = Plan(KEYS, LEVELS, 4, (), TEN)
FIRST = Month(2026, 1)


def panel_of(rows: dict[tuple[str, str], Sequence[float]], levels: Sequence[Level] = LEVELS) -> DemandPanel:
    """A panel from 2026-01 of leaves (organization, material); each is born with its first tonne."""
    leaves = pl.DataFrame(list(rows), schema=dict.fromkeys(KEYS, pl.String), orient="row")
    hierarchy = Hierarchy.of(KEYS, levels, leaves)
    quantity = np.array([rows[leaf] for leaf in hierarchy.leaves.rows()], dtype=float)
    return DemandPanel(hierarchy, FIRST, quantity, (quantity != 0).argmax(axis=1))


def mean_of_leaves(plan: Plan, panel: DemandPanel) -> Forecast:
    """The mean of all months of a leaf, and 10 or 5 more in each month ahead, by the recipe."""
    ahead = np.arange(plan.horizon) * (10.0 if plan.recipe == TEN else 5.0)
    return forecast_of(panel, panel.quantity.mean(axis=1)[:, None] + ahead)


def forecast_of(panel: DemandPanel, leaves: Floats) -> Forecast:
    mean = panel.hierarchy.aggregate(leaves)
    return Forecast(panel.hierarchy, panel.origin + 1, mean, (), np.empty((0, *mean.shape)))


def side_of(plan: Plan, panel: DemandPanel, refit: Callable[[Plan, DemandPanel], Forecast]) -> Side:
    """A run that published what its panel gives."""

    def rebuilt(asked: Plan) -> DemandPanel:
        hierarchy = Hierarchy.of(asked.keys, asked.levels, panel.hierarchy.leaves)
        return DemandPanel(hierarchy, panel.first, panel.quantity, panel.born)

    return Side(plan, Said.by(refit(plan, rebuilt(plan))), rebuilt)


def by_cause(diff: RunDiff, level: str = "total") -> dict[str, list[float]]:
    """The causes that move anything at the nodes of a level, over nodes and months."""
    part = (diff.nodes["level"] == level).to_numpy()
    return {
        cause: values[part].ravel().tolist()
        for cause, values in zip(CAUSES, diff.causes, strict=True)
        if values[part].any()
    }


OLD = {("NORD", "HEB"): [4, 8], ("WEST", "HEB"): [6, 6]}


def test_nothing_changed() -> None:
    side = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    diff = explain(side, side, mean_of_leaves)
    assert diff.months == tuple(FIRST + at for at in (2, 3, 4, 5))
    assert not diff.change.any() and not diff.causes.any()


def test_changed_history_alone() -> None:
    """NORD's first month was 4 t and is 10 t now: 3 t more in the mean."""
    before = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    after = side_of(PLAN, panel_of({**OLD, ("NORD", "HEB"): [10, 8]}), mean_of_leaves)
    diff = explain(before, after, mean_of_leaves)
    assert by_cause(diff) == {"history": [3.0] * 4}
    assert by_cause(diff, "organization") == {"history": [3.0] * 4 + [0.0] * 4}


def test_new_actuals_alone_over_the_months_in_common() -> None:
    """A third month of 18 t: NORD's mean goes from 6 to 10, and each month is one nearer: 10 t less."""
    before = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    after = side_of(PLAN, panel_of({("NORD", "HEB"): [4, 8, 18], ("WEST", "HEB"): [6, 6, 6]}), mean_of_leaves)
    diff = explain(before, after, mean_of_leaves)
    assert diff.months == tuple(FIRST + at for at in (3, 4, 5))
    assert by_cause(diff, "organization") == {"actuals": [-6.0] * 3 + [-10.0] * 3}
    back = explain(after, before, mean_of_leaves)
    assert back.months == diff.months
    assert np.array_equal(back.causes, -diff.causes) and np.array_equal(back.before, diff.after)


def test_another_recipe_alone() -> None:
    before = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    after = side_of(replace(PLAN, recipe=FIVE), panel_of(OLD), mean_of_leaves)
    assert by_cause(explain(before, after, mean_of_leaves)) == {"recipe": [0.0, -10.0, -20.0, -30.0]}


def test_another_plan_is_a_cause_of_its_own_and_only_common_levels_are_compared() -> None:
    """With leaves of materials alone one leaf is left of two, and the 10 t a month come once."""

    def by_material(plan: Plan, panel: DemandPanel) -> Forecast:
        return mean_of_leaves(plan, panel)

    coarse = replace(PLAN, keys=("material",), levels=((), ("material",)))

    def rebuilt(plan: Plan) -> DemandPanel:
        whole = panel_of(OLD)
        if plan.keys == KEYS:
            return whole
        hierarchy = Hierarchy.of(plan.keys, plan.levels, whole.hierarchy.leaves.select("material"))
        return DemandPanel(hierarchy, FIRST, whole.quantity.sum(axis=0, keepdims=True), np.array([0]))

    before = Side(PLAN, Said.by(mean_of_leaves(PLAN, rebuilt(PLAN))), rebuilt)
    after = Side(coarse, Said.by(mean_of_leaves(coarse, rebuilt(coarse))), rebuilt)
    diff = explain(before, after, by_material)
    assert diff.nodes["level"].to_list() == ["total", "material"]
    assert by_cause(diff) == {"plan": [0.0, -10.0, -20.0, -30.0]}


def test_what_the_code_of_now_does_not_come_to_is_told_apart() -> None:
    def of_old(plan: Plan, panel: DemandPanel) -> Forecast:
        return forecast_of(panel, np.full((panel.hierarchy.n_leaves, plan.horizon), 1.0))

    before = side_of(PLAN, panel_of(OLD), of_old)
    after = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    assert by_cause(explain(before, after, mean_of_leaves)) == {"code": [10.0, 30.0, 50.0, 70.0]}


def test_a_node_that_one_run_lacks_counts_zero() -> None:
    """A customer of the new months is new actuals; one whose lines were deleted is changed history."""
    before = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    new = {("NORD", "HEB"): [4, 8, 6], ("OST", "HEB"): [0, 0, 9]}
    diff = explain(before, side_of(PLAN, panel_of(new), mean_of_leaves), mean_of_leaves)
    organizations = diff.nodes.filter(pl.col("level") == "organization")["organization"].to_list()
    assert sorted(organizations) == ["NORD", "OST", "WEST"]
    for cause, name, expected in (
        ("history", "WEST", [-16.0, -26.0, -36.0]),
        ("actuals", "OST", [3.0, 13.0, 23.0]),
    ):
        row = (diff.nodes["level"] == "organization") & (diff.nodes["organization"] == name)
        assert diff.causes[CAUSES.index(cause), row.to_numpy()].ravel().tolist() == expected  # type: ignore[arg-type]


def test_each_model_is_fitted_once() -> None:
    asked: list[tuple[str, str]] = []

    def counting(plan: Plan, panel: DemandPanel) -> Forecast:
        asked.append((plan.key, panel_checksum(panel)))
        return mean_of_leaves(plan, panel)

    side = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    explain(side, side, counting)
    assert len(asked) == 1
    explain(side, side_of(replace(PLAN, recipe=FIVE), panel_of(OLD), mean_of_leaves), counting)
    assert len(asked) == len(set(asked)) + 1 == 3


def test_runs_without_a_common_month_or_level_are_refused() -> None:
    side = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    far = side_of(PLAN, panel_of({("NORD", "HEB"): [4, 8, 5, 5, 5, 5]}), mean_of_leaves)
    with pytest.raises(NothingToCompare, match="2026-03 to 2026-06, the other 2026-07 to 2026-10"):
        explain(side, far, mean_of_leaves)
    other = replace(side, said=replace(side.said, nodes=side.said.nodes.with_columns(level=pl.lit("x"))))
    with pytest.raises(NothingToCompare, match="no level in common"):
        explain(side, other, mean_of_leaves)


def drawn(plan: Plan, panel: DemandPanel) -> Forecast:
    """Any numbers, of any size, that follow from plan and panel alone."""
    digest = hashlib.sha256(f"{plan.key} {panel_checksum(panel)}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(digest[:8]))
    return forecast_of(panel, random.lognormal(0, 8, (panel.hierarchy.n_leaves, plan.horizon)))


@st.composite
def panels(draw: st.DrawFn, months: int) -> DemandPanel:
    leaves = draw(
        st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("XYZ")), min_size=1, unique=True)
    )
    tonnes = st.lists(st.integers(0, 9).map(float), min_size=months - 1, max_size=months - 1)
    return panel_of({leaf: [1.0, *draw(tonnes)] for leaf in leaves})


@given(
    older=panels(3),
    newer=panels(5),
    recipes=st.tuples(st.sampled_from([TEN, FIVE]), st.sampled_from([TEN, FIVE])),
    horizons=st.tuples(st.integers(3, 5), st.integers(1, 5)),
    code_differs=st.tuples(st.booleans(), st.booleans()),
)
def test_causes_add_up_to_the_published_difference_and_over_the_hierarchy(
    older: DemandPanel,
    newer: DemandPanel,
    recipes: tuple[Recipe, Recipe],
    horizons: tuple[int, int],
    code_differs: tuple[bool, bool],
) -> None:
    plans = [replace(PLAN, recipe=each, horizon=ahead) for each, ahead in zip(recipes, horizons, strict=True)]
    made_by = [mean_of_leaves if differs else drawn for differs in code_differs]
    before, after = side_of(plans[0], older, made_by[0]), side_of(plans[1], newer, made_by[1])
    diff = explain(before, after, drawn)
    largest = max(drawn(plan, panel).mean.max() for plan in plans for panel in (older, newer))
    largest = max(largest, before.said.mean.max(), after.said.mean.max(), np.abs(diff.causes).max())
    assert np.abs(diff.causes.sum(axis=0) - diff.change).max() <= ROUNDING * largest
    if not any(code_differs):
        assert not diff.causes[CAUSES.index("code")].any()
    leaves = (diff.nodes["level"] == "organization,material").to_numpy()
    total = (diff.nodes["level"] == "total").to_numpy()
    for cause in (*diff.causes, diff.change):
        assert cause[leaves].sum(axis=0) == pytest.approx(cause[total].ravel(), abs=1e-12 * largest)


def test_what_this_very_code_published_is_not_fitted_again() -> None:
    """In a quiet month nothing is fitted; where history changed, only what would have been said with it."""
    asked: list[Month] = []

    def counted(plan: Plan, panel: DemandPanel) -> Forecast:
        asked.append(panel.origin)
        return mean_of_leaves(plan, panel)

    before = side_of(PLAN, panel_of(OLD), mean_of_leaves)
    next_month = {("NORD", "HEB"): [4, 8, 18], ("WEST", "HEB"): [6, 6, 6], ("WEST", "NEW"): [0, 0, 5]}
    after = side_of(PLAN, panel_of(next_month), mean_of_leaves)
    diff = explain(before, after, counted, trusted=[before, after])
    assert asked == []
    whole = explain(before, after, counted)
    assert asked and np.array_equal(whole.causes, diff.causes)
    asked.clear()
    changed = side_of(PLAN, panel_of({**next_month, ("NORD", "HEB"): [10, 8, 18]}), mean_of_leaves)
    diff = explain(before, changed, counted, trusted=[before, changed])
    assert asked == [FIRST + 1]
    assert np.array_equal(diff.causes, explain(before, changed, mean_of_leaves).causes)
