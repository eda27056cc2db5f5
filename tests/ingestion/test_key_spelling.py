"""One spelling per key, whatever the order."""

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ingestion.key_spelling import spellings

key = st.text("aAbBßẞéÉ-1", min_size=1, max_size=3)


def spelled(keys: list[str], known: list[str]) -> dict[str, str]:
    table = spellings(pl.Series(keys, dtype=pl.String), pl.Series(known, dtype=pl.String))
    return dict(table.iter_rows())


def test_master_data_decides_else_the_first_by_bytes() -> None:
    assert spelled(["k-104", "K-104", "heb", "Heb", "x"], ["k-104", "HEB", "y"]) == {
        "k-104": "k-104",
        "K-104": "k-104",
        "heb": "HEB",
        "Heb": "HEB",
        "x": "x",
    }
    assert spelled(["k-104", "K-104", "é", "É"], []) == {
        "k-104": "K-104",
        "K-104": "K-104",
        "é": "É",
        "É": "É",
    }


def test_bytes_and_not_code_units_or_locale_decide() -> None:
    assert spelled(["straße", "STRAßE", "Straße"], [])["straße"] == "STRAßE"


@given(st.lists(key, max_size=8), st.lists(key, max_size=3), st.randoms())
def test_as_plain_python_says_in_any_order(keys: list[str], known: list[str], random: Any) -> None:
    expected = {}
    for each in keys:
        same = [other for other in known if other.lower() == each.lower()]
        same = same or [other for other in keys if other.lower() == each.lower()]
        expected[each] = min(same, key=str.encode)
    assert spelled(keys, known) == expected
    assert spelled(random.sample(keys, len(keys)), known[::-1]) == expected
