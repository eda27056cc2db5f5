"""The TOML of a source: what is understood, and what each mistake is told."""

import copy
import tomllib
from typing import Any

import pytest

from ingestion.errors import BadSourceConfig, MissingEnvironment
from ingestion.source_config import Query, Table, parse_demand, parse_sources
from ingestion.units import DemandUnit

TOML = """
[sources.erp]
url = "env:ERP_URL"
table = "sales.order_lines"
unit = "kg"
max_rejects = 0.1
time_zone = "Europe/Berlin"
limits = { "missing key" = 0.2, "duplicate line" = 0 }

[sources.erp.columns]
line = "id"
organization = "plant"
customer = "customer no"
material = "item"
date = "wanted"
quantity = "qty"

[sources.mill]
url = "env:MILL_URL"
query = "select * from lines;"

[sources.mill.columns]
line = "id"
organization = "plant"
customer = "cust"
material = "item"
date = "wanted"
quantity = "qty"
unit = "uom"
status = "state"
"""
ENVIRONMENT = {
    "ERP_URL": "postgresql+psycopg2://reader:topsecret@db.example:5433/erp",
    "MILL_URL": "postgres://postgres:@/mill?host=/run/postgres",
}


def test_two_sources_are_understood() -> None:
    erp, mill = parse_sources(tomllib.loads(TOML), ENVIRONMENT)
    assert (erp.name, erp.relation, erp.constant_unit) == ("erp", Table(("sales", "order_lines")), "kg")
    assert (erp.max_rejects, erp.variable, erp.dialect) == (0.1, "ERP_URL", "postgresql")
    assert (erp.time_zone, mill.time_zone) == ("Europe/Berlin", "UTC")
    assert (erp.limits, mill.limits) == ({"missing key": 0.2, "duplicate line": 0.0}, {})
    assert erp.columns["customer"] == "customer no"
    assert "unit" not in erp.columns
    assert erp.address == "db.example:5433/erp"
    assert (mill.relation, mill.constant_unit) == (Query("select * from lines"), None)
    assert (mill.max_rejects, mill.dialect) == (0.02, "postgresql")
    assert mill.address == "/run/postgres/mill"


def test_a_printed_source_hides_its_password() -> None:
    erp, _ = parse_sources(tomllib.loads(TOML), ENVIRONMENT)
    assert "topsecret" not in repr(erp)
    assert "topsecret" not in erp.address


