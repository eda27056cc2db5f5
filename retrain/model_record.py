"""What the registry keeps of a month beside its numbers: names, tags, parameters, metrics and documents."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from app.store.lineage import KeptModel
from forecasting.forecast import quantile_name
from forecasting.hierarchy import Level, level_name
from forecasting.recipe import Recipe
from forecasting.run import ForecastRun
from retrain.model_plots import accuracy_plot, forecast_plot
from retrain.recipes import parse_recipe
from retrain.registry import Candidate
from retrain.verdict import Standing, Verdict
from retrain.verdict_page import verdict_json, verdict_text

BUNDLE = "tonnage-forecaster"

RUN, ORIGIN, LEVEL = "tonnage.run", "tonnage.origin", "tonnage.level"
RECIPE, REPLACES, PINS = "tonnage.recipe", "tonnage.replaces", "tonnage.levels"


def model_name(level: Level) -> str:
    """What the registered model of a level is called.

    >>> model_name(()), model_name(("organization", "customer"))
    ('tonnage-total', 'tonnage-organization-customer')
    >>> model_name(("forecaster",)) == BUNDLE  # should somebody have such an attribute
    False
    """
    name = f"tonnage-{_dashed(level)}"
    return f"{name}-" if name == BUNDLE else name


def kept_models(run: ForecastRun, numbers: Mapping[str, str]) -> tuple[KeptModel, ...]:
    """What the models of a run are called, given their versions by name; the bundle last."""
    names = {level: model_name(level) for level in run.forecast.hierarchy.levels}
    levels = (KeptModel(level_name(level), name, numbers[name]) for level, name in names.items())
    return (*levels, KeptModel(None, BUNDLE, numbers[BUNDLE]))


def tags_of(candidate: Candidate) -> dict[str, str]:
    """Where the numbers come from: on the run, on every level's version and on the bundle's."""
    run, code, second = candidate.run, candidate.code, runner_up(candidate.verdict)
    tags = {
        RUN: run.id,
        ORIGIN: str(run.origin),
        "tonnage.model": run.model,
        "tonnage.snapshot": run.snapshot,
        "tonnage.unit": run.unit,
        "tonnage.because": run.because,
        RECIPE: recipe_json(candidate.recipe),
        "tonnage.code": code.version,
        "tonnage.commit": code.commit,
        "tonnage.lock": code.lock,
        "tonnage.verdict": "promoted" if candidate.verdict.promoted else "kept",
        "tonnage.runner_up": "" if second is None else second.name,
    }
    return {name: value for name, value in tags.items() if value}


def level_tags(candidate: Candidate, level: Level) -> dict[str, str]:
    """The same with what is said of one level alone."""
    hierarchy = candidate.run.forecast.hierarchy
    part = hierarchy.slices[hierarchy.levels.index(level)]
    tags = {LEVEL: level_name(level), "tonnage.nodes": str(part.stop - part.start)}
    found = _winner(candidate.verdict)
    if found is not None and level in candidate.verdict.levels:
        loss = found.by_level[candidate.verdict.levels.index(level)]
        tags |= {"tonnage.loss": f"{loss:.6g}"} if math.isfinite(loss) else {}
    return tags_of(candidate) | tags


def params_of(candidate: Candidate) -> dict[str, str]:
    """What was chosen before anything was learned."""
    forecast, recipe, verdict = candidate.run.forecast, candidate.recipe, candidate.verdict
    settings = {
        name: ", ".join(value) if isinstance(value, tuple) else str(value)
        for name, value in asdict(recipe).items()
    }
    return {
        "recipe": settings.pop("name"),
        "recipe_key": recipe.key,
        **settings,
        "horizon": str(forecast.horizon),
        "quantiles": ", ".join(map(quantile_name, forecast.probabilities)),
        "levels": "; ".join(map(level_name, forecast.hierarchy.levels)),
        "leaves": str(forecast.hierarchy.n_leaves),
        "contest_origins": str(len(verdict.origins)),
        "contest_loss": verdict.policy.loss,
    }


def metrics_of(verdict: Verdict) -> Iterator[tuple[str, float, int]]:
    """What was lost as a share of demand: (name, value, lead month or 0), as far as a contest told it.

    `loss` is the winner's over all levels, `loss/customer` at a level, `loss_by_lead/customer` by lead
    month; `beside/…` what each of the others lost over all levels.
    """
    for standing in verdict.standings:
        if standing.recipe != verdict.winner:
            name = f"beside/{standing.recipe.name}-{standing.recipe.key}"
            yield from _finite(name, standing.loss)
            continue
        yield from _finite("loss", standing.loss)
        for level, loss, leads in zip(verdict.levels, standing.by_level, standing.by_lead, strict=True):
            yield from _finite(f"loss/{_dashed(level)}", loss)
            for lead, at_lead in enumerate(leads, start=1):
                yield from _finite(f"loss_by_lead/{_dashed(level)}", at_lead, lead)


def write_documents(candidate: Candidate, folder: Path) -> None:
    """The files beside the levels' numbers: recipe, verdict and plots."""
    (folder / "plots").mkdir()
    for name, text in _documents(candidate).items():
        (folder / name).write_text(text, encoding="utf-8")


def _documents(candidate: Candidate) -> dict[str, str]:
    verdict = candidate.verdict
    documents = {
        "recipe.json": recipe_json(candidate.recipe),
        "verdict.md": verdict_text(verdict),
        "verdict.json": json.dumps(verdict_json(verdict), indent=1, ensure_ascii=False),
    }
    for level in candidate.run.forecast.hierarchy.levels:
        documents[f"plots/forecast-{_dashed(level)}.svg"] = forecast_plot(candidate, level)
    accuracy, second = accuracy_plot(verdict), runner_up(verdict)
    if accuracy is not None:
        documents["plots/accuracy.svg"] = accuracy
    if second is not None:
        documents["runner-up.json"] = recipe_json(second)
    return documents


def runner_up(verdict: Verdict) -> Recipe | None:
    """Of champion and challengers, the one that lost least after the winner."""
    rivals = [
        each
        for each in verdict.standings
        if each.recipe != verdict.winner and each.role != "yardstick" and math.isfinite(each.loss)
    ]
    return min(rivals, key=lambda each: each.loss).recipe if rivals else None


def description_of(candidate: Candidate) -> str:
    """What a person reads on a version's page."""
    run = candidate.run
    return (
        f"Run `{run.id}`: history to {run.origin}, {run.forecast.horizon} months ahead, in {run.unit}, "
        f"by recipe {candidate.recipe.name}. {run.because}."
    )


def recipe_json(recipe: Recipe) -> str:
    """A recipe's settings as JSON, the same text for the same recipe."""
    return json.dumps(asdict(recipe), sort_keys=True)


def parse_recipe_json(place: str, text: str) -> Recipe:
    """The recipe that a version was made by; raises `BadRecipe` where this code has other settings."""
    settings = json.loads(text)
    return parse_recipe(place, settings.pop("name"), settings)


def _winner(verdict: Verdict) -> Standing | None:
    return next((each for each in verdict.standings if each.recipe == verdict.winner), None)


def _finite(name: str, value: float, lead: int = 0) -> Iterator[tuple[str, float, int]]:
    if math.isfinite(value):
        yield name, value, lead


def _dashed(level: Level) -> str:
    return level_name(level).replace(",", "-")
