"""The TOML of master data: what is understood, and what each mistake is told."""

import copy
import tomllib
from typing import Any

import pytest

from ingestion.errors import BadSourceConfig, MissingEnvironment
from ingestion.master_config import parse_attributes, parse_master
from ingestion.source_config import Query, Table

TOML = """
[master.material]
url = "env:ERP_URL"
table = "sales.articles"
piece_weight = "LB"

[master.material.columns]
material = "article"
weight = "pounds"
material_group = "product form"

[[master.customer]]
url = "env:ERP_URL"
query = "select * from customers;"
columns = { customer = "no", name = "called", segment = "seg", region = "area" }

[[master.customer]]
url = "env:MILL_URL"
table = "kunden"
columns = { customer = "nr", segment = "klasse" }
"""
ENVIRONMENT = {"ERP_URL": "postgresql://reader:topsecret@db:5433/erp", "MILL_URL": "postgres://db/mill"}


def test_tables_are_understood_in_the_order_of_the_file() -> None:
    material, first, second = parse_master(tomllib.loads(TOML), ENVIRONMENT)
    assert (material.place, material.key, material.piece_weight) == ("master.material", "material", "LB")
    assert (material.relation, material.attributes) == (Table(("sales", "articles")), ("material_group",))
    assert (first.place, first.relation) == ("master.customer 1", Query("select * from customers"))
    assert (first.attributes, first.piece_weight) == (("segment", "region"), None)
    assert (second.place, second.columns) == ("master.customer 2", {"customer": "nr", "segment": "klasse"})
    assert "topsecret" not in repr(material)


def test_a_table_can_be_connected_to_like_a_source() -> None:
    source = parse_master(tomllib.loads(TOML), ENVIRONMENT)[0].as_source()
    assert (source.name, source.address, source.dialect) == ("master.material", "db:5433/erp", "postgresql")
    assert source.knowing(["article"]) == source


def test_attributes_need_no_environment() -> None:
    expected = {"material_group": "material", "segment": "customer", "region": "customer"}
    assert dict(parse_attributes(tomllib.loads(TOML))) == expected
    assert (parse_attributes({}), parse_master({}, {})) == ({}, ())


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(MissingEnvironment, match=r"\[master.customer 2\] url: .* MILL_URL is not set"):
        parse_master(tomllib.loads(TOML), {"ERP_URL": ENVIRONMENT["ERP_URL"]})


@pytest.mark.parametrize(
    "name", ["customer", "status", "total", "level", "slice", "a,b", "a b", "1st", "", "a\n"]
)
def test_an_attribute_has_a_plain_name_of_its_own(name: str) -> None:
    document = tomllib.loads(TOML)
    document["master"]["material"]["columns"][name] = "x"
    with pytest.raises(BadSourceConfig, match="cannot be an attribute; give it a name of its own") as caught:
        parse_attributes(document)
    assert caught.value.where == "[master.material.columns]"


@pytest.mark.parametrize(
    ("path", "value", "where", "problem"),
    [
        ("master", 3, "[master]", "not a table"),
        ("master/plant", {}, "[master]", "unknown key 'plant'"),
        ("master/material", 3, "[master.material]", "not a table"),
        ("master/material/unit", "kg", "[master.material]", "unknown key 'unit'"),
        ("master/material/columns", None, "[master.material.columns]", "no column for material"),
        ("master/material/columns/material", None, "[master.material.columns]", "no column for material"),
        ("master/material/columns/grade", 3, "[master.material.columns] grade", "3 is not a text"),
        (
            "master/material/columns/grade",
            "article",
            "[master.material.columns]",
            "column 'article' is mapped to both material and grade",
        ),
        (
            "master/material/columns/region",
            "x",
            "[master.customer 1.columns]",
            "'region' is an attribute of material already",
        ),
        ("master/material/piece_weight", None, "[master.material]", "nothing says the unit of weight"),
        ("master/material/piece_weight", "g", "[master.material] piece_weight", "'g' is no unit of weight"),
        ("master/material/piece_weight", "pc", "[master.material] piece_weight", "'pc' is no unit of weight"),
        (
            "master/material/columns/weight",
            None,
            "[master.material]",
            "piece_weight is given, and no column for weight",
        ),
        ("master/material/table", None, "[master.material]", "neither query nor table is given"),
        ("master/material/url", "x", "[master.material] url", "not of the form env:NAME"),
        (
            "master/customer",
            {"columns": {"customer": "no", "weight": "kg"}},
            "[master.customer.columns]",
            "'weight' cannot be an attribute",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(path: str, value: Any, where: str, problem: str) -> None:
    document = copy.deepcopy(tomllib.loads(TOML))
    table: Any = document
    *parents, key = path.split("/")
    for parent in parents:
        table = table[parent]
    if value is None:
        del table[key]
    else:
        table[key] = value
    with pytest.raises(BadSourceConfig) as caught:
        parse_master(document, ENVIRONMENT)
    assert (caught.value.where, caught.value.problem) == (where, problem)
