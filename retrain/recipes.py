"""Recipes as TOML: those that ship with the house, and files of the same form."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from forecasting.recipe import Member, Recipe, SlowMember
from retrain.errors import BadRecipe, BadRecipeFile, UnknownRecipe

SHIPPED = "recipes.toml"
MOST_SECONDS = 3600

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ASKED = re.compile(r"(?P<path>.+?\.toml)(:(?P<name>.+))?")
_KNOWN = tuple(field.name for field in fields(Recipe) if field.name != "name")


@dataclass(frozen=True)
class Recipes:
    """The recipes of one file, at least one, and the name of the one to take when nobody says which."""

    place: str
    default: str
    candidates: tuple[Recipe, ...]

    def pick(self, name: str | None = None) -> Recipe:
        """The recipe of that name, or the default; raises `UnknownRecipe`."""
        wanted = self.default if name is None else name
        for recipe in self.candidates:
            if recipe.name == wanted:
                return recipe
        raise UnknownRecipe(self.place, wanted, tuple(recipe.name for recipe in self.candidates))


@cache
def shipped_recipes() -> Recipes:
    """The candidates of this version."""
    return parse_recipes(files("retrain").joinpath(SHIPPED).read_text(encoding="utf-8"), SHIPPED)


def default_recipe() -> Recipe:
    """The recipe for whoever asks for none."""
    return shipped_recipes().pick()


def find_recipe(asked: str | None) -> Recipe:
    """What a user means: a name among those that ship, a file (its default), FILE.toml:NAME, or nothing.

    Raises `UnknownRecipe`, `BadRecipe` and `BadRecipeFile`.
    """
    file = _ASKED.fullmatch(asked or "")
    if file is None:
        return shipped_recipes().pick(asked)
    try:
        text = Path(file["path"]).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadRecipeFile(file["path"], "there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecipeFile(file["path"], f"it cannot be read ({error})") from error
    return parse_recipes(text, file["path"]).pick(file["name"])


def recipe_content(recipe: Recipe) -> dict[str, object]:
    """All of a recipe as JSON's own types, to be kept; the inverse of `recipe_of`."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(recipe).items()
    }


def recipe_of(content: Mapping[str, object]) -> Recipe:
    """The recipe that was kept; raises `BadRecipe` for a setting that this version does not have.

    Settings that an older version did not have take their defaults.
    """
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
    }
    for name, value in settings.items():
        if name != "name" and name not in _KNOWN:
            raise BadRecipe("a recorded recipe", name, value, "read it with the version that recorded it")
    return Recipe(**settings)


def parse_recipes(text: str, place: str) -> Recipes:
    """The recipes of a TOML text; `place` is what errors call it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRecipeFile(place, f"it cannot be read as TOML ({error})") from error
    for setting, value in document.items():
        if setting not in ("default", "recipes"):
            raise BadRecipe(place, setting, value, "unknown setting; there are default and [recipes.NAME]")
    tables, default = document.get("recipes"), document.get("default")
    if not isinstance(tables, Mapping) or not tables:
        raise BadRecipe(place, "recipes", tables, "write each recipe as a table, [recipes.NAME]")
    if not isinstance(default, str) or default not in tables:
        raise BadRecipe(place, "default", default, f"name one of the file's recipes: {', '.join(tables)}")
    return Recipes(place, default, tuple(_recipe(place, name, table) for name, table in tables.items()))


def _recipe(place: str, name: str, value: object) -> Recipe:
    at = f"recipes.{name}"
    if not _NAME.fullmatch(name):
        raise BadRecipe(place, at, value, "name it with letters, digits, '.', '_' and '-'")
    if not isinstance(value, Mapping):
        raise BadRecipe(place, at, value, f"write it as a table, [{at}]")
    table = _Table(place, at, value)
    table.check_settings()
    slow_members = table.members("slow_members", SlowMember, least=0)
    return Recipe(
        name,
        table.members("members", Member, least=1),
        table.switch("calendar"),
        table.switch("learned"),
        slow_members,
        table.nodes("slow_nodes", wanted=bool(slow_members)),
        table.seconds("slow_seconds"),
    )


@dataclass(frozen=True)
class _Table:
    """The settings of one recipe; each is refused with its value and the remedy."""

    place: str
    at: str
    settings: Mapping[str, object]

    def check_settings(self) -> None:
        for setting in self.settings:
            if setting not in _KNOWN:
                raise self._refusal(setting, f"unknown setting; there are {', '.join(_KNOWN)}")

    def members(self, setting: str, kind: Any, *, least: int) -> tuple[Any, ...]:
        """Distinct names of models; `kind` is the literal type that lists those there are."""
        known = get_args(kind.__value__)
        value = self.settings.get(setting, [] if least == 0 else None)
        if not isinstance(value, list) or len(value) < least or any(name not in known for name in value):
            raise self._refusal(setting, f"write a list of {', '.join(known)}")
        if len(set(value)) < len(value):
            raise self._refusal(setting, "name each member once")
        return tuple(value)

    def switch(self, setting: str) -> bool:
        value = self.settings.get(setting)
        if not isinstance(value, bool):
            raise self._refusal(setting, "write true or false")
        return value

    def nodes(self, setting: str, *, wanted: bool) -> int:
        value = self.settings.get(setting, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._refusal(setting, "write a number of nodes")
        if (value > 0) != wanted:
            raise self._refusal(
                setting, "write a number of nodes above 0 along with slow_members, or neither"
            )
        return value

    def seconds(self, setting: str) -> float:
        value = self.settings.get(setting, Recipe.slow_seconds)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= MOST_SECONDS:
            raise self._refusal(setting, f"write the seconds that one fit may take, up to {MOST_SECONDS}")
        return float(value)

    def _refusal(self, setting: str, remedy: str) -> BadRecipe:
        return BadRecipe(self.place, f"{self.at}.{setting}", self.settings.get(setting), remedy)
