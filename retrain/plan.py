"""What a month produces: the hierarchy, how far ahead, which quantiles, by which recipe."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.errors import Unpublishable
from app.store.keys import check_attributes
from forecasting.errors import ForecastingError
from forecasting.forecast import check_probabilities
from forecasting.hierarchy import Level, check_keys, check_levels, level_name, parse_level
from forecasting.recipe import Recipe
from ingestion.master_config import parse_attributes
from retrain.errors import BadPlan, UnknownRecipe
from retrain.recipes import default_recipe, shipped_recipes

KEYS = ("organization", "customer", "material")
LEVELS: tuple[Level, ...] = (
    (),
    ("organization",),
    ("customer",),
    ("material",),
    ("organization", "customer"),
    ("organization", "material"),
    KEYS,
)
PROBABILITIES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
MOST_MONTHS_AHEAD = 60


@dataclass(frozen=True)
class Plan:
    """The part of the configuration that shapes the numbers; `key` changes when any of it does."""

    keys: Level = KEYS
    levels: tuple[Level, ...] = LEVELS
    horizon: int = 12
    probabilities: tuple[float, ...] = PROBABILITIES
    recipe: Recipe = field(default_factory=default_recipe)

    @property
    def key(self) -> str:
        """SHA-256 of the plan's content, in hexadecimal."""
        content = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()


def plan_content(plan: Plan) -> dict[str, object]:
    """All of a plan but its recipe as JSON's own types, to be kept; the inverse of `plan_of`."""
    return {
        "keys": list(plan.keys),
        "levels": [level_name(level) for level in plan.levels],
        "horizon": plan.horizon,
        "probabilities": list(plan.probabilities),
    }


def plan_of(content: Mapping[str, Any], recipe: Recipe) -> Plan:
    """The plan that was kept, with the recipe that was kept beside it."""
    return Plan(
        tuple(content["keys"]),
        tuple(parse_level(level) for level in content["levels"]),
        content["horizon"],
        tuple(content["probabilities"]),
        recipe,
    )


def parse_plan(document: Mapping[str, object]) -> Plan:
    """The plan in `[hierarchy]` and `[forecast]` of a configuration.

    Levels may name attributes of `[master]`. Raises `BadPlan`, or `BadSourceConfig` of `[master]`.
    """
    hierarchy = section(document, "hierarchy", {"keys", "levels"})
    forecast = section(document, "forecast", {"horizon", "quantiles", "recipe"})
    attributes = parse_attributes(document)
    keys = _keys(hierarchy.get("keys", list(KEYS)), attributes)
    keys, levels = _levels(hierarchy, keys, attributes)
    try:
        check_attributes(keys)
    except Unpublishable as error:
        raise BadPlan("hierarchy.levels", list(keys), str(error)) from error
    return Plan(
        keys,
        levels,
        _horizon(forecast.get("horizon", 12)),
        _probabilities(forecast.get("quantiles", list(PROBABILITIES))),
        _recipe(forecast),
    )


def section(document: Mapping[str, object], name: str, known: Collection[str]) -> Mapping[str, object]:
    """The settings of one section of a configuration; raises `BadPlan` for one that is not known."""
    settings = document.get(name, {})
    if not isinstance(settings, Mapping):
        raise BadPlan(name, settings, f"write it as a table, [{name}]")
    for setting in settings:
        if setting not in known:
            there_are = ", ".join(sorted(known))
            raise BadPlan(f"{name}.{setting}", settings[setting], f"unknown setting; there are {there_are}")
    return settings


def _keys(value: object, attributes: Mapping[str, str]) -> Level:
    keys = tuple(texts("hierarchy.keys", value, ","))
    try:
        check_keys(keys)
    except ForecastingError as error:
        raise BadPlan("hierarchy.keys", value, str(error)) from error
    _check_known("hierarchy.keys", value, keys, attributes)
    return keys


def _levels(
    hierarchy: Mapping[str, object], keys: Level, attributes: Mapping[str, str]
) -> tuple[Level, tuple[Level, ...]]:
    """All keys that there are, with the attributes that only levels name, and the levels."""
    if "levels" not in hierarchy:
        own = tuple((key,) for key in keys if key in attributes and len(keys) > 1)
        return keys, (*(level for level in LEVELS if set(level) < set(keys)), *own, keys)
    value = hierarchy["levels"]
    try:
        levels = tuple(parse_level(text) for text in texts("hierarchy.levels", value, ";"))
    except ForecastingError as error:
        raise BadPlan("hierarchy.levels", value, str(error)) from error
    named = {name for level in levels for name in level}
    _check_known("hierarchy.levels", value, sorted(named), attributes)
    keys = (*keys, *(name for name in attributes if name in named and name not in keys))
    try:
        check_levels(keys, levels)
    except ForecastingError as error:
        raise BadPlan("hierarchy.levels", value, str(error)) from error
    last = levels[-1]
    # What an attribute says follows from its key, so leaves are told apart without it.
    missing = [key for key in keys if key not in last and attributes.get(key) not in last]
    if missing:
        remedy = f"the last level must have all keys, and misses {', '.join(missing)}"
        raise BadPlan("hierarchy.levels", value, remedy)
    return keys, levels


def _check_known(setting: str, value: object, names: Sequence[str], attributes: Mapping[str, str]) -> None:
    for name in names:
        if name not in KEYS and name not in attributes:
            raise BadPlan(
                setting,
                value,
                f"{name!r} is no field of an order line and no attribute of master data; "
                f"there are {', '.join((*KEYS, *attributes))}",
            )


def texts(setting: str, value: object, separator: str) -> list[str]:
    """A list of texts, also accepted as one text with separators."""
    if isinstance(value, str):
        value = value.split(separator)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise BadPlan(setting, value, 'write a list of names, for example ["organization", "customer"]')
    return [item.strip() for item in value]


def _horizon(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_MONTHS_AHEAD:
        raise BadPlan("forecast.horizon", value, f"write a number of months from 1 to {MOST_MONTHS_AHEAD}")
    return value


def _probabilities(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or not all(isinstance(p, float) for p in value):
        raise BadPlan(
            "forecast.quantiles", value, "write a list of probabilities, for example [0.1, 0.5, 0.9]"
        )
    probabilities = tuple(value)
    try:
        check_probabilities(probabilities)
    except ForecastingError as error:
        raise BadPlan("forecast.quantiles", value, str(error)) from error
    return probabilities


def _recipe(forecast: Mapping[str, object]) -> Recipe:
    if "recipe" not in forecast:
        return default_recipe()
    name, recipes = forecast["recipe"], shipped_recipes()
    if not isinstance(name, str):
        raise BadPlan("forecast.recipe", name, f"write the name of a recipe, for example {recipes.default!r}")
    try:
        return recipes.pick(name)
    except UnknownRecipe as error:
        raise BadPlan("forecast.recipe", name, str(error)) from error
