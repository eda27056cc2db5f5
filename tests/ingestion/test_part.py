"""The hash of a part: does not move, does not depend on order, and misses no change."""

import hashlib
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.order_line import PART_LINES, PART_REJECTS
from ingestion.part import Part, content_hash, part_of

GOLDEN = "174b962709dd02ef65d72a4e8401ade3c2848f31211ba945fa124b452439b456"

ROWS: list[tuple[Any, ...]] = [
    ("1", "NORD", "K-104", "HEB-200", date(2026, 10, 14), 12_500),
    ("2", "SÜD", "K-7; drop", "鋼:~", date(1970, 1, 1), -3),
]
ASIDE: list[tuple[Any, ...]] = [
    ("cancelled", "3", "status", "void", 40),
    ("missing key", "4", "customer", None, None),
]


def part(rows: list[tuple[Any, ...]], aside: list[tuple[Any, ...]]) -> Part:
    return part_of(
        pl.DataFrame(rows, schema=PART_LINES, orient="row"),
        pl.DataFrame(aside, schema=PART_REJECTS, orient="row"),
    )


def spelled_out(rows: list[tuple[Any, ...]], aside: list[tuple[Any, ...]]) -> str:
    """The hash again, value by value in plain Python."""

    def number(value: int) -> bytes:
        return value.to_bytes(8, "little", signed=True)

    content = b"tonnage tables 2\n"
    for name, schema, table in (("lines", PART_LINES, rows), ("rejects", PART_REJECTS, aside)):
        content += f"{name} {len(table)}\n".encode()
        for position, (column, kind) in enumerate(schema.items()):
            values = [row[position] for row in table]
            content += f"{column}\n".encode()
            if kind == pl.String:
                content += b"".join(number(-1 if each is None else len(each.encode())) for each in values)
                content += b"".join((each or "").encode() for each in values)
            else:
                days = [(each - date(1970, 1, 1)).days if isinstance(each, date) else each for each in values]
                content += bytes(each is not None for each in days)
                content += b"".join(number(each or 0) for each in days)
    return hashlib.sha256(content).hexdigest()


def test_the_hash_does_not_move() -> None:
    assert part(ROWS, ASIDE).id == GOLDEN == spelled_out(ROWS, ASIDE)


def test_an_empty_part_has_a_hash() -> None:
    assert part([], []).id == spelled_out([], [])


word = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
row = st.tuples(word, word, word, word, st.dates(date(1970, 1, 1)), st.integers(-(10**12), 10**12))


@given(st.lists(row, unique_by=lambda each: each[0], max_size=8), st.randoms())
def test_the_order_of_rows_is_immaterial(rows: list[tuple[Any, ...]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    assert part(shuffled, ASIDE[::-1]).id == spelled_out(sorted(rows, key=lambda r: r[0].encode()), ASIDE)


@pytest.mark.parametrize("column", range(len(PART_LINES)))
def test_a_change_in_any_column_changes_the_hash(column: int) -> None:
    other = {date: date(2026, 10, 15), int: 12_501, str: "x"}
    changed = list(ROWS[0])
    changed[column] = other[type(changed[column])]
    assert part([tuple(changed), ROWS[1]], ASIDE).id != GOLDEN
    assert part(ROWS, ASIDE[:1]).id != GOLDEN


def test_values_cannot_run_into_each_other() -> None:
    one = part([("1", "ab", "c", "d", date(2026, 10, 1), 1)], [])
    two = part([("1", "a", "bc", "d", date(2026, 10, 1), 1)], [])
    assert one.id != two.id
    missing = part([], [("cancelled", "3", "status", None, 40)])
    empty = part([], [("cancelled", "3", "status", "", 40)])
    assert missing.id != empty.id


def test_a_slice_of_a_table_hashes_like_the_table_itself() -> None:
    table = pl.DataFrame([*ROWS, *ROWS], schema=PART_LINES, orient="row")
    assert content_hash({"lines": table[2:]}) == content_hash({"lines": table[:2].rechunk()})
