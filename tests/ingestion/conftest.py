"""One embedded PostgreSQL per run, order lines to fill it with, and sources to read it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import polars as pl
import pytest

from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.job import Order, take_snapshot
from ingestion.order_line import RAW_LINES
from ingestion.snapshot import Snapshot
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig, parse_sources

COLUMNS = {field: field for field in RAW_LINES}


@pytest.fixture(scope="session")
def postgres_url(new_database: Callable[[], str]) -> str:
    """The URL of a source's database, as SQLAlchemy writes it."""
    return new_database()


@pytest.fixture(scope="session")
def guarded_url(postgres_url: str) -> Callable[[str], str]:
    """The URL of a role whose password is `right@secret`, with a password filled in."""
    plain = postgres_url.replace("+psycopg2", "")

    def ask(question: str) -> Any:
        with adbc.connect(plain, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]

    with adbc.connect(plain, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("create role guarded login password 'right@secret'")
    rules = Path(ask("select setting from pg_settings where name = 'hba_file'"))
    rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
    loaded = ask("select pg_conf_load_time()")
    assert ask("select pg_reload_conf()")
    # A busy machine may come to it only after many questions.
    assert any(ask("select pg_conf_load_time()") != loaded for _ in range(50_000))
    return lambda password: postgres_url.replace("//postgres@", f"//guarded:{password}@")


@pytest.fixture
def run_sql(postgres_url: str) -> Callable[..., None]:
    def run(*statements: str) -> None:
        with adbc.connect(postgres_url.replace("+psycopg2", ""), autocommit=True) as connection:
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)

    return run


@pytest.fixture
def load(postgres_url: str, run_sql: Callable[..., None]) -> Callable[[str, pl.DataFrame], None]:
    def fill(table: str, rows: pl.DataFrame) -> None:
        run_sql(f'drop table if exists "{table}"')
        with adbc.connect(postgres_url.replace("+psycopg2", "")) as connection:
            with connection.cursor() as cursor:
                cursor.adbc_ingest(table, rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
            connection.commit()

    return fill


@pytest.fixture(scope="session")
def source() -> Callable[..., SourceConfig]:
    def make(url: str = "postgresql://reader:secret@db/erp", **table: Any) -> SourceConfig:
        """The source `erp`, as a TOML with these keys would describe it."""
        described = {"url": "env:ERP_URL", "columns": COLUMNS, **table}
        if not {"query", "table"} & set(table):
            described["table"] = "order_lines"
        (config,) = parse_sources({"sources": {"erp": described}}, {"ERP_URL": url})
        return config

    return make


@pytest.fixture(scope="session")
def raw() -> Callable[..., pl.DataFrame]:
    def make(*rows: dict[str, str | None]) -> pl.DataFrame:
        """Raw lines, each right but for the fields given; ids count from 1."""
        right = {
            "organization": "NORD",
            "customer": "K-104",
            "material": "HEB-200",
            "date": "2026-10-14",
            "quantity": "12500",
            "unit": "kg",
            "status": None,
        }
        lines = [{"line": str(number), **right, **row} for number, row in enumerate(rows, start=1)]
        return pl.DataFrame(lines, schema=RAW_LINES)

    return make


OCTOBER = Month(2026, 10)


class Ingest:
    """`take_snapshot` for October 2026 into one store, with what it reported."""

    def __init__(self, folder: Path) -> None:
        self.store = SnapshotStore(open_blobs(folder))
        self.seen: list[tuple[str, int]] = []

    def __call__(self, *sources: SourceConfig, month: Month = OCTOBER, **other: Any) -> Snapshot:
        facts = {"taken_at": datetime(2026, 11, 2, tzinfo=UTC), "code_version": "1"}
        facts |= {name: other.pop(name) for name in tuple(facts) if name in other}
        self.seen.clear()
        return take_snapshot(
            month,
            Order(sources, **other),
            store=self.store,
            progress=lambda source, rows: self.seen.append((source, rows)),
            **facts,
        )


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    return Ingest(tmp_path / "snapshots")
