"""Master data gathered by hand, in any order, with a hash that does not move."""

import hashlib
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.master_config import MasterConfig, parse_master
from ingestion.master_data import MasterData, Strangers, gather, strangers


def table(
    key: str, *rows: tuple[str | None, ...], columns: str, **other: str
) -> tuple[MasterConfig, pl.DataFrame]:
    """A table of master data as it would be described and read; columns are called as we call them."""
    names = columns.split()
    described = {"url": "env:URL", "table": "t", "columns": {name: name for name in names}, **other}
    (config,) = parse_master({"master": {key: described}}, {"URL": "postgresql://db/erp"})
    return config, pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def test_names_attributes_and_weights_are_read() -> None:
    master = gather(
        [
            table(
                "material",
                (" HEB-200 ", "Beam", "1622.4", ""),
                ("BOLT", None, "0.5", "Small parts"),
                columns="material name weight material_group",
                piece_weight="lb",
            ),
            table("customer", ("K-1", "A"), columns="customer segment"),
        ]
    )
    assert master.tables["material"].columns == ["material", "name", "material_group", "weight"]
    assert master.tables["material"].rows() == [
        ("BOLT", None, "Small parts", Decimal("0.226796185")),
        ("HEB-200", "Beam", None, Decimal("735.908261088")),
    ]
    assert master.tables["customer"].rows() == [("K-1", None, "A")]
    assert master.attributes == {"material_group": "material", "segment": "customer"}
    assert master.conflicts == {"customer": 0, "material": 0}


def test_a_house_without_master_data_knows_nothing() -> None:
    for nothing in (MasterData(), gather([])):
        assert (nothing.tables, nothing.attributes, nothing.weights) == ({}, {}, None)
        assert nothing.spelled("customer").to_list() == []
    assert gather([table("material", ("A", "x"), columns="material grade")]).weights is None


@pytest.mark.parametrize("weight", [None, "", "0", "-1", "heavy", "NaN", "inf", "1e10", "1e30"])
def test_a_weight_that_weighs_nothing_is_none(weight: str | None) -> None:
    rows = (("A", weight), ("B", "7"))
    master = gather([table("material", *rows, columns="material weight", piece_weight="kg")])
    assert master.tables["material"]["weight"].to_list() == [None, Decimal(7)]
    assert master.weights is not None
    assert master.weights.rows() == [("B", Decimal(7))]


def test_what_is_no_key_is_left_out_and_what_is_no_attribute_is_unknown() -> None:
    rows = [
        (None, "x"),
        (" ", "x"),
        ("K\0", "x"),
        ("K" * 201, "x"),
        ("K-1", "a\nb"),
        ("K-2", "y" * 201),
        ("K-3", " Unknown"),
        ("K-4", "é;'\U0001f69a"),
    ]
    master = gather([table("customer", *rows, columns="customer segment")])
    assert master.tables["customer"].select("customer", "segment").rows() == [
        ("K-1", None),
        ("K-2", None),
        ("K-3", None),
        ("K-4", "é;'\U0001f69a"),
    ]


def test_of_rows_that_differ_the_first_by_bytes_wins_and_the_key_is_counted() -> None:
    rows = [
        ("K-1", "B", "x"),
        ("K-1", "A", "z"),
        ("K-2", "A", "x"),
        ("k-2", "A", "x"),  # says the same
        ("k-3", None, "x"),
        ("K-3", "a", "x"),  # cased like the segment of K-2
        ("K-4", None, None),  # nothing says less than something
        ("K-4", "B", "y"),
    ]
    master = gather([table("customer", *rows, columns="customer segment name")])
    assert master.tables["customer"].rows() == [
        ("K-1", "x", "B"),
        ("K-2", "x", "A"),
        ("K-3", "x", "A"),
        ("K-4", "y", "B"),
    ]
    assert master.conflicts == {"customer": 3}


def test_the_first_table_that_knows_a_key_wins() -> None:
    first = table("customer", ("k-1", "A"), columns="customer segment")
    second = table("customer", ("K-1", "B", "N"), ("K-2", "B", "S"), columns="customer segment region")
    master = gather([first, second])
    assert master.tables["customer"].columns == ["customer", "name", "region", "segment"]
    assert master.tables["customer"].rows() == [("K-2", None, "S", "B"), ("k-1", None, None, "A")]
    assert master.conflicts == {"customer": 0}


text = st.sampled_from([None, "", "a", "A", " b", "é", "x:1~"])


@given(st.lists(st.tuples(st.sampled_from(["1", "k", "K", "ü"]), text, text), max_size=8), st.randoms())
def test_the_order_of_rows_is_immaterial_and_every_key_comes_once(rows: Any, random: Any) -> None:
    master = gather([table("customer", *rows, columns="customer segment name")])
    shuffled = gather([table("customer", *random.sample(rows, len(rows)), columns="customer segment name")])
    assert shuffled.tables["customer"].equals(master.tables["customer"])
    assert (shuffled.id, shuffled.conflicts) == (master.id, master.conflicts)
    keys = master.tables["customer"]["customer"].to_list()
    assert keys == sorted(keys, key=str.encode)
    assert sorted(each.lower() for each in keys) == sorted({row[0].lower() for row in rows})


def test_the_hash_is_that_of_the_rows_written_out() -> None:
    material = table(
        "material", ("A:1", None, "0.5", "é"), columns="material name weight grade", piece_weight="kg"
    )
    customer = table("customer", ("K-1", "A"), columns="customer segment")
    written = (
        "tonnage master data 1\n"
        "customer customer,name,segment\n3:K-1~1:A\n"
        "material material,name,grade,weight\n3:A:1~2:é18:500000000000000000\n"
    )
    assert gather([material, customer]).id == gather([customer, material]).id
    assert gather([material, customer]).id == hashlib.sha256(written.encode()).hexdigest()
    assert MasterData().id == hashlib.sha256(b"tonnage master data 1\n").hexdigest()


def test_keys_that_master_data_does_not_know_are_counted_with_their_lines() -> None:
    master = gather([table("customer", ("k-1", "A"), columns="customer segment")])
    lines = pl.DataFrame(
        {"customer": ["K-1", "K-2", "k-2", "K-3"], "material": ["x"] * 4, "quantity": [1, 20, -5, 400]}
    )
    assert strangers(lines, master) == {"customer": Strangers(2, 415)}
    assert strangers(lines.clear(), master) == {"customer": Strangers(0, 0)}
