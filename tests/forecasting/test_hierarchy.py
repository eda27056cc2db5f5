"""Grouped hierarchies: nodes, order, summing, and what is refused."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.errors import BadHierarchy
from forecasting.hierarchy import Hierarchy, level_name, parse_level

GEOGRAPHY = pl.DataFrame({"state": ["A", "A", "B"], "zone": ["AA", "AB", "BA"], "purpose": ["x", "x", "y"]})


def test_nodes_run_level_by_level_with_leaves_last(tiny: Hierarchy) -> None:
    assert tiny.nodes.rows() == [
        ("total", None, None),
        ("organization", "NORD", None),
        ("organization", "WEST", None),
        ("material", None, "COIL"),
        ("material", None, "PLATE"),
        ("organization,material", "NORD", "COIL"),
        ("organization,material", "NORD", "PLATE"),
        ("organization,material", "WEST", "COIL"),
        ("organization,material", "WEST", "PLATE"),
    ]
    assert tiny.slices == (slice(0, 1), slice(1, 3), slice(3, 5), slice(5, 9))


def test_aggregate_by_hand(tiny: Hierarchy) -> None:
    summed = tiny.aggregate(np.array([[1.0], [2.0], [4.0], [8.0]]))
    assert summed.ravel().tolist() == [15, 3, 12, 5, 10, 1, 2, 4, 8]


def test_summing_matrix_by_hand(tiny: Hierarchy) -> None:
    assert tiny.summing.toarray()[:5].tolist() == [
        [1, 1, 1, 1],
        [1, 1, 0, 0],
        [0, 0, 1, 1],
        [1, 0, 1, 0],
        [0, 1, 0, 1],
    ]
    assert (tiny.summing.toarray()[5:] == np.eye(4)).all()


def test_the_leaf_level_need_not_have_all_keys() -> None:
    hierarchy = Hierarchy.of(["state", "zone", "purpose"], [(), ("state",), ("zone", "purpose")], GEOGRAPHY)
    assert hierarchy.n_leaves == 3
    assert hierarchy.nodes.row(-1) == ("zone,purpose", None, "BA", "y")


def test_leaves_are_put_in_canonical_order() -> None:
    leaves = pl.DataFrame({"k": ["b", "a", "c", "a"]})
    assert Hierarchy.of(["k"], [(), ("k",)], leaves).leaves["k"].to_list() == ["a", "b", "c"]


@given(st.permutations(range(4)))
def test_the_order_of_rows_is_immaterial(order: list[int]) -> None:
    leaves = pl.DataFrame({"o": ["N", "N", "W", "W"], "m": ["C", "P", "C", "P"]})[order]
    hierarchy = Hierarchy.of(["o", "m"], [(), ("m",), ("o", "m")], leaves)
    assert hierarchy.leaves.rows() == [("N", "C"), ("N", "P"), ("W", "C"), ("W", "P")]


def test_keeping_some_leaves_drops_nodes_without_leaves(tiny: Hierarchy) -> None:
    kept = tiny.keep(np.array([True, False, False, False]))
    assert kept.nodes["level"].to_list() == ["total", "organization", "material", "organization,material"]


@pytest.mark.parametrize("level", [(), ("organization",), ("organization", "customer")])
def test_level_names_round_trip(level: tuple[str, ...]) -> None:
    assert parse_level(level_name(level)) == level


@pytest.mark.parametrize(
    ("keys", "levels", "message"),
    [
        (["o"], [(), ("x",)], "'x', which is not a key"),
        (["o", "m"], [("o", "m"), ("m", "o")], "listed twice"),
        (["o", "m"], [(), ("o", "o", "m")], "names a key twice"),
        (["o", "m"], [(), ("o",)], "does not tell all 4 leaves apart; end the levels with 'o,m'"),
        (["o", "m"], [()], "does not tell all 4 leaves apart"),
        (["o", "m"], [], "at least one level"),
    ],
)
def test_levels_that_do_not_fit(keys: list[str], levels: list[tuple[str, ...]], message: str) -> None:
    leaves = pl.DataFrame({"o": ["N", "N", "W", "W"], "m": ["C", "P", "C", "P"]})
    with pytest.raises(BadHierarchy, match=message):
        Hierarchy.of(keys, levels, leaves)


@pytest.mark.parametrize(
    ("keys", "message"),
    [((), "at least one key"), (("a", "a"), "named twice"), (("total",), "cannot be a key")],
)
def test_keys_that_cannot_be_keys(keys: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadHierarchy, match=message):
        Hierarchy(keys, (keys,), pl.DataFrame({"a": ["x"]}))


@pytest.mark.parametrize(
    ("leaves", "message"),
    [
        (pl.DataFrame({"b": ["x"]}), "keys are"),
        (pl.DataFrame({"a": [1]}), "must be text"),
        (pl.DataFrame({"a": ["x", None]}), "empty key"),
        (pl.DataFrame({"a": pl.Series([], dtype=pl.String)}), "at least one leaf"),
    ],
)
def test_leaves_that_do_not_fit(leaves: pl.DataFrame, message: str) -> None:
    with pytest.raises(BadHierarchy, match=message):
        Hierarchy(("a",), ((), ("a",)), leaves)


@pytest.mark.parametrize("text", ["", "a,,b", ","])
def test_texts_that_are_no_level(text: str) -> None:
    with pytest.raises(BadHierarchy, match="names no key"):
        parse_level(text)
