"""Which recipe would have lost least: Optuna asks, past origins answer; only this file knows Optuna.

A study is kept in PostgreSQL with every fold that was ever measured in it, so it can be stopped at any
moment, goes on where it was, and is shared by whoever works on it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import get_args

import optuna
import sqlalchemy as sa
from optuna.trial import FrozenTrial, Trial, TrialState

from forecasting.months import Month
from forecasting.recipe import Member, Recipe, SlowMember
from retrain.contest import fit_and_forecast
from retrain.errors import NothingTuned
from retrain.folds import ByRecipe, FoldFailed, Folds, Question
from retrain.tuning_folds import TuningTask

SCHEMA = "tuning"
CANDIDATE = "tuned"
"""What every recipe is called while it is tried, so that its key follows from its content alone."""

_MEMBERS: tuple[Member, ...] = get_args(Member.__value__)
_SLOW: tuple[SlowMember, ...] = get_args(SlowMember.__value__)
_SLOW_NODES = (10, 25, 50, 100)
_LOCK = 0x746F6E_05  # any number, the same in every process that makes Optuna's tables
_FAILURE, _RECIPE = "failure", "recipe"


@dataclass(frozen=True)
class Tried:
    """A recipe that was measured on every fold; `lost` is in the panel's unit, `demand` what there was."""

    recipe: Recipe
    lost: float
    demand: float


@dataclass(frozen=True)
class Tuned:
    """What a study found: the best recipe and the champion, by the same folds.

    `champion` is None where it failed; `trials` counts what was asked, `recipes` distinct ones
    that were measured, `failed` those that were not.
    """

    best: Tried
    champion: Tried | None
    trials: int
    recipes: int
    failed: int


class OutOfTime(Exception):
    """The time is over; no fold is begun any more."""


