"""A thousand random lives of an order book: after every run the snapshot says what the source says."""

import datetime as dt
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import psycopg2
import psycopg2.extensions
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.job import Order, take_snapshot
from ingestion.order_line import KEYS
from ingestion.snapshot import Snapshot
from ingestion.snapshot_config import SnapshotConfig
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig
from ingestion.units import DemandUnit

MONTH = Month(2026, 10)
ANY_CHANGE = SnapshotConfig(max_change=math.inf)
FIELDS = ("line", *KEYS, "date", "quantity", "unit", "status")

line = st.fixed_dictionaries(
    {
        "line": st.integers(1, 12),
        "organization": st.sampled_from(["NORD", "SÜD"]),
        "customer": st.sampled_from(["K-1", "K-2 "]),
        "material": st.sampled_from(["HEB-200", "鋼 'x'; --"]),
        "date": st.none() | st.dates(dt.date(2026, 7, 1), dt.date(2026, 11, 30)),
        "quantity": st.decimals(-99, 99, places=3),
        "unit": st.sampled_from(["kg", "t", "lb", "Short Ton", "crate"]),
        "status": st.sampled_from([None, "ok", "void"]),
    }
)
step = (
    st.tuples(st.just("insert"), line)
    | st.tuples(st.just("correct"), line)
    | st.tuples(st.just("delete"), st.integers(1, 12))
    | st.tuples(st.just("unit"), st.sampled_from(["kg", "t", "lb", "crate"]))
)
life = st.lists(st.lists(step, max_size=5), min_size=2, max_size=4)

ORACLE = """
with line_units as (
    select *, date_trunc('month', date) as month, case lower(replace(unit, ' ', ''))
        when 'kg' then 1 when 't' then 1000 when 'lb' then 0.45359237 when 'shortton' then 907.18474
    end as factor
    from book
    where date < '2026-11-01' and coalesce(status, '') <> 'void'
)
select to_char(month, 'YYYY-MM'), organization, trim(customer), material,
    cast(sum(round(quantity * factor)) as bigint), count(*)
from line_units where factor is not null
group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""


class Book:
    """A table of orders that is changed step by step, line ids being its key."""

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self.cursor = connection.cursor()
        self.cursor.execute(
            "create table if not exists book (line int primary key, organization text, customer text, "
            "material text, date date, quantity numeric, unit text, status text)"
        )

    def clear(self) -> None:
        self.cursor.execute("delete from book")

    def live(self, kind: str, what: object) -> None:
        if isinstance(what, dict):
            conflict = "do nothing"
            if kind == "correct":
                conflict = "do update set " + ", ".join(f"{name} = excluded.{name}" for name in FIELDS)
            marks = ", ".join(["%s"] * len(FIELDS))
            self.cursor.execute(
                f"insert into book ({', '.join(FIELDS)}) values ({marks}) on conflict (line) {conflict}",
                [what[name] for name in FIELDS],
            )
        elif kind == "delete":
            self.cursor.execute("delete from book where line = %s", [what])
        else:
            self.cursor.execute("update book set unit = %s where line = (select min(line) from book)", [what])

    def count(self) -> int:
        self.cursor.execute("select count(*) from book where date < '2026-11-01' or date is null")
        return int(self.cursor.fetchone()[0])

    def by_leaf(self) -> list[tuple[object, ...]]:
        self.cursor.execute(ORACLE)
        return list(self.cursor.fetchall())


@pytest.fixture(scope="module")
def book(new_database: Callable[[], str]) -> Iterator[tuple[Book, str]]:
    url = new_database()
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    connection.autocommit = True
    yield Book(connection), url
    connection.close()


def by_leaf(snapshot: Snapshot) -> list[tuple[object, ...]]:
    month = pl.col("date").dt.strftime("%Y-%m").alias("month")
    totals = snapshot.lines.group_by(month, *KEYS).agg(pl.col("quantity").sum(), pl.len())
    return sorted(totals.rows())


@given(rounds=life)
def test_after_every_run_snapshot_and_source_agree(
    book: tuple[Book, str], source: Callable[..., SourceConfig], rounds: list[list[tuple[str, object]]]
) -> None:
    table, url = book
    table.clear()
    config = replace(source(url, table="book"), max_rejects=1.0)

    def run(store: SnapshotStore, *, full: bool = False) -> Snapshot:
        return take_snapshot(
            MONTH,
            Order([config], (), DemandUnit.TONNE, ANY_CHANGE, full=full),
            store=store,
            taken_at=dt.datetime(2026, 11, 2, tzinfo=dt.UTC),
            code_version="1",
            progress=lambda *_: None,
        )

    with tempfile.TemporaryDirectory() as folder:
        store = SnapshotStore(open_blobs(Path(folder)))
        for steps in rounds:
            for kind, what in steps:
                table.live(kind, what)
            if not table.count():
                continue
            snapshot = run(store)
            assert by_leaf(snapshot) == table.by_leaf()
            (record,) = snapshot.manifest.sources
            assert record.rows_in == table.count() == snapshot.lines.height + snapshot.rejects.height
        if table.count():
            assert run(store, full=True).id == snapshot.id
