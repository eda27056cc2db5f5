"""Tuning on panels whose best recipe is known: by a made-up forecaster, by a season, on a real PostgreSQL."""

import datetime as dt
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import optuna
import pytest
import sqlalchemy as sa

from app.store.engine import open_engine
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from retrain.contest import contest_origins
from retrain.errors import BadPlan, NothingTuned, TooShortToTune
from retrain.plan import Plan
from retrain.policy import Policy
from retrain.recipes import default_recipe, parse_recipes, shipped_recipes
from retrain.registry import CodeIdentity
from retrain.tuned_recipe import tuned_toml
from retrain.tuning import CANDIDATE, SCHEMA, open_storage, tune
from retrain.tuning_folds import FEWEST_FOLDS, MOST_FOLDS, TuningTask, tuning_task

SNAPSHOT = "ab" * 32
POLICY = Policy(origins=12)
CODE = CodeIdentity("1")
MONTHS = 66
ENOUGH = 80
"""Trials after which the right recipe was found, with this seed."""


@pytest.fixture
def panel(tiny: Hierarchy) -> DemandPanel:
    """Sixty-six months of a season that repeats to the kilogram."""
    year = np.array([9, 40, 2, 31, 17, 5, 28, 60, 3, 12, 44, 21.0])
    season = np.tile(year, 6)[:MONTHS]
    quantity = season * np.array([1, 2, 3, 4])[:, None] + 1
    return DemandPanel(tiny, Month(2021, 5), quantity, np.zeros(4, dtype=np.int64))


@pytest.fixture
def plan(tiny: Hierarchy) -> Plan:
    return Plan(tiny.keys, tiny.levels, 12, (0.1, 0.5, 0.9))


@pytest.fixture
def task(panel: DemandPanel, plan: Plan) -> TuningTask:
    return tuning_task(panel, SNAPSHOT, plan, POLICY, level=None, code=CODE)


@pytest.fixture
def engine(new_database: Callable[[], str]) -> Iterator[sa.Engine]:
    engine = open_engine(new_database())
    yield engine
    engine.dispose()


class Known:
    """A forecaster that is off by a tonne for each part that the right recipe has not, or has too much."""

    def __init__(self, truth: DemandPanel, right: Recipe, broken: Sequence[str] = ()) -> None:
        self.truth, self.right, self.broken = truth, right, set(broken)
        self.asked: list[tuple[str, Month]] = []

    def __call__(
        self, recipe: Recipe, panel: DemandPanel, horizon: int, probabilities: tuple[float, ...]
    ) -> Forecast:
        self.asked.append((recipe.key, panel.origin))
        if self.broken & set(recipe.members):
            raise ZeroDivisionError(f"no {recipe.members}")
        off = len(set(recipe.members) ^ set(self.right.members)) + (recipe.calendar != self.right.calendar)
        start = panel.n_months
        mean = panel.hierarchy.aggregate(self.truth.quantity[:, start : start + horizon]) + off
        quantiles = np.repeat(mean[None], len(probabilities), axis=0)
        return Forecast(panel.hierarchy, panel.origin + 1, mean, probabilities, quantiles)


RIGHT = Recipe(CANDIDATE, ("autoregression", "theta"), calendar=False, learned=False)


def test_no_month_that_a_contest_judges_is_looked_at(panel: DemandPanel, task: TuningTask) -> None:
    judged = contest_origins(panel, POLICY.origins, POLICY.step, 12)
    assert task.panel.origin == judged[0]
    assert max(task.origins) + 12 == judged[0]
    assert len(task.origins) == MOST_FOLDS


def test_history_too_short_for_both_is_refused_with_what_is_needed(panel: DemandPanel, plan: Plan) -> None:
    def cut(months: int) -> TuningTask:
        return tuning_task(
            panel.until(panel.first + (months - 1)), SNAPSHOT, plan, POLICY, level=None, code=CODE
        )

    with pytest.raises(TooShortToTune) as told:
        cut(20)
    needed = told.value.needed
    assert needed == 13 + 12 + 11 + 12 + FEWEST_FOLDS - 1
    assert len(cut(needed).origins) == FEWEST_FOLDS
    with pytest.raises(TooShortToTune, match=f"history covers {needed - 1} months; {needed} are needed"):
        cut(needed - 1)


