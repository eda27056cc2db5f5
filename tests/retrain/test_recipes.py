"""Recipes in TOML: those that ship, those of a file, and what is refused."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from forecasting.recipe import Recipe
from retrain.errors import BadRecipe, BadRecipeFile, UnknownRecipe
from retrain.plan import parse_plan
from retrain.policy import parse_policy
from retrain.recipes import default_recipe, find_recipe, parse_recipes, shipped_recipes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
PLAIN = 'members = ["theta"]\ncalendar = false\nlearned = true\n'
FILE = f'default = "mine"\n[recipes.mine]\n{PLAIN}[recipes.yours]\n{PLAIN}'


def test_the_recipes_that_ship() -> None:
    members = ("log_smoothing", "shared_season", "autoregression")
    assert default_recipe() == Recipe("ensemble", members, calendar=True, learned=True)
    names = [recipe.name for recipe in shipped_recipes().candidates]
    assert names == ["ensemble", "ensemble-theta", "thorough", "smoothing", "theta", "seasonal-naive"]
    assert len({recipe.key for recipe in shipped_recipes().candidates}) == len(names)


def test_every_setting_by_hand() -> None:
    text = (
        'default = "all"\n[recipes.all]\n'
        'members = ["smoothing", "log_smoothing", "theta", "seasonal_naive"]\n'
        "calendar = true\nlearned = false\n"
        'slow_members = ["prophet", "statsmodels"]\nslow_nodes = 7\nslow_seconds = 5\n'
    )
    members = ("smoothing", "log_smoothing", "theta", "seasonal_naive")
    slow = ("prophet", "statsmodels")
    expected = Recipe(
        "all", members, calendar=True, learned=False, slow_members=slow, slow_nodes=7, slow_seconds=5.0
    )
    assert parse_recipes(text, "here").pick() == expected


def test_what_a_user_can_ask_for(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(FILE)
    assert find_recipe(None) == default_recipe()
    assert find_recipe("seasonal-naive").members == ("seasonal_naive",)
    assert find_recipe(str(path)).name == "mine"
    assert find_recipe(f"{path}:yours").name == "yours"
    folder = tmp_path / "old.toml"
    folder.mkdir()
    assert find_recipe(str(path.rename(folder / "my.toml"))).name == "mine"


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(FILE)
    with pytest.raises(
        UnknownRecipe, match=r"no recipe 'mine' in recipes.toml; there are ensemble, ensemble-"
    ):
        find_recipe("mine")
    with pytest.raises(UnknownRecipe, match=r"no recipe 'hers' in .*my.toml; there are mine, yours"):
        find_recipe(f"{path}:hers")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bad.toml").write_text("[recipes")
    with pytest.raises(BadRecipeFile, match=r"no.toml: there is no such file"):
        find_recipe(str(tmp_path / "no.toml"))
    with pytest.raises(BadRecipeFile, match="cannot be read"):
        find_recipe(str(tmp_path / "folder.toml"))
    with pytest.raises(BadRecipeFile, match="cannot be read as TOML"):
        find_recipe(str(tmp_path / "bad.toml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"here: recipes is missing: write each recipe as a table"),
        ("recipes = 3", r"here: recipes = 3: write each recipe as a table"),
        (f"[recipes.mine]\n{PLAIN}", "here: default is missing: name one of the file's recipes: mine"),
        (f'default = "her"\n[recipes.mine]\n{PLAIN}', "default = 'her': name one"),
        (f"seed = 3\n{FILE}", r"seed = 3: unknown setting; there are default and \[recipes.NAME\]"),
        (
            f"{FILE}weight = 3",
            r"recipes.yours.weight = 3: unknown setting; there are members, calendar, learned",
        ),
        (f'{FILE}[recipes."my own"]\n{PLAIN}', "name it with letters"),
        (f"{FILE.replace('[recipes.yours]', '')}", "cannot be read as TOML"),
        (f"{FILE}[recipes.bare]\n", "recipes.bare.members is missing: write a list of smoothing, "),
        (FILE.replace('["theta"]', "[]"), r"recipes.mine.members = \[\]: write a list"),
        (
            FILE.replace('["theta"]', '["tbats"]'),
            r"members = \['tbats'\]: write a list of smoothing, log_smoothing",
        ),
        (FILE.replace('["theta"]', '["theta", "theta"]'), "name each member once"),
        (FILE.replace("calendar = false", "calendar = 0"), "calendar = 0: write true or false"),
        (FILE.replace("learned = true", ""), "learned is missing: write true or false"),
        (f'{FILE}slow_members = ["ets"]', "write a list of statsmodels, prophet"),
        (
            f'{FILE}slow_members = ["prophet"]',
            "slow_nodes is missing: write a number of nodes above 0 along with",
        ),
        (f"{FILE}slow_nodes = 4", "slow_nodes = 4: write a number of nodes above 0 along with"),
        (f"{FILE}slow_nodes = -1", "slow_nodes = -1: write a number of nodes"),
        (f"{FILE}slow_seconds = 0", "slow_seconds = 0: write the seconds that one fit may take, up to 3600"),
        (f"{FILE}slow_seconds = nan", "slow_seconds = nan"),
    ],
)
def test_what_makes_no_sense(text: str, message: str) -> None:
    with pytest.raises((BadRecipe, BadRecipeFile), match=message):
        parse_recipes(text, "here")


def test_the_page_lists_every_setting_and_recipe_and_shows_a_sound_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGE.read_text()
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    listed = {name for row in rows for name in re.findall("`(.*?)`", row)}
    assert {field.name for field in fields(Recipe)} - {"name"} <= listed
    assert {recipe.name for recipe in shipped_recipes().candidates} <= listed
    shown, planned, tuned = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert set(tomllib.loads(tuned)) == {"contest"}
    assert parse_recipes(shown, "the page").pick().name == "mine"
    plan = parse_plan(tomllib.loads(planned))
    assert plan.recipe.name == "ensemble"
    (tmp_path / "my.toml").write_text(shown)
    monkeypatch.chdir(tmp_path)
    challengers = parse_policy(tomllib.loads(planned), plan.levels).challengers
    assert [each.name for each in challengers] == ["ensemble-theta", "mine"]
