"""The demo's order book: seeded, of the stated size, with the stated features."""

import datetime as dt

import polars as pl
import pytest

from tonnage.demo_sources import make_source_tables
from tonnage.order_book import make_order_book


@pytest.fixture(scope="module")
def book() -> pl.DataFrame:
    return make_order_book()


def test_the_same_seed_gives_the_same_lines(book: pl.DataFrame) -> None:
    assert book.equals(make_order_book())


def test_its_size(book: pl.DataFrame) -> None:
    assert 145_000 < book.height < 155_000
    assert (book["organization"].n_unique(), book["customer"].n_unique()) == (4, 120)
    assert 55 <= book["material"].n_unique() <= 60
    months = book.filter(pl.col("requested") < dt.date(2026, 11, 1))["requested"].dt.truncate("1mo")
    assert months.n_unique() == 72


def test_year_end_and_summer_are_low(book: pl.DataFrame) -> None:
    by_month = book.group_by(pl.col("requested").dt.month()).agg(pl.col("tonnes").sum())
    tonnes = dict(by_month.iter_rows())
    assert tonnes[12] < 0.7 * tonnes[10]
    assert tonnes[8] < 0.95 * tonnes[6]


def test_cancellations_and_returns(book: pl.DataFrame) -> None:
    assert book["cancelled"].mean() == pytest.approx(0.02, abs=0.003)
    assert (book["tonnes"] < 0).mean() == pytest.approx(0.008, abs=0.002)


def test_an_order_comes_before_its_delivery(book: pl.DataFrame) -> None:
    assert (book["ordered"] < book["requested"]).all()


def test_grades_start_and_stop(book: pl.DataFrame) -> None:
    last_old = book.filter(material="REBAR-12")["requested"].max()
    first_new = book.filter(material="REBAR-B500B-12")["requested"].min()
    assert dt.date(2025, 8, 15) < last_old < dt.date(2025, 9, 1)
    assert dt.date(2025, 7, 1) <= first_new < dt.date(2025, 7, 20)


def test_the_two_systems_hold_the_book_and_the_planted_faults(book: pl.DataFrame) -> None:
    nord, west = (table.rows for table in make_source_tables())
    assert nord.height + west.height == book.height + 8 + 3
    assert (west["unit"] == "bdl").sum() == 6
    assert west["sold_to"].null_count() == 4
    assert west["wish_date"].null_count() == 4
    assert west["qty"].cast(pl.Float64, strict=False).null_count() == 5
    assert west["doc_line"].is_duplicated().sum() == 22
