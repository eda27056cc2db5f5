"""Folds that are kept give the same contest, and are found again while nothing behind them has changed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.store.engine import open_engine
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from retrain.contest import Contest, Progress, contest_origins, fit_and_forecast, hold_contest, yardstick
from retrain.folds import ByRecipe, Fold, Memory
from retrain.policy import Policy
from retrain.recipes import shipped_recipes
from retrain.verdict import judge
from tonnage.serving_tables import KeptFolds

THETA = shipped_recipes().pick("theta")
PROBABILITIES = (0.1, 0.5, 0.9)


class Kept:
    """Folds in memory, and a count of what was asked and kept."""

    def __init__(self) -> None:
        self.folds: dict[str, Fold] = {}

    def find(self, key: str) -> Fold | None:
        return self.folds.get(key)

    def keep(self, key: str, recipe: str, origin: Month, fold: Fold) -> None:
        assert key not in self.folds
        self.folds[key] = fold


def like_last_month(
    recipe: Recipe, panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]
) -> Forecast:
    """Each leaf's mean of the last months: as many as the recipe's name has letters."""
    said = np.maximum(panel.quantity[:, -len(recipe.name) :].mean(axis=1), 0.0)
    mean = panel.hierarchy.aggregate(np.repeat(said[:, None], horizon, axis=1))
    quantiles = mean * (np.array(probabilities) + 0.5)[:, None, None]
    return Forecast(panel.hierarchy, panel.origin + 1, mean, probabilities, quantiles)


class Asked:
    """A forecaster that knows which recipe was asked from which origin."""

    def __init__(self, forecast: ByRecipe = like_last_month) -> None:
        self.of: list[tuple[str, Month]] = []
        self.forecast = forecast

    def __call__(
        self, recipe: Recipe, panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]
    ) -> Forecast:
        self.of.append((recipe.name, panel.origin))
        return self.forecast(recipe, panel, horizon, probabilities)


def contest(
    panel: DemandPanel,
    memory: Memory | None,
    asked: Asked | None = None,
    horizon: int = 3,
) -> Contest:
    origins = contest_origins(panel, 12, 1, horizon)
    return hold_contest(
        [THETA], panel, horizon, origins, PROBABILITIES, forecast=asked or Asked(), memory=memory
    )


def bits(contest: Contest) -> list[bytes]:
    losses = [entry.losses for entry in contest.entries]
    return [contest.demand.tobytes()] + [
        values.tobytes() for each in losses if each is not None for values in (each.absolute, each.pinball)
    ]


def with_leaf(panel: DemandPanel, name: str, quantity: list[float], born: int) -> DemandPanel:
    """The panel with one more leaf of organization WEST."""
    old = panel.hierarchy
    leaves = pl.concat([old.leaves, pl.DataFrame({"organization": ["WEST"], "material": [name]})])
    hierarchy = Hierarchy.of(old.keys, old.levels, leaves)
    at = hierarchy.leaves.with_row_index().filter(pl.col("material") == name)["index"].item()
    return DemandPanel(
        hierarchy,
        panel.first,
        np.insert(panel.quantity, at, quantity, axis=0),
        np.insert(panel.born, at, born),
    )


def a_month_later(panel: DemandPanel) -> DemandPanel:
    """The same history and one month more, in which each leaf buys 7 tonnes."""
    quantity = np.column_stack([panel.quantity, np.full(panel.hierarchy.n_leaves, 7.0)])
    return replace(panel, quantity=quantity)


def test_with_and_without_kept_folds_a_contest_is_the_same(tiny_panel: DemandPanel) -> None:
    memory = Memory(Kept(), "1")
    first = contest(tiny_panel, memory, Asked(fit_and_forecast))
    asked = Asked()
    again = contest(tiny_panel, memory, asked)
    assert asked.of == []
    assert bits(again) == bits(first) == bits(contest(tiny_panel, None, Asked(fit_and_forecast)))
    policy = Policy((THETA,))
    assert judge(again, yardstick(), policy) == judge(first, yardstick(), policy)


def test_through_the_tables_it_is_the_same_too(
    tiny_panel: DemandPanel, new_migrated: Callable[[], str]
) -> None:
    engine = open_engine(new_migrated())
    memory, asked = Memory(KeptFolds(engine), "1"), Asked()
    first = contest(tiny_panel, memory)
    assert bits(contest(tiny_panel, memory, asked)) == bits(first)
    assert asked.of == []
    engine.dispose()


def test_a_month_later_one_new_origin_per_recipe(tiny_panel: DemandPanel) -> None:
    memory = Memory(Kept(), "1")
    contest(tiny_panel, memory)
    asked, later = Asked(), a_month_later(tiny_panel)
    found = contest(later, memory, asked)
    assert asked.of == [("theta", later.origin - 3), ("seasonal-naive", later.origin - 3)]
    assert bits(found) == bits(contest(later, None))


@settings(max_examples=15)
@given(name=st.sampled_from(["A", "COIL 2", "ZINC"]), born=st.integers(0, 35), bought=st.booleans())
def test_a_leaf_that_bought_nothing_until_then_leaves_no_trace(name: str, born: int, bought: bool) -> None:
    panel = _panel()
    memory, asked = Memory(Kept(), "1"), Asked()
    first = contest(panel, memory)
    quantity = [0.0] * 36
    quantity[35] = 5.0 if bought else 0.0
    wider = with_leaf(panel, name, quantity, born)
    found = contest(wider, memory, asked)
    last = [("theta", Month(2026, 7)), ("seasonal-naive", Month(2026, 7))]
    assert asked.of == (last if bought else [])
    before = slice(0, 11 if bought else 12)
    assert found.demand[before].tobytes() == first.demand[before].tobytes()
    for recipe in (THETA, yardstick()):
        ours, theirs = found.entry(recipe).losses, first.entry(recipe).losses
        assert ours is not None
        assert theirs is not None
        assert ours.pinball[before].tobytes() == theirs.pinball[before].tobytes()


def _panel() -> DemandPanel:
    """What `tiny_panel` is, for properties, which may take no fixtures that could change."""
    leaves = pl.DataFrame({"organization": ["NORD", "NORD", "WEST"], "material": ["COIL", "PLATE", "COIL"]})
    levels = [(), ("organization",), ("organization", "material")]
    month = np.arange(36)
    quantity = np.array([10.0 + month % 12, 5.0 + month % 5, np.where(month > 20, 3.0, 0.0)])
    hierarchy = Hierarchy.of(["organization", "material"], levels, leaves)
    return DemandPanel(hierarchy, Month(2023, 11), quantity, np.array([0, 0, 21]))


@pytest.mark.parametrize(
    ("change", "asked_again"),
    [
        (lambda panel: _changed(panel, 30), 6),  # origins whose horizon reaches month 30 or later
        (lambda panel: _changed(panel, 35), 1),
        (lambda panel: _changed(panel, 0), 12),
        (lambda panel: replace(panel, born=np.array([0, 0, 19, 0])), 12),
        (lambda panel: panel.keep(np.array([True, True, True, False])), 12),
        (
            lambda panel: replace(
                panel,
                hierarchy=replace(
                    panel.hierarchy,
                    leaves=panel.hierarchy.leaves.with_columns(material=pl.lit("X") + pl.col("material")),
                ),
            ),
            12,
        ),
    ],
)
def test_changed_history_is_asked_about_again(
    tiny_panel: DemandPanel, change: Callable[[DemandPanel], DemandPanel], asked_again: int
) -> None:
    memory, asked = Memory(Kept(), "1"), Asked()
    contest(tiny_panel, memory)
    changed = change(tiny_panel)
    found = contest(changed, memory, asked)
    assert len(asked.of) == 2 * asked_again
    assert bits(found) == bits(contest(changed, None))


def _changed(panel: DemandPanel, month: int) -> DemandPanel:
    quantity = panel.quantity.copy()
    quantity[0, month] += 1
    return replace(panel, quantity=quantity)


def test_another_question_or_code_is_asked_anew(tiny_panel: DemandPanel) -> None:
    memory = Memory(Kept(), "1")
    contest(tiny_panel, memory)
    for other, horizon in ((Memory(memory.store, "2"), 3), (memory, 4)):
        asked = Asked()
        contest(tiny_panel, other, asked, horizon=horizon)
        assert len(asked.of) == 24
    asked = Asked()
    origins = contest_origins(tiny_panel, 12, 1, 3)
    hold_contest([THETA], tiny_panel, 3, origins, (0.5,), forecast=asked, memory=memory)
    hold_contest([THETA], tiny_panel, 3, origins, PROBABILITIES, levels=[()], forecast=asked, memory=memory)
    hold_contest(
        [replace(THETA, calendar=True)], tiny_panel, 3, origins, PROBABILITIES, forecast=asked, memory=memory
    )
    assert len(asked.of) == 24 + 24 + 12


def test_what_failed_is_tried_again(tiny_panel: DemandPanel) -> None:
    memory = Memory(Kept(), "1")

    def out_of_memory(
        recipe: Recipe, panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]
    ) -> Forecast:
        if recipe == THETA and panel.origin == Month(2026, 1):
            raise MemoryError
        return like_last_month(recipe, panel, horizon, probabilities)

    origins = contest_origins(tiny_panel, 12, 1, 3)
    failed = hold_contest(
        [THETA], tiny_panel, 3, origins, PROBABILITIES, forecast=out_of_memory, memory=memory
    )
    assert failed.entry(THETA).failure == "from 2026-01: MemoryError"
    asked = Asked()
    found = contest(tiny_panel, memory, asked)
    assert asked.of[0] == ("theta", Month(2026, 1))
    assert bits(found) == bits(contest(tiny_panel, None))


def test_a_memory_that_fails_is_no_recipes_fault(tiny_panel: DemandPanel) -> None:
    class Lost(Kept):
        def find(self, key: str) -> Fold | None:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        contest(tiny_panel, Memory(Lost(), "1"))


def test_an_interrupted_contest_goes_on_where_it_was(tiny_panel: DemandPanel) -> None:
    memory = Memory(Kept(), "1")

    def until_the_fifth(progress: Progress) -> None:
        if progress.done == 5:
            raise TimeoutError

    origins = contest_origins(tiny_panel, 12, 1, 3)
    with pytest.raises(TimeoutError):
        hold_contest(
            [THETA],
            tiny_panel,
            3,
            origins,
            PROBABILITIES,
            forecast=like_last_month,
            memory=memory,
            on_progress=until_the_fifth,
        )
    asked = Asked()
    contest(tiny_panel, memory, asked)
    assert len(asked.of) == 24 - 5