def test_a_level_is_found_by_its_keys_in_any_order(panel: DemandPanel, plan: Plan) -> None:
    def of(level: str) -> TuningTask:
        return tuning_task(panel, SNAPSHOT, plan, POLICY, level=level, code=CODE)

    assert of("material,organization").levels == (("organization", "material"),)
    assert of("total").levels == ((),)
    with pytest.raises(BadPlan, match="no level of the plan; there are total; organization"):
        of("customer")


def test_another_question_is_another_study(panel: DemandPanel, plan: Plan, task: TuningTask) -> None:
    others = [
        tuning_task(panel, "cd" * 32, plan, POLICY, level=None, code=CODE),
        tuning_task(panel, SNAPSHOT, plan, POLICY, level="total", code=CODE),
        tuning_task(panel, SNAPSHOT, plan, POLICY, level=None, code=CodeIdentity("2")),
        tuning_task(panel, SNAPSHOT, plan, replace(POLICY, loss="absolute"), level=None, code=CODE),
        tuning_task(panel, SNAPSHOT, plan, Policy(origins=13), level=None, code=CODE),
        tuning_task(panel, SNAPSHOT, replace(plan, horizon=11), POLICY, level=None, code=CODE),
    ]
    assert len({task.study, *(each.study for each in others)}) == 1 + len(others)


def test_the_right_recipe_is_found_and_each_fold_measured_once(panel: DemandPanel, task: TuningTask) -> None:
    known = Known(panel, RIGHT)
    storage = optuna.storages.InMemoryStorage()
    tuned = tune(task, storage, trials=ENOUGH, seed=0, forecast=known)
    assert tuned.best.recipe == RIGHT
    assert tuned.best.lost == 0.0
    assert len(known.asked) == len(set(known.asked)) == tuned.recipes * len(task.origins)
    assert tuned.trials == ENOUGH > tuned.recipes
    # The default recipe: two members too much, one too little, and the calendar.
    nodes = task.panel.hierarchy.n_nodes
    assert tuned.champion is not None
    assert tuned.champion.lost == pytest.approx(4 * nodes * 12 * len(task.origins))
    actual = [
        panel.hierarchy.aggregate(panel.quantity[:, start : start + 12]).sum()
        for start in (origin - panel.first + 1 for origin in task.origins)
    ]
    assert tuned.best.demand == pytest.approx(sum(actual))


def test_the_same_seed_asks_the_same(panel: DemandPanel, task: TuningTask) -> None:
    def asked(seed: int) -> list[tuple[str, Month]]:
        known = Known(panel, RIGHT)
        tune(task, optuna.storages.InMemoryStorage(), trials=20, seed=seed, forecast=known)
        return known.asked

    assert asked(1) == asked(1) != asked(2)


def test_only_the_level_asked_for_counts(panel: DemandPanel, plan: Plan) -> None:
    task = tuning_task(panel, SNAPSHOT, plan, POLICY, level="total", code=CODE)
    tuned = tune(task, optuna.storages.InMemoryStorage(), trials=1, seed=0, forecast=Known(panel, RIGHT))
    assert tuned.best.lost == pytest.approx(4 * 12 * len(task.origins))


def test_a_recipe_that_fails_is_told_and_never_wins(panel: DemandPanel, task: TuningTask) -> None:
    known = Known(panel, RIGHT, broken=["theta"])
    tuned = tune(task, optuna.storages.InMemoryStorage(), trials=60, seed=0, forecast=known)
    assert tuned.failed > 0
    assert "theta" not in tuned.best.recipe.members
    broken = Known(panel, RIGHT, broken=default_recipe().members)
    with pytest.raises(NothingTuned, match=f"from {task.origins[0]}: ZeroDivisionError: no"):
        tune(task, optuna.storages.InMemoryStorage(), trials=1, seed=0, forecast=broken)


def test_time_that_is_over_begins_no_fold_and_keeps_what_was_measured(
    panel: DemandPanel, task: TuningTask
) -> None:
    storage, known = optuna.storages.InMemoryStorage(), Known(panel, RIGHT)
    with pytest.raises(NothingTuned, match="--timeout"):
        tune(task, storage, trials=5, seed=0, forecast=known, out_of_time=lambda: len(known.asked) == 3)
    assert len(known.asked) == 3
    tune(task, storage, trials=1, seed=0, forecast=known)
    assert len(known.asked) == len(set(known.asked))


