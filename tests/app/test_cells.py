"""Cells of CSV: written alike by us and by PostgreSQL, and run by no spreadsheet."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.store.cells import (
    Separator,
    number_cell,
    number_cell_sql,
    runs_as_formula,
    sql_values,
    text_cell,
    text_cell_sql,
)

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
TRICKY = st.text(st.sampled_from("=+-@＝＋－＠ \t\n\r\v\f\xa0\u3000\ufeff\u2003'\",;a1%\\"), max_size=5)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = 2.0**53


@settings(max_examples=300)
@given(TEXT | TRICKY | st.none(), st.sampled_from([",", ";"]))
def test_text_as_postgresql_writes_it(migrated: Engine, text: str | None, separator: Separator) -> None:
    with migrated.connect() as connection:
        query = f"select {text_cell_sql('%(text)s::text')}"
        written = connection.exec_driver_sql(query, {"text": text, **sql_values(separator)}).scalar_one()
    assert written == text_cell(text, separator)


@settings(max_examples=300)
@given(st.lists(DOUBLES | st.floats(1e14, 1e17) | st.integers(0, 10**16).map(float), min_size=1))
@example([0.0, -0.0, 1e15, 1e16, 123456789012345.6, 1234567890123456.0, 1e-4, 1e-5, 5e-324, -1.5e15])
def test_numbers_as_postgresql_writes_them(migrated: Engine, numbers: list[float]) -> None:
    with migrated.connect() as connection:
        query = (
            f"select string_agg({number_cell_sql('number')}, ' ' order by place) "
            "from unnest(%(numbers)s::text[]::float8[]) with ordinality as given (number, place)"
        )
        written = connection.exec_driver_sql(query, {"numbers": [*map(repr, numbers)]}).scalar_one()
    for number, text in zip(numbers, written.split(" "), strict=True):
        assert float(text) == float(number_cell(number)) == number
        if abs(number) < WHOLE:
            assert text == number_cell(number)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "\0x",
        " =1",
        "\xa0=1",
        "\ufeff=1",
        "＝1",
        " ＠SUM",
    ],
)
def test_text_that_a_spreadsheet_would_run(text: str) -> None:
    assert runs_as_formula(text)
    (row,) = csv.reader(io.StringIO(text_cell(text) + "\n", newline=""))
    assert row == [f"'{text}"]


@pytest.mark.parametrize(
    "text", ['a"b', "a,b", "a\nb", "a\r\nb", '"', "", "ü 'quoted'", "1-2", "a=b", " a", "'=1"]
)
def test_text_reads_back(text: str) -> None:
    assert not runs_as_formula(text)
    assert next(csv.reader(io.StringIO(f"{text_cell(text)},\n", newline=""))) == [text, ""]


def test_only_the_own_separator_is_quoted() -> None:
    assert [text_cell("a;b", sep) for sep in (",", ";")] == ["a;b", '"a;b"']
    assert [text_cell("a,b", sep) for sep in (",", ";")] == ['"a,b"', "a,b"]
