"""What stands beside a version's numbers: names, metrics, parameters, and drawings that can be looked at."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecasting.hierarchy import Level
from retrain.model_plots import MOST_PANELS, accuracy_plot, forecast_plot
from retrain.model_record import (
    BUNDLE,
    level_tags,
    metrics_of,
    model_name,
    params_of,
    parse_recipe_json,
    recipe_json,
    runner_up,
    write_documents,
)
from retrain.recipes import shipped_recipes
from retrain.registry import Candidate

type Make = Callable[..., Candidate]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # our own drawing


def test_names_differ_where_levels_do() -> None:
    levels: list[Level] = [(), ("customer",), ("organization", "customer"), ("forecaster",)]
    assert [model_name(level) for level in levels] == [
        "tonnage-total",
        "tonnage-customer",
        "tonnage-organization-customer",
        "tonnage-forecaster-",
    ]
    assert BUNDLE not in map(model_name, levels)


@pytest.mark.parametrize("recipe", shipped_recipes().candidates, ids=lambda each: each.name)
def test_a_recipe_comes_back_as_it_was(recipe: object) -> None:
    assert parse_recipe_json("here", recipe_json(recipe)) == recipe  # type: ignore[arg-type]


def test_without_a_contest_nothing_is_said_of_losses(make: Make, tmp_path: Path) -> None:
    candidate = make(origins=0)
    assert list(metrics_of(candidate.verdict)) == []
    assert runner_up(candidate.verdict) is None
    assert accuracy_plot(candidate.verdict) is None
    assert "tonnage.loss" not in level_tags(candidate, ())
    assert params_of(candidate)["contest_origins"] == "0"
    write_documents(candidate, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "plots",
        "recipe.json",
        "verdict.md",
        "verdict.json",
    }


def test_losses_of_a_level_are_those_of_its_leads(make: Make) -> None:
    candidate = make()
    metrics = {(name, lead): value for name, value, lead in metrics_of(candidate.verdict)}
    for level in ("total", "organization", "organization-material"):
        by_lead = [metrics[f"loss_by_lead/{level}", lead] for lead in (1, 2, 3)]
        assert metrics[f"loss/{level}", 0] == pytest.approx(np.mean(by_lead))  # all leads have one demand
    assert metrics["loss", 0] == pytest.approx(float(level_tags(candidate, ())["tonnage.loss"]), rel=1e-5)
    (yardstick,) = [
        value for (name, _), value in metrics.items() if name.startswith("beside/seasonal-naive-")
    ]
    assert yardstick == pytest.approx(0.3)


def test_the_forecast_is_drawn_for_the_largest_nodes(make: Make) -> None:
    candidate = make()
    picture = drawn(forecast_plot(candidate, ("organization", "material")))
    titles = [text.text for text in picture.iter(f"{SVG}text") if text.get("font-weight") == "bold"]
    forecast = candidate.run.forecast
    leaves = forecast.hierarchy.slices[-1]
    order = np.argsort(-forecast.mean[leaves].sum(axis=1))
    names = [", ".join(row) for row in forecast.hierarchy.leaves.iter_rows()]
    assert titles == [names[at] for at in order[:MOST_PANELS]]
    # Per panel two bands and two lines; the mean begins where history ends.
    for panel in picture.iter(f"{SVG}g"):
        bands = [path for path in panel.iter(f"{SVG}path") if path.get("fill-opacity")]
        history, mean = [path for path in panel.iter(f"{SVG}path") if path.get("fill") == "none"]
        assert len(bands) == 2
        assert history.get("d", "").split("L")[-1] == mean.get("d", "").removeprefix("M").split("L")[0]
        assert len(history.get("d", "").split("L")) == 30
        assert len(mean.get("d", "").split("L")) == 1 + forecast.horizon


def test_nothing_to_draw_is_drawn(make: Make) -> None:
    candidate = make()
    forecast = candidate.run.forecast
    none = replace(forecast, mean=forecast.mean * 0, quantiles=forecast.quantiles[:0] * 0, probabilities=())
    panel = replace(candidate.panel, quantity=candidate.panel.quantity * -1)  # returns alone
    empty = replace(candidate, run=replace(candidate.run, forecast=none), panel=panel)
    for level in forecast.hierarchy.levels:
        assert "nan" not in forecast_plot(empty, level)
        drawn(forecast_plot(empty, level))


def test_the_losses_of_all_recipes_are_drawn(make: Make) -> None:
    verdict = make().verdict
    text = accuracy_plot(verdict)
    assert text is not None
    picture = drawn(text)
    told = " ".join(each.text or "" for each in picture.iter(f"{SVG}text"))
    for each in ("new (challenger)", "old (champion)", "seasonal-naive (yardstick)", "all levels"):
        assert each in told
    dots = [each for each in picture.iter(f"{SVG}circle") if each.find(f"{SVG}title") is not None]
    assert len(dots) == 3 * 4
    across = {str(dot[0].text).split(":")[0]: float(dot.get("cx", "")) for dot in dots}
    assert across["new"] < across["old"] < across["seasonal-naive"]


def test_documents_are_the_same_bytes_every_time(make: Make, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        write_documents(make(), folder)
    one, two = [
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in folders
    ]
    assert one == two
    assert json.loads(one["runner-up.json"])["name"] == "old"
