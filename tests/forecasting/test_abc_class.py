"""ABC classes by hand and in any unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.abc_class import AbcClass, abc_codes

A, B, C = AbcClass


@pytest.mark.parametrize(
    ("tonnes", "classes"),
    [
        ([100.0], [A]),
        ([79.0, 16.0, 5.0], [A, A, C]),
        ([80.0, 15.0, 5.0], [A, B, C]),
        ([1.0, 1.0, 1.0, 1.0], [A, A, A, A]),
        ([1.0] * 5, [A, A, A, A, B]),
        ([0.0, 0.0], [C, C]),
        ([-5.0, 10.0, np.nan], [C, A, C]),
        ([], []),
    ],
)
def test_by_hand(tonnes: list[float], classes: list[AbcClass]) -> None:
    assert abc_codes(np.array(tonnes)).tolist() == classes


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=40))
def test_the_largest_are_in_front_in_any_unit(kilograms: list[int]) -> None:
    bought = np.array(kilograms, dtype=float)
    codes = abc_codes(bought)
    order = np.argsort(-bought, kind="stable")
    assert (np.diff(codes[order]) >= 0).all()
    assert codes.tolist() == abc_codes(bought * 1024).tolist()
    if bought.sum() > 0:
        assert bought[codes == A].sum() >= 0.8 * bought.sum() * (1 - 1e-12)
        # A zero among them changes no other.
        assert abc_codes(np.append(bought, 0.0))[:-1].tolist() == codes.tolist()
