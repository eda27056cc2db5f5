"""Reads a verdict back from the JSON that was kept of it."""

import math
from collections.abc import Mapping
from typing import Any

from forecasting.hierarchy import Level, parse_level
from forecasting.months import Month
from forecasting.recipe import Recipe
from retrain.policy import Policy
from retrain.recipes import recipe_of
from retrain.verdict import AtLevel, Comparison, Standing, Verdict

type Json = Mapping[str, Any]


def verdict_of(kept: Json) -> Verdict:
    """The verdict of which `verdict_json` made this; raises `BadRecipe` for recipes of another version."""
    recipes = {key: recipe_of(content) for key, content in kept["recipes"].items()}
    policy = kept["policy"]
    protected = policy["protected_levels"]
    return Verdict(
        recipes[kept["winner"]["key"]],
        kept["promoted"],
        kept["because"],
        recipes[kept["champion"]["key"]],
        Policy(
            tuple(recipes[each["key"]] for each in policy["challengers"]),
            policy["loss"],
            policy["margin"],
            policy["confidence"],
            policy["tolerance"],
            None if protected is None else _levels(protected),
            policy["origins"],
            policy["step"],
        ),
        _levels(kept["levels"]),
        tuple(Month.parse(origin) for origin in kept["origins"]),
        kept["horizon"],
        tuple(_standing(each, recipes) for each in kept["standings"]),
        tuple(_comparison(each, recipes) for each in kept["comparisons"]),
    )


def _standing(kept: Json, recipes: Mapping[str, Recipe]) -> Standing:
    by_level = tuple(_number(loss) for loss in kept["by_level"])
    recipe = recipes[kept["key"]]
    return Standing(recipe, kept["role"], _number(kept["loss"]), by_level, kept["failure"] or "")


def _comparison(kept: Json, recipes: Mapping[str, Recipe]) -> Comparison:
    levels = tuple(
        AtLevel(parse_level(at["level"]), at["gain"], at["p_worse"], at["protected"], at["harmed"])
        for at in kept["levels"]
    )
    recipe = recipes[kept["key"]]
    return Comparison(recipe, kept["gain"], kept["p"], kept["p_corrected"], levels, kept["against"] or "")


def _levels(names: list[str]) -> tuple[Level, ...]:
    return tuple(parse_level(name) for name in names)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
