"""A snapshot: its id, its account of every row, and the tables it gives back."""

import datetime as dt
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl

from forecasting.months import Month
from ingestion.order_line import LINES, REJECTS
from ingestion.snapshot import REPEATS, Snapshot, Tally, snapshot_id
from ingestion.units import DemandUnit

OCTOBER = Month(2026, 10)
GOLDEN = "13c638e8545e218dbea9a4a1ef57f3616a5b738ed2bb64ffa57d0087ecc6a1f1"

type Sealed = Callable[..., Snapshot]

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


def test_the_id_does_not_move(sealed: Sealed) -> None:
    assert sealed(lines_of(ROWS), rejects_of(ASIDE)).id == GOLDEN


def test_month_unit_lines_and_rejects_are_part_of_the_id(sealed: Sealed) -> None:
    lines, rejects = lines_of(ROWS), rejects_of(ASIDE)
    ids = {
        GOLDEN,
        sealed(lines, rejects, month=OCTOBER + 1).id,
        sealed(lines, rejects, demand=DemandUnit.PIECE).id,
        sealed(lines, rejects[:1]).id,
        sealed(lines[:1], rejects).id,
        sealed(lines.with_columns(pl.lit("mill").alias("source")), rejects).id,
    }
    assert len(ids) == 6


def test_who_took_it_and_when_is_not(sealed: Sealed) -> None:
    later = sealed(
        lines_of(ROWS[::-1]),
        rejects_of(ASIDE[::-1]),
        taken_at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
        code_version="2",
    )
    assert (later.id, later.manifest.code_version) == (GOLDEN, "2")


def test_the_order_of_sources_leaves_no_trace(sealed: Sealed) -> None:
    snapshot = sealed(lines_of([ROWS[0], ("mill", *ROWS[1][1:])]))
    places = snapshot.places()
    assert len(places) == 2
    ids = {
        snapshot_id(OCTOBER, DemandUnit.TONNE, each, snapshot.master, REPEATS.to_frame())
        for each in (places, places[::-1])
    }
    assert ids == {snapshot.id}


def test_the_manifest_accounts_for_every_row(sealed: Sealed) -> None:
    manifest = sealed(lines_of(ROWS), rejects_of(ASIDE)).manifest
    (erp,) = manifest.sources
    assert (manifest.month, manifest.demand, manifest.unit) == ("2026-10", "t", "kg")
    assert (erp.rows_in, erp.kept) == (4, Tally(lines=2, quantity=12_497, gross=12_503))
    assert erp.set_aside == {
        "cancelled": Tally(lines=1, quantity=40, gross=40),
        "missing key": Tally(lines=1, quantity=0, gross=0),
    }
    assert erp.later == 0


def test_lines_and_rejects_come_back_sorted(sealed: Sealed) -> None:
    snapshot = sealed(lines_of(ROWS[::-1]), rejects_of(ASIDE[::-1]))
    assert snapshot.lines.equals(lines_of(ROWS))
    assert snapshot.rejects.equals(rejects_of(ASIDE))


def test_later_lines_are_kept_by_parts_and_do_not_count(sealed: Sealed) -> None:
    snapshot = sealed(lines_of(ROWS), month=Month(2026, 9))
    assert snapshot.lines["line"].to_list() == ["2"]
    (erp,) = snapshot.manifest.sources
    assert (erp.kept.lines, erp.later) == (1, 1)
