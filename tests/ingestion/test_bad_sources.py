"""What sources do to those who read them: each ends in a clear error, or in a reject with its reason."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.errors import ConnectionLost, IngestionError, QueryFailed, SourceRefused, UnknownColumn
from ingestion.job import Order, take_snapshot
from ingestion.snapshot import Snapshot
from ingestion.snapshot_config import SnapshotConfig
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig

OCTOBER = Month(2026, 10)
DAY = pl.col("date").str.to_date()

type Source = Callable[..., SourceConfig]
type Load = Callable[[str, pl.DataFrame], None]
type Raw = Callable[..., pl.DataFrame]
type RunSql = Callable[..., None]


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(open_blobs(tmp_path))


@pytest.fixture
def ingest(store: SnapshotStore) -> Callable[..., Snapshot]:
    def run(config: SourceConfig, progress: Any = lambda *_: None, **other: Any) -> Snapshot:
        return take_snapshot(
            OCTOBER,
            Order([config], **other),
            store=store,
            taken_at=datetime(2026, 11, 2, tzinfo=UTC),
            code_version="1",
            progress=progress,
        )

    return run


def test_a_connection_that_is_lost_while_it_is_read(
    source: Source,
    load: Load,
    raw: Raw,
    postgres_url: str,
    ingest: Any,
    store: SnapshotStore,
    run_sql: RunSql,
) -> None:
    load("order_lines", raw({}).with_columns(DAY))
    before = ingest(source(postgres_url))
    # Wide enough that the server cannot have sent all of it before the first batch is here.
    fields = (
        "n::text as line, 'N' as organization, repeat('K', 190) as customer, repeat('M', 190) as material"
    )
    query = f"select {fields}, date '2026-10-01' as date, n as quantity, 'kg' as unit, '' as status"
    config = source(postgres_url, query=f"{query} from generate_series(1, 400000) as n")

    def cut(name: str, rows: int) -> None:
        run_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where pid <> pg_backend_pid() and query like '%repeat(%' and datname = current_database()"
        )

    with pytest.raises(ConnectionLost, match="nothing was stored, run the command again"):
        ingest(config, progress=cut)
    assert [each.id for each in store.manifests()] == [before.id]


def test_a_column_that_was_renamed(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any, run_sql: RunSql
) -> None:
    load("order_lines", raw({}))
    ingest(source(postgres_url))
    run_sql("alter table order_lines rename quantity to qty")
    with pytest.raises(UnknownColumn, match="the source has no column 'quantity'; it has line, "):
        ingest(source(postgres_url))


def test_a_table_that_is_gone(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any, run_sql: RunSql
) -> None:
    load("order_lines", raw({}))
    ingest(source(postgres_url))
    run_sql("drop table order_lines")
    with pytest.raises(QueryFailed, match='relation "order_lines" does not exist'):
        ingest(source(postgres_url))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("date", "date"),
        ("quantity", "numeric"),
        ("quantity", "double precision"),
        ("date", "int"),
    ],
)
def test_a_column_whose_type_changed(
    column: str, kind: str,
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any, run_sql: RunSql,
) -> None:  # fmt: skip
    load("order_lines", raw({"date": "20261014"}))
    first = ingest(source(postgres_url))
    run_sql(f"alter table order_lines alter {column} type {kind} using {column}::{kind}")
    second = ingest(source(postgres_url))
    assert second.lines.equals(first.lines)
    assert second.lines.height == 1


def test_values_at_the_ends_of_the_world(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any
) -> None:
    huge = "x" * 10_000_000
    rows = raw(
        {"date": "0001-01-01"},
        {"date": "9999-12-31"},
        {"quantity": "1e18"},
        {"quantity": "NaN"},
        {"quantity": "Infinity"},
        {"customer": huge},
        {"material": "'; drop table order_lines; --"},
        {"material": '"quoted", ; \u202e\u0645 🏗'},
    )
    load("order_lines", rows.with_columns(DAY))
    snapshot = ingest(source(postgres_url, max_rejects=1))
    assert snapshot.lines.select("line", "material").rows() == [
        ("7", "'; drop table order_lines; --"),
        ("8", '"quoted", ; \u202e\u0645 🏗'),
    ]
    assert snapshot.rejects.select("reason", "line").rows() == [
        ("absurd quantity", "3"),
        ("date before 1970", "1"),
        ("key too long", "6"),
        ("not finite", "4"),
        ("not finite", "5"),
    ]
    (record,) = snapshot.manifest.sources
    assert record.later == 1
    assert max(len(value) for value in snapshot.rejects["value"]) < 250
    assert ingest(source(postgres_url, max_rejects=1)).id == snapshot.id


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("numeric", ["1e18", "NaN", "Infinity", "-Infinity", "0.4999999999999999999", "-2.5", "1e12"]),
        ("double precision", ["1e18", "NaN", "-Infinity", "0.1", "2.5", "123456789.123456789"]),
        ("text", ["1e18", "nan", " 2.5 ", "1e-400", "1e999999", ".5", "5.", "1,5", "0x10", "", "١"]),
        ("money", ["2.5", "12"]),
        ("bigint", ["9223372036854775807", "-1"]),
    ],
)
def test_the_source_adds_up_what_cleaning_adds_up(
    kind: str, values: list[str], source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any,
    run_sql: RunSql,
) -> None:  # fmt: skip
    """Whatever its numbers are written as, source and snapshot agree, or the run would fail."""
    units = ["kg", "t", "LB", " short ton", None, "crate"]
    rows = raw(*({"quantity": value, "unit": unit} for value in values for unit in units))
    load("order_lines", rows)
    run_sql(f"alter table order_lines alter quantity type {kind} using quantity::{kind}")
    snapshot = ingest(source(postgres_url, max_rejects=1, limits={}))
    (record,) = snapshot.manifest.sources
    assert record.rows_in == rows.height


def test_a_reader_who_may_not_read(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any, run_sql: RunSql
) -> None:
    load("order_lines", raw({}))
    run_sql("drop role if exists nobody_special", "create role nobody_special login")
    stranger = postgres_url.replace("//postgres@", "//nobody_special@")
    with pytest.raises(QueryFailed, match="permission denied for table order_lines"):
        ingest(source(stranger))


def test_tls_that_the_server_does_not_have(source: Source, postgres_url: str, ingest: Any) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        def refuse_tls() -> None:
            connection, _ = listener.accept()
            with connection:
                assert len(connection.recv(8)) == 8  # the request for TLS
                connection.sendall(b"N")

        server = threading.Thread(target=refuse_tls)
        server.start()
        with pytest.raises(IngestionError, match="does not support SSL, but SSL was required") as caught:
            ingest(source(f"postgresql://reader:secret@127.0.0.1:{port}/erp?sslmode=require"))
        server.join()
    assert isinstance(caught.value, SourceRefused)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value", "kilograms"),
    [
        ("int", "3000000", 3 * 10**9),
        ("bigint", "1000000000", 10**12),
        ("bigint", "1000000000000000000", None),
    ],
)
def test_whole_numbers_do_not_overflow(
    kind: str, value: str, kilograms: int | None, source: Source, load: Load, raw: Raw, postgres_url: str,
    ingest: Any, run_sql: RunSql,
) -> None:  # fmt: skip
    load("order_lines", raw({"quantity": value, "unit": "t"}, {"unit": "kg", "quantity": "1"}))
    run_sql(f"alter table order_lines alter quantity type {kind} using quantity::{kind}")
    snapshot = ingest(source(postgres_url, max_rejects=1))
    assert snapshot.lines.filter(line="1")["quantity"].to_list() == ([] if kilograms is None else [kilograms])


@pytest.mark.parametrize("quantity", ["12\u00a0", "\u2003 5", "1e0003", "1e+0002", " 7\t"])
def test_blanks_and_exponents_are_read_alike(
    quantity: str, source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any
) -> None:
    load("order_lines", raw({"quantity": quantity}))
    assert ingest(source(postgres_url, max_rejects=1)).manifest.sources[0].rows_in == 1


def test_a_month_that_begins_twice(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any, run_sql: RunSql
) -> None:
    """In Havana clocks went back at midnight of the first of November 2015."""
    load("order_lines", raw({"date": "2015-11-01 04:30:00+00"}, {"date": "2015-11-01 05:30:00+00"}, {}))
    run_sql("alter table order_lines alter date type timestamptz using date::timestamptz")
    config = source(postgres_url, time_zone="America/Havana")
    assert ingest(config).lines.height == 3
    run_sql("update order_lines set quantity = '7' where line = '2'")
    assert ingest(config, limits=SnapshotConfig(max_change=1)).lines["quantity"].to_list() == [
        12_500,
        7,
        12_500,
    ]


def test_years_of_six_digits_are_later(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Any, run_sql: RunSql
) -> None:
    load("order_lines", raw({}, {}))
    run_sql(
        "alter table order_lines alter date type date using date::date",
        "update order_lines set date = '202610-01-14' where line = '2'",
    )
    assert ingest(source(postgres_url)).manifest.sources[0].later == 1


def test_a_database_in_another_encoding(
    source: Source, postgres: sa.URL, ingest: Any, run_sql: RunSql
) -> None:
    run_sql(
        "drop database if exists old_erp",
        "create database old_erp encoding 'LATIN1' template template0 locale 'C'",
    )
    url = postgres.set(database="old_erp").render_as_string(hide_password=False)
    query = (
        "select '1' as line, 'S\u00dcD' as organization, 'M\u00fcller' as customer, 'x' as material, "
        "date '2026-10-01' as date, 1 as quantity, 'kg' as unit, null::text as status"
    )
    assert ingest(source(url, query=query)).lines["customer"].to_list() == ["M\u00fcller"]


def test_blanks_in_a_password_stay_secret(
    source: Source, guarded_url: Callable[[str], str], ingest: Any
) -> None:
    with pytest.raises(SourceRefused) as caught:
        ingest(source(guarded_url("p%40ss w")))
    assert "ss w" not in str(caught.value) and "p%40ss" not in str(caught.value)
