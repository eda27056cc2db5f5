"""Conversion to integer kilograms against Python's own exact decimals."""

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ingestion.units import FACTORS, LARGEST, NUMBER, DemandUnit, plain_unit, spelled_plainly, whole_units

KILOGRAMS = {
    "kg": "1",
    "t": "1000",
    "lb": "0.45359237",
    "cwt": "45.359237",
    "short ton": "907.18474",
    "long ton": "1016.0469088",
}

FACTORS_USED = sorted(set(FACTORS[DemandUnit.TONNE].values()))


@cache
def connection(url: str) -> sa.Engine:
    return sa.create_engine(url, poolclass=sa.NullPool)


def converted(text: str, factor: Decimal) -> int | None:
    result: int | None = whole_units(pl.Series([text]), pl.Series([factor], dtype=NUMBER), pl.Series([0]))[0]
    return result


@pytest.mark.parametrize(("unit", "kilograms"), KILOGRAMS.items())
def test_a_unit_weighs_what_the_law_says(unit: str, kilograms: str) -> None:
    assert FACTORS[DemandUnit.TONNE][spelled_plainly(unit)] == Decimal(kilograms)


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=18, allow_nan=False),
    st.sampled_from(sorted(KILOGRAMS)),
)
def test_kilograms_are_exact(quantity: Decimal, unit: str) -> None:
    with localcontext(prec=60):
        exact = quantity * Decimal(KILOGRAMS[unit])
        expected = int(exact.to_integral_value(ROUND_HALF_UP))
    found = converted(f"{quantity:f}", FACTORS[DemandUnit.TONNE][spelled_plainly(unit)])
    assert found == (expected if abs(expected) <= LARGEST else None)


@given(st.integers(-(10**9), 10**9), st.sampled_from([-1, 0, 1]))
def test_ties_go_away_from_zero_and_a_hair_decides(kilograms: int, hair: int) -> None:
    with localcontext(prec=60):
        tonnes = (Decimal(kilograms) + Decimal("0.5")) / 1000 + hair * Decimal("1e-18")
        expected = int((tonnes * 1000).to_integral_value(ROUND_HALF_UP))
    assert converted(f"{tonnes:f}", FACTORS[DemandUnit.TONNE]["t"]) == expected


def written(number: Decimal) -> st.SearchStrategy[str]:
    """The same number as databases and exports write it."""
    plain = f"{number:f}"
    bare = re.sub(r"^(-?)0\.", r"\1.", plain)
    return st.sampled_from([plain, f"{number:+f}", f"{number:e}", bare])


@st.composite
def near_a_tie(draw: st.DrawFn) -> Decimal:
    """Tonnes whose kilograms end in a half, or so little beside it that a float cannot tell."""
    whole, hair = draw(st.integers(-(10**9), 10**9)), draw(st.sampled_from([-1, 0, 1]))
    with localcontext(prec=60):
        return (whole + Decimal("0.5") + hair * Decimal(1).scaleb(-draw(st.integers(1, 24)))) / 1000


weight = st.decimals(min_value=0, max_value=10**6, places=8, allow_nan=False)
quantity = st.one_of(
    st.decimals(min_value=-(10**9), max_value=10**9, places=3, allow_nan=False),
    st.decimals(min_value=-(10**9), max_value=10**9, places=24, allow_nan=False),
    st.decimals(min_value=-(10**18), max_value=10**18, places=1, allow_nan=False),
)
line = st.one_of(
    st.tuples(near_a_tie().flatmap(written), st.just(Decimal(1000))),
    st.tuples(quantity.flatmap(written), st.one_of(st.sampled_from(FACTORS_USED), weight)),
)


@given(st.lists(line, min_size=1))
def test_postgres_rounds_the_same_way(postgres_url: str, lines: list[tuple[str, Decimal]]) -> None:
    texts, factors = zip(*lines, strict=True)
    question = sa.text(
        "select round(cast(q as numeric) * cast(f as numeric)) "
        "from unnest(cast(:q as text[]), cast(:f as text[])) with ordinality as line (q, f, n) order by n"
    )
    with connection(postgres_url).connect() as server:
        answers = server.execute(question, {"q": list(texts), "f": [f"{each:f}" for each in factors]})
        expected = [int(each) if abs(each) <= LARGEST else None for (each,) in answers]
    assert (
        whole_units(
            pl.Series(texts), pl.Series(factors, dtype=NUMBER), pl.Series(range(len(texts)))
        ).to_list()
        == expected
    )


@pytest.mark.parametrize("kilograms", [0, 2, 12_500, 10**9])
def test_the_last_decimals_of_a_pound_decide_a_tie(kilograms: int) -> None:
    # The least number of pounds, in 18 decimals, that weighs more than so many kilograms and a half.
    digits = (2 * kilograms + 1) * 10**26 // 2 // 45_359_237 + 1
    with localcontext(prec=60):
        above, below = (f"{Decimal(each).scaleb(-18):f}" for each in (digits, digits - 1))
    assert converted(above, Decimal("0.45359237")) == kilograms + 1
    assert converted(below, Decimal("0.45359237")) == kilograms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5e-3", 2),
        ("1E3", 1_000_000),
        ("+7", 7000),
        (".0005", 1),
        ("0.00049999999999999999999", 0),
        ("-49999999999999999999999e-26", 0),
        ("0.0015", 2),
        ("0.30000000000000004", 300),
        ("1000000000", LARGEST),
        ("-1000000000", -LARGEST),
        ("1000000000.001", None),
        ("99999999999999999999", None),
        ("1e400", None),
        ("12,5", None),
        ("0x10", None),
    ],
)
def test_how_a_number_may_be_written(text: str, expected: int | None) -> None:
    assert converted(text, FACTORS[DemandUnit.TONNE]["t"]) == expected


@pytest.mark.parametrize("spelling", ["Short Ton", "short_tons", "SHORT-TON", "s.ton", "ST", " net  tons "])
def test_spellings_of_a_short_ton(spelling: str) -> None:
    plain = pl.select(plain_unit(pl.lit(spelling))).item()
    assert plain == spelled_plainly(spelling)
    assert FACTORS[DemandUnit.TONNE][plain] == Decimal("907.18474")
