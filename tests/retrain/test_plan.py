"""The plan in tonnage.toml: defaults, both ways to write levels, and what is refused."""

import tomllib

import pytest

from ingestion.errors import BadSourceConfig
from retrain.errors import BadPlan
from retrain.plan import LEVELS, Plan, parse_plan


def test_an_empty_document_gives_the_defaults() -> None:
    plan = parse_plan({})
    assert plan == Plan()
    assert (plan.horizon, plan.levels) == (12, LEVELS)


@pytest.mark.parametrize(
    "text",
    [
        '[hierarchy]\nkeys = ["organization", "material"]\nlevels = ["total", "organization,material"]',
        '[hierarchy]\nkeys = "organization, material"\nlevels = "total; organization,material"',
    ],
)
def test_levels_as_a_list_or_as_a_text(text: str) -> None:
    assert parse_plan(tomllib.loads(text)).levels == ((), ("organization", "material"))


def test_fewer_keys_bring_the_default_levels_that_they_can_form() -> None:
    plan = parse_plan(tomllib.loads('[hierarchy]\nkeys = ["organization", "customer"]'))
    assert plan.levels == ((), ("organization",), ("customer",), ("organization", "customer"))


def test_the_key_follows_the_content() -> None:
    assert Plan().key == Plan().key
    assert Plan(horizon=13).key != Plan().key


def test_another_recipe_is_another_plan() -> None:
    plan = parse_plan(tomllib.loads('[forecast]\nrecipe = "seasonal-naive"'))
    assert plan.recipe.members == ("seasonal_naive",)
    assert plan.key != Plan().key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[forecast]\nhorizon = 0", "forecast.horizon = 0: write a number of months from 1 to 60"),
        ("[forecast]\nhorizon = true", "forecast.horizon = True"),
        ("[forecast]\nquantiles = [0.9, 0.1]", "must ascend"),
        ("[forecast]\nquantiles = [1.5]", "between 0 and 1"),
        ("[forecast]\nquantiles = 0.5", "write a list of probabilities"),
        (
            "[forecast]\nhorizont = 3",
            "forecast.horizont = 3: unknown setting; there are horizon, quantiles, recipe",
        ),
        ('[forecast]\nrecipe = "magic"', "forecast.recipe = 'magic': .* there are ensemble, "),
        ("[forecast]\nrecipe = 3", "forecast.recipe = 3: write the name of a recipe, for example 'ensemble'"),
        ("forecast = 3", "write it as a table"),
        ('[hierarchy]\nkeys = ["organization", "organization"]', "named twice"),
        (
            '[hierarchy]\nkeys = ["plant"]',
            "'plant' is no field of an order line and no attribute of master data; "
            "there are organization, customer, material$",
        ),
        ("[hierarchy]\nkeys = []", "write a list of names"),
        ('[hierarchy]\nlevels = ["total", "plant"]', "'plant' is no field of an order line"),
        ('[hierarchy]\nkeys = ["material"]\nlevels = ["total", "customer"]', "which is not a key"),
        ('[hierarchy]\nlevels = ["total", "customer"]', "the last level must have all keys"),
        ('[hierarchy]\nlevels = ["total", "total", "organization,customer,material"]', "listed twice"),
    ],
)
def test_what_makes_no_sense(text: str, message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        parse_plan(tomllib.loads(text))


MASTER = """
[master.material.columns]
material = "article"
name = "text"
material_group = "form"
grade = "grade"
[[master.customer]]
columns = { customer = "no", segment = "seg" }
[[master.customer]]
columns = { customer = "id", segment = "class" }
"""


def test_levels_may_name_attributes() -> None:
    levels = "total; material_group; organization,material_group; organization,customer,material"
    plan = parse_plan(tomllib.loads(f'[hierarchy]\nlevels = "{levels}"' + MASTER))
    assert plan.keys == ("organization", "customer", "material", "material_group")
    assert plan.levels[1:3] == (("material_group",), ("organization", "material_group"))
    assert plan.levels[-1] == ("organization", "customer", "material")
    assert plan.key != parse_plan(tomllib.loads(MASTER)).key


def test_what_no_level_names_is_no_key() -> None:
    assert parse_plan(tomllib.loads(MASTER)) == Plan()


def test_attributes_may_be_keys_of_leaves() -> None:
    plan = parse_plan(tomllib.loads('[hierarchy]\nkeys = "organization,material_group"' + MASTER))
    assert plan.levels == ((), ("organization",), ("material_group",), ("organization", "material_group"))
    plan = parse_plan(tomllib.loads('[hierarchy]\nkeys = "segment"' + MASTER))
    assert plan.levels == ((), ("segment",))


@pytest.mark.parametrize(
    ("hierarchy", "message"),
    [
        (
            'levels = "total; region; organization,customer,material"',
            "'region' is no field of an order line and no attribute of master data; "
            "there are organization, customer, material, material_group, grade, segment",
        ),
        ('levels = "total; name; organization,customer,material"', "'name' is no field of an order line"),
        (
            'levels = "total; organization,customer,material_group"',
            "the last level must have all keys, and misses material",
        ),
        (
            'keys = "organization,grade"\nlevels = "total; organization"',
            "the last level must have all keys, and misses grade",
        ),
    ],
)
def test_attributes_that_make_no_sense(hierarchy: str, message: str) -> None:
    with pytest.raises(BadPlan, match=message):
        parse_plan(tomllib.loads(f"[hierarchy]\n{hierarchy}" + MASTER))


def test_master_data_that_cannot_be_understood_is_no_plan() -> None:
    with pytest.raises(BadSourceConfig, match="'grade' is an attribute of material already"):
        parse_plan(tomllib.loads(MASTER.replace("segment =", "grade =")))
