"""One embedded PostgreSQL per run, order lines to fill it with, and sources to read it."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import polars as pl
import pytest

from forecasting.months import Month
from ingestion.accounts import totals
from ingestion.fingerprint import Fingerprint
from ingestion.master_data import MasterData
from ingestion.order_line import RAW_LINES, REJECTS
from ingestion.part import Part, part_of
from ingestion.pull import slice_record
from ingestion.snapshot import REPEATS, Manifest, Place, Snapshot, SourceRecord, snapshot_id
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig, parse_sources
from ingestion.units import DemandUnit

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


def snapshot_of(
    lines: pl.DataFrame,
    rejects: pl.DataFrame | None = None,
    *,
    month: Month = OCTOBER,
    demand: DemandUnit = DemandUnit.TONNE,
    master: MasterData | None = None,
    store: SnapshotStore | None = None,
    taken_at: dt.datetime = dt.datetime(2026, 11, 2, tzinfo=dt.UTC),
    code_version: str = "1",
) -> Snapshot:
    """A sealed snapshot of lines, `LINES`, and rejects, `REJECTS`: a part per source and month.

    Rejects go to the slice without a date. With a store, its parts are written there.
    """
    master = MasterData() if master is None else master
    rejects = REJECTS.to_frame() if rejects is None else rejects
    parts: dict[str, Part] = {}
    sources = []
    for name in sorted({*lines["source"], *rejects["source"]}):
        own = lines.filter(pl.col("source") == name).with_columns(
            pl.col("date").dt.strftime("%Y-%m").alias("slice")
        )
        aside = rejects.filter(pl.col("source") == name)
        slices = []
        for each in sorted({*own["slice"], *([""] if aside.height else [])}):
            here = own.filter(pl.col("slice") == each)
            part = part_of(here, aside if each == "" else REJECTS.to_frame())
            parts[part.id] = part
            slices.append(slice_record(each, Fingerprint(part.lines.height + part.rejects.height, "1"), part))
        kept, later, set_aside = totals(slices, REPEATS.to_frame(), month)
        sources.append(
            SourceRecord(
                name=name,
                dialect="postgresql",
                reading="r",
                consistency="repeatable read",
                slices=tuple(slices),
                kept=kept,
                later=later.lines,
                set_aside=set_aside,
            )
        )
    places = [Place(each.name, part.slice, part.part) for each in sources for part in each.slices]
    manifest = Manifest(
        id=snapshot_id(month, demand, places, master, REPEATS.to_frame()),
        month=str(month), demand=demand, unit=demand.stored, sources=tuple(sources), master=(), repeats=0,
        parent=None, changes=(), accepted=None, taken_at=taken_at, code_version=code_version,
    )  # fmt: skip
    if store is not None:
        for part in parts.values():
            store.write_part(part)
    return Snapshot(manifest.id, month, manifest, master, REPEATS.to_frame(), parts.__getitem__)


@pytest.fixture(scope="session")
def sealed() -> Callable[..., Snapshot]:
    return snapshot_of
