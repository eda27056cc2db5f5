"""The order book that months are played on: what happens in it, and how the source systems grow."""

import datetime as dt
from collections.abc import Callable

import polars as pl
import pytest
import sqlalchemy as sa

from tonnage.demo_sources import grow_sources, make_source_tables
from tonnage.eventful_book import LEAVES, SHOCK, largest_customer, make_eventful_book
from tonnage.order_book import make_order_book


@pytest.fixture(scope="module")
def book() -> pl.DataFrame:
    return make_eventful_book()


def by_month(book: pl.DataFrame) -> dict[dt.date, float]:
    months = book.group_by(pl.col("requested").dt.truncate("1mo")).agg(pl.col("tonnes").sum())
    return dict(months.iter_rows())


def test_the_largest_customer_is_a_seventh_of_all_and_leaves(book: pl.DataFrame) -> None:
    largest = largest_customer(book)
    assert largest == largest_customer(make_order_book(lost=0.0))
    year = book.filter(
        pl.col("requested").is_between((LEAVES - 12).first_day, LEAVES.first_day, closed="left")
    )
    share = year.filter(customer=largest)["tonnes"].sum() / year["tonnes"].sum()
    assert 0.12 < share < 0.18
    assert book.filter(customer=largest)["requested"].max() < LEAVES.first_day


def test_a_price_rise_pulls_orders_forward(book: pl.DataFrame) -> None:
    told, plain = by_month(book), by_month(make_order_book(lost=0.0))
    before, after = ((SHOCK + step).first_day for step in (-1, 0))
    assert told[before] / plain[before] > 1.2
    assert told[after] / plain[after] < 0.7


def test_the_systems_grow_as_orders_are_entered_and_never_twice(
    new_database: Callable[[], str], book: pl.DataFrame
) -> None:
    engine = sa.create_engine(new_database())
    tables = make_source_tables(book)
    for until, again in [
        (dt.date(2021, 3, 1), False),
        (dt.date(2021, 6, 1), True),
        (dt.date(2030, 1, 1), True),
    ]:
        grow_sources(engine, tables, until)
        if again:
            grow_sources(engine, tables, until)
        with engine.connect() as connection:
            for table in tables:
                there = connection.exec_driver_sql(f"select count(*) from {table.schema}.{table.name}")
                assert there.scalar_one() == (table.entered <= until).sum()
    engine.dispose()