def test_it_goes_on_where_it_was_stopped(panel: DemandPanel, task: TuningTask, engine: sa.Engine) -> None:
    class Stopped(KeyboardInterrupt):
        pass

    known = Known(panel, RIGHT)

    def stop(text: str) -> None:
        if len(known.asked) == 30:
            raise Stopped

    with pytest.raises(Stopped), open_storage(engine) as storage:
        tune(task, storage, trials=12, seed=0, forecast=known, on_fold=stop)
    with open_storage(engine) as storage:
        tuned = tune(task, storage, trials=12, seed=0, forecast=known)
        assert tuned.trials == 12
        assert len(known.asked) == len(set(known.asked))
        measured = len(known.asked)
        assert tune(task, storage, trials=12, seed=0, forecast=known) == tuned
        assert len(known.asked) == measured
    with engine.connect() as connection:
        schemas = connection.scalars(
            sa.text("select distinct table_schema from information_schema.tables where table_name = 'trials'")
        )
        assert list(schemas) == [SCHEMA]


def test_two_workers_share_a_study(panel: DemandPanel, task: TuningTask, engine: sa.Engine) -> None:
    one, two = Known(panel, RIGHT), Known(panel, RIGHT)
    with open_storage(engine) as mine, open_storage(engine) as theirs:
        tune(task, mine, trials=5, seed=0, forecast=one)
        tuned = tune(task, theirs, trials=10, seed=1, forecast=two)
        assert tuned.trials == 10
        assert tune(task, mine, trials=10, seed=0, forecast=one) == tuned
    assert not set(one.asked) & set(two.asked)


def test_slow_members_are_tried_where_the_plan_has_some(panel: DemandPanel, plan: Plan) -> None:
    thorough = shipped_recipes().pick("thorough")
    task = tuning_task(panel, SNAPSHOT, replace(plan, recipe=thorough), POLICY, level=None, code=CODE)
    tuned = tune(task, optuna.storages.InMemoryStorage(), trials=1, seed=0, forecast=Known(panel, RIGHT))
    assert tuned.best.recipe == replace(thorough, name=CANDIDATE)


def test_a_season_that_repeats_is_found_by_real_models(panel: DemandPanel, plan: Plan) -> None:
    """The seasonal naive knows such a panel to the kilogram; the Theta method alone does worse."""
    wild = Plan(plan.keys, plan.levels, 12, plan.probabilities, shipped_recipes().pick("theta"))
    short = tuning_task(panel, SNAPSHOT, wild, POLICY, level="organization", code=CODE)
    short = replace(short, origins=short.origins[-2:])
    tuned = tune(short, optuna.storages.InMemoryStorage(), trials=12, seed=3)
    assert tuned.champion is not None
    assert "seasonal_naive" in tuned.best.recipe.members
    assert tuned.best.lost < tuned.champion.lost


def test_the_file_can_be_a_challenger(panel: DemandPanel, task: TuningTask, noon: dt.datetime) -> None:
    tuned = tune(task, optuna.storages.InMemoryStorage(), trials=ENOUGH, seed=0, forecast=Known(panel, RIGHT))
    text = tuned_toml(tuned, task, SNAPSHOT, noon)
    recipe = parse_recipes(text, "file").pick()
    assert replace(recipe, name=CANDIDATE) == tuned.best.recipe
    assert recipe.name == f"tuned-{RIGHT.key[:8]}"
    assert f"Nothing after {task.panel.origin} was looked at" in text
    assert "no promotion" in text and task.study in text
    assert "It lost 0.00% of the demand there." in text and "100.00% less" in text
    assert set(tomllib.loads(text)) == {"default", "recipes"}


def test_a_slow_recipe_keeps_its_settings_in_the_file(
    panel: DemandPanel, plan: Plan, noon: dt.datetime
) -> None:
    thorough = shipped_recipes().pick("thorough")
    task = tuning_task(panel, SNAPSHOT, replace(plan, recipe=thorough), POLICY, level=None, code=CODE)
    tuned = tune(task, optuna.storages.InMemoryStorage(), trials=1, seed=0, forecast=Known(panel, RIGHT))
    recipe = parse_recipes(tuned_toml(tuned, task, SNAPSHOT, noon), "file").pick()
    assert replace(recipe, name=thorough.name) == thorough