@contextmanager
def open_storage(engine: sa.Engine) -> Iterator[optuna.storages.BaseStorage]:
    """Optuna's tables in a schema of their own in the serving database, made where they are missing."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = None
    try:
        # Two workers that begin together would make the same tables.
        with engine.begin() as alone:
            alone.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            with engine.begin() as connection:
                connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
            storage = optuna.storages.RDBStorage(
                engine.url.render_as_string(hide_password=False),
                {"connect_args": {"options": f"-csearch_path={SCHEMA}"}, "pool_pre_ping": True},
            )
        yield storage
    finally:
        if storage is not None:
            storage.engine.dispose()


def tune(
    task: TuningTask,
    storage: optuna.storages.BaseStorage,
    *,
    trials: int,
    seed: int,
    out_of_time: Callable[[], bool] = lambda: False,
    on_fold: Callable[[str], None] = lambda text: None,
    forecast: ByRecipe = fit_and_forecast,
) -> Tuned:
    """Ask until the study has so many trials or the time is over, and give the recipe that lost least.

    The plan's recipe, which is the champion, is asked first. Where losses are equal the recipe with the
    fewest parts wins. Bayesian optimization by the tree-structured Parzen estimator (Bergstra et al. 2011).
    The same folds and seed give the same recipes in the same order, as long as one worker works alone.
    """
    study = optuna.create_study(storage=storage, study_name=task.study, load_if_exists=True)
    if not study.get_trials(deepcopy=False):
        study.enqueue_trial(_parameters(task.plan.recipe), skip_if_exists=True)
    # A sampler that began anew with the same seed would ask again what was asked before it was stopped.
    begun = len(study.get_trials(deepcopy=False))
    question = Question(task.levels, task.plan.horizon, task.plan.probabilities)
    folds = Folds(task.panel, question, forecast)
    study.sampler = optuna.samplers.TPESampler(seed=seed + begun)
    try:
        while len(_finished(study)) < trials and not out_of_time():
            _try_next(task, study, folds, out_of_time, on_fold)
    except OutOfTime:
        pass
    return _found(task, study)


def _try_next(
    task: TuningTask,
    study: optuna.Study,
    folds: Folds,
    out_of_time: Callable[[], bool],
    on_fold: Callable[[str], None],
) -> None:
    """Measure the recipe that Optuna asks for next; what was measured of it stays whatever happens."""
    trial = study.ask()
    recipe = _asked(trial, task.plan.recipe)
    trial.set_user_attr(_RECIPE, recipe.key)
    known = _known_folds(study, recipe)
    lost = 0.0
    try:
        for origin in task.origins:
            if str(origin) not in known:
                if out_of_time():
                    raise OutOfTime
                on_fold(f"{', '.join(recipe.members)} from {origin}")
                known[str(origin)] = _measure(folds, task, recipe, origin)
                trial.set_user_attr(str(origin), json.dumps(known[str(origin)]))
            lost += known[str(origin)][0]
    except FoldFailed as failure:
        trial.set_user_attr(_FAILURE, str(failure))
        # Optuna takes what was pruned at once for the worst.
        study.tell(trial, state=TrialState.PRUNED)
        return
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    study.tell(trial, lost)


def _measure(folds: Folds, task: TuningTask, recipe: Recipe, origin: Month) -> tuple[float, float]:
    """What a recipe lost from one origin, and the demand there."""
    fold = folds.of(recipe, origin)
    losses = fold.pinball if task.loss == "pinball" else fold.absolute
    return float(losses.sum()), float(fold.demand.sum())


def _known_folds(study: optuna.Study, recipe: Recipe) -> dict[str, tuple[float, float]]:
    """What was measured of a recipe already, by whatever trial, by origin."""
    known = {}
    for trial in study.get_trials(deepcopy=False):
        if trial.user_attrs.get(_RECIPE) == recipe.key:
            for name, value in trial.user_attrs.items():
                if name not in (_RECIPE, _FAILURE):
                    lost, demand = json.loads(value)
                    known[name] = (lost, demand)
    return known


def _asked(trial: Trial, champion: Recipe) -> Recipe:
    """The recipe that a trial asks for; slow members take part where the champion has some."""
    first = trial.suggest_categorical("member", _MEMBERS)
    beside = {name for name in _MEMBERS if trial.suggest_categorical(f"also {name}", (False, True))}
    calendar = trial.suggest_categorical("calendar", (False, True))
    learned = trial.suggest_categorical("learned", (False, True))
    slow: tuple[SlowMember, ...] = ()
    nodes = 0
    if champion.slow_members:
        slow = tuple(name for name in _SLOW if trial.suggest_categorical(name, (False, True)))
        nodes = trial.suggest_categorical("slow_nodes", sorted({*_SLOW_NODES, champion.slow_nodes}))
    return Recipe(
        CANDIDATE,
        tuple(name for name in _MEMBERS if name in {first, *beside}),
        calendar,
        learned,
        slow,
        nodes if slow else 0,
        champion.slow_seconds,
    )


def _parameters(recipe: Recipe) -> dict[str, object]:
    """What Optuna would ask to get a recipe: the inverse of `_asked`."""
    asked: dict[str, object] = {
        "member": recipe.members[0],
        "calendar": recipe.calendar,
        "learned": recipe.learned,
        **{f"also {name}": name in recipe.members for name in _MEMBERS},
    }
    if recipe.slow_members:
        asked |= {name: name in recipe.slow_members for name in _SLOW}
        asked["slow_nodes"] = recipe.slow_nodes
    return asked


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _found(task: TuningTask, study: optuna.Study) -> Tuned:
    trials = _finished(study)
    tried: dict[str, Tried] = {}
    failures: dict[str, str] = {}
    for trial in trials:
        recipe = _asked_of(trial, task.plan.recipe)
        if trial.state == TrialState.PRUNED:
            failures.setdefault(recipe.key, trial.user_attrs[_FAILURE])
            continue
        folds = _known_folds(study, recipe)
        measured = [folds[str(origin)] for origin in task.origins]
        lost, demand = (sum(each) for each in zip(*measured, strict=True))
        tried[recipe.key] = Tried(recipe, lost, demand)
    if not tried:
        raise NothingTuned(len(failures), next(iter(failures.values()), ""))
    best = min(tried.values(), key=lambda each: (each.lost, _parts(each.recipe), each.recipe.key))
    champion = tried.get(_asked_for(task.plan.recipe).key)
    return Tuned(best, champion, len(trials), len(tried), len(failures))


def _asked_of(trial: FrozenTrial, champion: Recipe) -> Recipe:
    """The recipe that a finished trial asked for."""
    return _asked(optuna.trial.FixedTrial(trial.params), champion)  # type: ignore[arg-type]


def _asked_for(champion: Recipe) -> Recipe:
    """The champion as it is asked for, its members in our order."""
    return _asked(optuna.trial.FixedTrial(_parameters(champion)), champion)  # type: ignore[arg-type]


def _parts(recipe: Recipe) -> int:
    return len(recipe.members) + recipe.calendar + recipe.learned + len(recipe.slow_members)


def named(tuned: Tuned) -> Recipe:
    """The best recipe under a name of its own."""
    return replace(tuned.best.recipe, name=f"{CANDIDATE}-{tuned.best.recipe.key[:8]}")
