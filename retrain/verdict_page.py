"""A verdict as a document: in words and tables for people, as JSON for programs."""

import math

from forecasting.hierarchy import level_name
from forecasting.recipe import Recipe
from retrain.recipes import recipe_content
from retrain.verdict import AtLevel, Comparison, Standing, Verdict, chance

_LOSSES = {
    "pinball": "twice the pinball loss, mean over quantiles",
    "absolute": "the absolute error of the median",
}


def verdict_text(verdict: Verdict) -> str:
    """The verdict in Markdown: what was compared, on which folds, by how much, how surely, in words."""
    title = "Promoted" if verdict.promoted else "Kept"
    parts = [
        f"# {title}: {verdict.winner.name}",
        f"{verdict.because}.",
        "## What was compared",
        _folds(verdict),
        *_standings(verdict),
        *[
            f"{each.recipe.name} was not judged: {each.failure}."
            for each in verdict.standings
            if each.failure
        ],
    ]
    if _worse_than_yardstick(verdict):
        parts.append("The champion lost more than the yardstick: look at it, whatever this verdict says.")
    for each in verdict.comparisons:
        parts += _comparison(verdict, each)
    return "\n\n".join([*parts, "## The rule", _rule(verdict)]) + "\n"


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """The verdict as JSON's own types, with all recipes whole; what has no value is null."""
    policy = verdict.policy
    named = (verdict.champion, *policy.challengers, *(each.recipe for each in verdict.standings))
    return {
        "winner": _recipe(verdict.winner),
        "promoted": verdict.promoted,
        "because": verdict.because,
        "champion": _recipe(verdict.champion),
        "policy": {
            "challengers": [_recipe(each) for each in policy.challengers],
            "loss": policy.loss,
            "margin": policy.margin,
            "confidence": policy.confidence,
            "tolerance": policy.tolerance,
            "protected_levels": None if policy.protected is None else [*map(level_name, policy.protected)],
            "origins": policy.origins,
            "step": policy.step,
        },
        "levels": [level_name(level) for level in verdict.levels],
        "origins": [str(origin) for origin in verdict.origins],
        "horizon": verdict.horizon,
        "standings": [
            _recipe(each.recipe)
            | {
                "role": each.role,
                "loss": _number(each.loss),
                "by_level": [_number(loss) for loss in each.by_level],
                "failure": each.failure or None,
            }
            for each in verdict.standings
        ],
        "comparisons": [
            _recipe(each.recipe)
            | {
                "gain": each.gain,
                "p": each.p,
                "p_corrected": each.corrected,
                "against": each.against or None,
                "levels": [
                    {
                        "level": level_name(at.level),
                        "gain": at.gain,
                        "p_worse": at.p_worse,
                        "protected": at.protected,
                        "harmed": at.harmed,
                    }
                    for at in each.levels
                ],
            }
            for each in verdict.comparisons
        ],
        "recipes": {recipe.key: recipe_content(recipe) for recipe in named},
    }


def _recipe(recipe: Recipe) -> dict[str, object]:
    return {"recipe": recipe.name, "key": recipe.key}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _folds(verdict: Verdict) -> str:
    """Which forecasts were scored, and by what."""
    origins = verdict.origins
    if not verdict.standings:
        return "Nothing: without a challenger no contest is held."
    if not origins:
        return "Nothing: history has no room for a past origin."
    span = f"from {origins[0]} to {origins[-1]}" if len(origins) > 1 else f"of {origins[0]}"
    return (
        f"Forecasts from the ends of {len(origins)} months, {span}, each for the {verdict.horizon} months "
        f"after, of the same nodes for every recipe. The loss is {_LOSSES[verdict.policy.loss]}, "
        "summed over nodes, so that a node weighs what it buys; the table has it as a share of demand."
    )


def _standings(verdict: Verdict) -> list[str]:
    if not verdict.standings:
        return []
    head = ["recipe", "key", "role", "lost, of demand", *map(level_name, verdict.levels)]
    return [_table(head, [_standing_row(each) for each in verdict.standings])]


def _standing_row(standing: Standing) -> list[str]:
    losses = [f"{loss:.2%}" if math.isfinite(loss) else "–" for loss in (standing.loss, *standing.by_level)]
    return [standing.recipe.name, standing.recipe.key, standing.role, *losses]


def _comparison(verdict: Verdict, comparison: Comparison) -> list[str]:
    """A challenger beside the champion."""
    many = len(verdict.comparisons)
    fair = f", {chance(comparison.corrected)} once corrected for {many} challengers" if many > 1 else ""
    found = f"It lost {_less(comparison.gain)} than {verdict.champion.name}."
    if comparison.gain > 0:
        found += f" By chance alone so much is gained {chance(comparison.p)} of the time{fair}."
    outcome = f"Not promoted: {comparison.against}." if comparison.against else "It passes."
    return [
        f"## {comparison.recipe.name} against {verdict.champion.name}",
        f"{found} {outcome}",
        _table(
            [
                "level",
                "lost",
                f"chance to see so much if it loses at most {verdict.policy.tolerance:.1%} more",
                "protected",
            ],
            [_level_row(each) for each in comparison.levels],
        ),
    ]


def _level_row(at: AtLevel) -> list[str]:
    guarded = "no" if not at.protected else "harmed" if at.harmed else "yes"
    return [level_name(at.level), _less(at.gain), chance(at.p_worse), guarded]


def _less(gain: float) -> str:
    return f"{abs(gain):.2%} {'more' if gain < 0 else 'less'}"


def _rule(verdict: Verdict) -> str:
    policy = verdict.policy
    protected = (
        "all levels"
        if policy.protected is None
        else "; ".join(map(level_name, policy.protected)) or "no level"
    )
    return (
        f"A challenger is promoted that lost at least {policy.margin:.1%} less than the champion, with a "
        f"confidence of {policy.confidence:.1%} that this is no chance (Diebold & Mariano's statistic by "
        "target month, its variance from slow cosines; Holm's correction), and that at none of the protected "
        f"levels lost more than {policy.tolerance:.1%} more with the same confidence. Protected: {protected}."
        " Whatever is missing, not finite or tied keeps the champion."
    )


def _worse_than_yardstick(verdict: Verdict) -> bool:
    losses = {each.role: each.loss for each in verdict.standings}
    return losses.get("champion", math.nan) > losses.get("yardstick", math.nan)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