def changed(path: str, value: Any) -> dict[str, Any]:
    """The document with one key set, or taken out when the value is None."""
    document = copy.deepcopy(tomllib.loads(TOML))
    table: Any = document
    *parents, key = path.split("/")
    for parent in parents:
        table = table[parent]
    if value is None:
        del table[key]
    else:
        table[key] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "where", "problem"),
    [
        ("sources", {}, "[sources]", "no source is described"),
        ("sources", 3, "[sources]", "no source is described"),
        ("sources/erp", "x", "[sources.erp]", "not a table"),
        ("sources/erp/url", None, "[sources.erp] url", "missing"),
        ("sources/erp/url", "postgresql://a:topsecret@b/c", "[sources.erp] url", "not of the form env:NAME"),
        ("sources/erp/url", "env: ", "[sources.erp] url", "not of the form env:NAME"),
        ("sources/erp/query", "select 1", "[sources.erp]", "both query and table are given"),
        ("sources/erp/table", None, "[sources.erp]", "neither query nor table is given"),
        ("sources/erp/table", "a.b.c", "[sources.erp] table", "'a.b.c' is not a table"),
        ("sources/erp/table", " ", "[sources.erp] table", "' ' is not a text"),
        ("sources/erp/colums", {}, "[sources.erp]", "unknown key 'colums'"),
        (
            "sources/erp/columns",
            None,
            "[sources.erp.columns]",
            "no column for line, organization, customer, material, date, quantity",
        ),
        ("sources/erp/columns/date", None, "[sources.erp.columns]", "no column for date"),
        ("sources/erp/columns/weight", "w", "[sources.erp.columns]", "unknown key 'weight'"),
        ("sources/erp/columns/date", 7, "[sources.erp.columns] date", "7 is not a text"),
        (
            "sources/erp/columns/material",
            "plant",
            "[sources.erp.columns]",
            "column 'plant' is mapped to both organization and material",
        ),
        ("sources/erp/columns/unit", "uom", "[sources.erp]", "unit is both a constant and a column"),
        ("sources/erp/unit", None, "[sources.erp]", "nothing says the unit of quantity"),
        ("sources/erp/unit", "ton", "[sources.erp] unit", "'ton' is not a known unit"),
        ("sources/erp/time_zone", "CEST", "[sources.erp] time_zone", "'CEST' is not a known time zone"),
        ("sources/erp/time_zone", "../UTC", "[sources.erp] time_zone", "'../UTC' is not a known time zone"),
        ("sources/erp/time_zone", 1, "[sources.erp] time_zone", "1 is not a text"),
        ("sources/erp/limits", 0.1, "[sources.erp.limits]", "not a table"),
        ("sources/erp/limits", {"late": 0.1}, "[sources.erp.limits]", "unknown reason 'late'"),
        (
            "sources/erp/limits",
            {"missing key": 10},
            "[sources.erp.limits] 'missing key'",
            "10 is not a share of the lines",
        ),
        ("sources/erp/max_rejects", 2, "[sources.erp] max_rejects", "2 is not a share of the lines"),
        ("sources/erp/max_rejects", True, "[sources.erp] max_rejects", "True is not a share of the lines"),
        ("sources/erp/max_rejects", "2 %", "[sources.erp] max_rejects", "'2 %' is not a share of the lines"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(path: str, value: Any, where: str, problem: str) -> None:
    with pytest.raises(BadSourceConfig) as caught:
        parse_sources(changed(path, value), ENVIRONMENT)
    assert (caught.value.where, caught.value.problem) == (where, problem)
    assert caught.value.remedy in str(caught.value)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("topsecret", "not a database URL"),
        ("postgresql://u:topsecret@h:port/d", "not a database URL"),
        ("mysql://u:topsecret@h/d", "databases of kind 'mysql' cannot be read"),
        ("postgresql://u:top@secret@h/d", "a second @ before the host"),
    ],
)
def test_a_bad_url_is_refused_and_not_shown(url: str, problem: str) -> None:
    with pytest.raises(BadSourceConfig) as caught:
        parse_sources(tomllib.loads(TOML), ENVIRONMENT | {"ERP_URL": url})
    assert caught.value.where == "[sources.erp] url, environment variable ERP_URL"
    assert caught.value.problem == problem
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("environment", [{}, {"ERP_URL": "  "}])
def test_a_missing_variable_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(MissingEnvironment, match="ERP_URL is not set; set it to") as caught:
        parse_sources(tomllib.loads(TOML), environment)
    assert (caught.value.where, caught.value.variable) == ("[sources.erp]", "ERP_URL")


def test_an_unknown_reason_is_told_those_that_there_are() -> None:
    with pytest.raises(BadSourceConfig, match="reasons are cancelled, missing line id, missing key, "):
        parse_sources(changed("sources/erp/limits", {"late": 0.1}), ENVIRONMENT)


def test_demand_is_in_tonnes_unless_said_otherwise() -> None:
    assert parse_demand({}) is DemandUnit.TONNE
    assert parse_demand({"demand": {"unit": "t"}}) is DemandUnit.TONNE
    assert parse_demand({"demand": {"unit": "piece"}}) is DemandUnit.PIECE


@pytest.mark.parametrize("demand", [{"unit": "kg"}, {"unit": 1}, {"units": "t"}, "t"])
def test_another_unit_of_demand_is_refused(demand: Any) -> None:
    with pytest.raises(BadSourceConfig) as caught:
        parse_demand({"demand": demand})
    assert caught.value.where.startswith("[demand]")
