"""The id of a snapshot: does not move, does not depend on order, and misses no change."""

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.months import Month
from ingestion.order_line import LINES, REJECTS
from ingestion.snapshot import Provenance, Snapshot, content_id, seal
from ingestion.units import DemandUnit

OCTOBER = Month(2026, 10)
TAKEN = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
GOLDEN = "dd9bb8e84e32caea5449af4dc8807c1c01c119a30f75c21014129b99f682899a"

ROWS: list[tuple[Any, ...]] = [
    ("erp", "1", "NORD", "K-104", "HEB-200", date(2026, 10, 14), 12_500),
    ("erp", "2", "SÜD", "K-7; drop", "鋼:~", date(1970, 1, 1), -3),
]
ASIDE: list[tuple[Any, ...]] = [
    ("cancelled", "erp", "3", "status", "void", 40),
    ("missing key", "erp", "4", "customer", None, None),
]


def lines_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=LINES, orient="row")


def rejects_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=REJECTS, orient="row")


def sealed(rows: list[tuple[Any, ...]], aside: list[tuple[Any, ...]], **other: Any) -> Snapshot:
    facts = {"month": OCTOBER, "demand": DemandUnit.TONNE, "taken_at": TAKEN, "code_version": "1"} | other
    provenance = [Provenance("erp", "postgresql", "select 1")]
    return seal(lines=lines_of(rows), rejects=rejects_of(aside), sources=provenance, **facts)


def spelled_out(rows: list[tuple[Any, ...]], aside: list[tuple[Any, ...]]) -> str:
    """The id again, value by value in plain Python."""
    text = "tonnage snapshot 1\n2026-10\nt\n"
    for name, schema, table in (("lines", LINES, rows), ("rejects", REJECTS, aside)):
        text += f"{name} {','.join(schema.names())}\n"
        for row in table:
            for value in row:
                written = str((value - date(1970, 1, 1)).days if isinstance(value, date) else value)
                text += "~" if value is None else f"{len(written.encode())}:{written}"
            text += "\n"
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_id_does_not_move() -> None:
    assert sealed(ROWS, ASIDE).id == GOLDEN == spelled_out(ROWS, ASIDE)


word = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
row = st.tuples(
    st.just("erp"), word, word, word, word, st.dates(date(1970, 1, 1)), st.integers(-(10**12), 10**12)
)


@given(st.lists(row, unique_by=lambda each: each[1], max_size=8), st.randoms())
def test_the_order_of_rows_is_immaterial(rows: list[tuple[Any, ...]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    assert sealed(shuffled, ASIDE[::-1]).id == spelled_out(sorted(rows, key=lambda r: r[1].encode()), ASIDE)


@pytest.mark.parametrize("column", range(len(LINES)))
def test_a_change_in_any_column_changes_the_id(column: int) -> None:
    other = {date: date(2026, 10, 15), int: 12_501, str: "x"}
    changed = list(ROWS[0])
    changed[column] = other[type(changed[column])]
    assert sealed([tuple(changed), ROWS[1]], ASIDE).id != GOLDEN


def test_month_unit_and_rejects_are_part_of_the_id() -> None:
    ids = {
        GOLDEN,
        sealed(ROWS, ASIDE, month=OCTOBER + 1).id,
        sealed(ROWS, ASIDE, demand=DemandUnit.PIECE).id,
        sealed(ROWS, ASIDE[:1]).id,
    }
    assert len(ids) == 4


def test_who_took_it_and_when_is_not() -> None:
    later = sealed(ROWS, ASIDE, taken_at=datetime(2027, 1, 1, tzinfo=UTC), code_version="2")
    assert (later.id, later.manifest.code_version) == (GOLDEN, "2")


def test_values_cannot_run_into_each_other() -> None:
    one = lines_of([("erp", "1", "a2:bc", "d", "e", date(2026, 10, 1), 1)])
    two = lines_of([("erp", "1", "a", "bc", "d2:e", date(2026, 10, 1), 1)])
    ids = {content_id(OCTOBER, DemandUnit.TONNE, each, rejects_of([])) for each in (one, two)}
    assert len(ids) == 2


def test_the_manifest_accounts_for_every_row() -> None:
    manifest = sealed(ROWS, ASIDE).manifest
    (erp,) = manifest.sources
    assert (manifest.month, manifest.demand, manifest.unit) == ("2026-10", "t", "kg")
    assert (erp.rows_in, erp.rows_kept, erp.set_aside) == (4, 2, {"cancelled": 1, "missing key": 1})
    assert (erp.quantity_kept, erp.quantity_set_aside) == (12_497, 40)
    assert erp.query_sha256 == hashlib.sha256(b"select 1").hexdigest()
