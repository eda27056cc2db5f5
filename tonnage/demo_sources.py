"""The demo's order book as two ERP systems would hold it, with faults that ingestion must set aside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection, Engine

from app.store.session import copy_in
from tonnage.order_book import make_order_book

KG_PER_SHORT_TON = 907.18474


@dataclass(frozen=True, eq=False)
class SourceTable:
    """A table of a source system: where it lives, its column types, its rows, and when each was entered."""

    schema: str
    name: str
    columns: dict[str, str]
    rows: pl.DataFrame
    entered: pl.Series


def make_source_tables(book: pl.DataFrame | None = None) -> tuple[SourceTable, SourceTable]:
    """The order book split by company into two systems that name, measure and cancel differently.

    Rows are in the order in which they were entered.
    """
    book = make_order_book() if book is None else book
    return _nord(book.filter(pl.col("organization").is_in(["NORD", "OST"]))), _west(
        book.filter(pl.col("organization").is_in(["WEST", "SUED"]))
    )


def load_sources(engine: Engine, make_tables: Callable[[], tuple[SourceTable, ...]]) -> None:
    """Create and fill the source systems in one transaction, unless that was done before."""
    with engine.begin() as connection:
        if connection.exec_driver_sql("select to_regclass('demo_west.orders')").scalar_one():
            return
        for table in make_tables():
            _create(connection, table)
            _enter(connection, table, table.rows)


def grow_sources(engine: Engine, tables: tuple[SourceTable, ...], until: date) -> None:
    """Enter what was ordered up to a day and is not there yet, in one transaction; create what is missing."""
    with engine.begin() as connection:
        for table in tables:
            place = f"{table.schema}.{table.name}"
            if connection.exec_driver_sql(f"select to_regclass('{place}')").scalar_one() is None:
                _create(connection, table)
            there = connection.exec_driver_sql(f"select count(*) from {place}").scalar_one()  # noqa: S608  # our own names
            _enter(connection, table, table.rows[there : int((table.entered <= until).sum())])


def _create(connection: Connection, table: SourceTable) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
    connection.exec_driver_sql(f"create schema {table.schema}")
    connection.exec_driver_sql(f"create table {table.schema}.{table.name} ({columns})")


def _enter(connection: Connection, table: SourceTable, rows: pl.DataFrame) -> None:
    statement = f"copy {table.schema}.{table.name} from stdin (format csv, header)"
    copy_in(connection, statement, rows.write_csv().encode())


def _source(schema: str, name: str, rows: pl.DataFrame, **kinds: str) -> SourceTable:
    """A table of texts, but for the columns whose kind is given."""
    rows = rows.sort("entered", maintain_order=True)
    columns = {column: kinds.get(column, "text") for column in rows.columns if column != "entered"}
    return SourceTable(schema, name, columns, rows.drop("entered"), rows["entered"])


def _nord(book: pl.DataFrame) -> SourceTable:
    """Coils in kilograms, everything else in tonnes; a state says what became of a line."""
    flat = pl.col("material").str.contains("^(HRC|CRC|HDG)")
    state = pl.when("cancelled").then(pl.lit("cancelled")).otherwise(pl.lit("confirmed"))
    rows = book.with_row_index("number", offset=100_001).select(
        pl.format("N{}", "number").alias("position"),
        pl.col("organization").alias("company"),
        pl.col("customer").alias("customer_no"),
        pl.col("material").alias("article"),
        pl.col("ordered").alias("order_date"),
        pl.col("requested").alias("requested_date"),
        pl.when(flat).then(pl.col("tonnes") * 1000).otherwise("tonnes").round(3).alias("quantity"),
        pl.when(flat).then(pl.lit("kg")).otherwise(pl.lit("t")).alias("uom"),
        state.alias("state"),
        pl.col("ordered").alias("entered"),
    )
    return _source(
        "demo_nord", "order_line", rows, order_date="date", requested_date="date", quantity="numeric(14, 3)"
    )


def _west(book: pl.DataFrame) -> SourceTable:
    """Quantities as text, as exports give them: SUED in short tons, WEST in kilograms."""
    short = pl.col("organization") == "SUED"
    kilograms = pl.col("tonnes") * 1000
    rows = book.with_row_index("number", offset=500_001).select(
        pl.format("W{}", "number").alias("doc_line"),
        pl.col("organization").alias("sales_org"),
        pl.col("customer").alias("sold_to"),
        pl.col("material").alias("grade"),
        pl.col("requested").cast(pl.String).alias("wish_date"),
        pl.when(short)
        .then(kilograms / KG_PER_SHORT_TON)
        .otherwise(kilograms)
        .round(4)
        .cast(pl.String)
        .alias("qty"),
        pl.when(short).then(pl.lit("short ton")).otherwise(pl.lit("kg")).alias("unit"),
        pl.when("cancelled").then(pl.lit("void")).otherwise(pl.lit("ok")).alias("status"),
        pl.col("ordered").alias("entered"),
    )
    return _source("demo_west", "orders", _with_faults(rows), wish_date="date")


# What every real system has somewhere: a column, a value that does not belong there, how many lines.
_FAULTS: tuple[tuple[str, str | None, int], ...] = (
    ("unit", "bdl", 6),
    ("qty", "n/a", 5),
    ("qty", "1E+21", 1),
    ("sold_to", None, 4),
    ("wish_date", None, 4),
)
_REPEATED = 8
_CONTRADICTED = 3


def _with_faults(rows: pl.DataFrame) -> pl.DataFrame:
    """Spoil lines spread over the book; send some twice, a few of them with another quantity."""
    faults = [(column, value) for column, value, count in _FAULTS for _ in range(count)]
    gap = rows.height // (len(faults) + 1)
    places = pl.int_range(rows.height)
    for number, (column, value) in enumerate(faults, start=1):
        spoiled = pl.when(places == number * gap).then(pl.lit(value, pl.String)).otherwise(column)
        rows = rows.with_columns(spoiled.alias(column))
    repeated = rows.gather_every(gap, offset=gap // 2).head(_REPEATED)
    contradicted = rows.gather_every(gap, offset=gap // 3).head(_CONTRADICTED).with_columns(qty=pl.lit("1.0"))
    return pl.concat([rows, repeated, contradicted])
