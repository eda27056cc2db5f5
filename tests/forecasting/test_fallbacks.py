"""Reasons by node: few texts, many codes, and nothing lost on the way."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecasting.fallbacks import Fallbacks, joined

REASONS = st.lists(st.sampled_from(["", "late", "broken", "young"]), max_size=12)


@given(st.lists(st.tuples(st.sampled_from(["", "late"]), st.sampled_from(["", "broken", "late"]))))
def test_two_reasons_are_both_told(pairs: list[tuple[str, str]]) -> None:
    left, right = (Fallbacks.of([pair[side] for pair in pairs]) for side in (0, 1))
    assert left.also(right).reasons == ["; ".join(text for text in pair if text) for pair in pairs]


@given(st.lists(REASONS, min_size=1, max_size=4))
def test_parts_one_after_the_other(parts: list[list[str]]) -> None:
    whole = joined([Fallbacks.of(part) for part in parts])
    assert whole.reasons == [text for part in parts for text in part]
    assert whole.texts[0] == ""
    assert len(set(whole.texts)) == len(whole.texts)


def test_places_among_more_nodes_by_hand() -> None:
    some = Fallbacks.of(["", "late"])
    assert some.spread_out(np.array([3, 1]), 4, "no demand").reasons == ["no demand", "late", "no demand", ""]
    assert some.spread_out(np.array([True, False, True]), 3).reasons == ["", "", "late"]
    assert Fallbacks.none(2).reasons == ["", ""]
    assert Fallbacks.where(np.array([False, True]), "late").reasons == ["", "late"]


def test_a_million_nodes_take_four_megabytes() -> None:
    many = Fallbacks.where(np.arange(1_000_000) % 2 == 0, "late").also(Fallbacks.none(1_000_000))
    assert many.texts == ("", "late")
    assert many.codes.nbytes == 4_000_000
