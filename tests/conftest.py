"""What all tests share: a tiny hierarchy by hand, a panel, a fixed clock, one embedded PostgreSQL."""

import datetime as dt
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
import structlog
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from app.access.key import new_key
from app.store.api_keys import NewApiKey, add_key
from app.store.engine import open_engine
from app.store.migrate import migrate
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from ingestion.accounts import totals
from ingestion.fingerprint import Fingerprint
from ingestion.master_data import MasterData
from ingestion.order_line import REJECTS
from ingestion.part import Part, part_of
from ingestion.pull import slice_record
from ingestion.snapshot import REPEATS, Manifest, Place, Snapshot, SourceRecord, snapshot_id
from ingestion.snapshot_store import SnapshotStore
from ingestion.units import DemandUnit
from tonnage.embedded import start_embedded

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# The same examples in every run: what is found once is found by everybody.
settings.register_profile("house", derandomize=True, deadline=None)
# What has to hold a thousand times: pytest --hypothesis-profile=thousand tests/…/test_random_histories.py
settings.register_profile("thousand", parent=settings.get_profile("house"), max_examples=1000)
settings.load_profile("house")

_LAUNCH = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NOON = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """What a test has the log written to is no other test's."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def noon() -> dt.datetime:
    """The moment at which everything in a test happens."""
    return NOON


@pytest.fixture
def tiny() -> Hierarchy:
    """Four leaves, two organizations crossed with two materials: nine nodes.

    total; NORD, WEST; COIL, PLATE; and the four pairs.
    """
    leaves = pl.DataFrame(
        {"organization": ["NORD", "NORD", "WEST", "WEST"], "material": ["COIL", "PLATE", "COIL", "PLATE"]}
    )
    levels = [(), ("organization",), ("material",), ("organization", "material")]
    return Hierarchy.of(["organization", "material"], levels, leaves)


@pytest.fixture
def tiny_panel(tiny: Hierarchy) -> DemandPanel:
    """Thirty-six months of the tiny hierarchy: a season, a trend, one late leaf and one with gaps."""
    month = np.arange(36)
    season = 10 + 4 * np.sin(2 * np.pi * month / 12)
    late = np.where(month >= 20, season, 0.0)
    gaps = np.where(month % 3 == 0, 22.0, 0.0)
    quantity = np.array([season, season + 0.2 * month, late, gaps])
    return DemandPanel(tiny, Month(2023, 11), quantity, np.array([0, 0, 20, 0]))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> sa.URL:
    """A real PostgreSQL for the whole run, which stops with it and need not outlive the machine."""
    url = start_embedded(tmp_path_factory.mktemp("home"))
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql("alter system set fsync = off")
        connection.exec_driver_sql("select pg_reload_conf()")
    return url


@pytest.fixture(scope="session")
def create_database(postgres: sa.URL) -> Callable[[str], str]:
    """Makes a database on that server like one that is there; its URL."""
    server = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def make(template: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        with server.connect() as connection:
            connection.exec_driver_sql(f"create database {name} template {template}")
        return postgres.set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture(scope="session")
def new_database(create_database: Callable[[str], str]) -> Callable[[], str]:
    """Makes an empty database on that server; its URL."""
    return lambda: create_database("template1")


@pytest.fixture(scope="session")
def new_migrated(create_database: Callable[[str], str], new_database: Callable[[], str]) -> Callable[[], str]:
    """Makes a database in which `tonnage migrate` has run, and nothing else; its URL."""
    engine = open_engine(new_database())
    migrate(engine)
    engine.dispose()
    template = str(engine.url.database)
    return lambda: create_database(template)


@pytest.fixture(scope="session")
def key_of() -> Callable[..., str]:
    """Makes an API key in a migrated database, an admin's unless told otherwise; the key."""
    return _key_of


def _key_of(
    engine: sa.Engine,
    role: str = "admin",
    organizations: Iterable[str] | None = None,
    expires_at: dt.datetime | None = None,
) -> str:
    key = new_key(os.urandom)
    scope = None if organizations is None else frozenset(organizations)
    with engine.begin() as connection:
        add_key(connection, NewApiKey(key.id, key.secret_hash, f"{role} {key.id}", role, scope, expires_at))
    return str(key)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the repository."""
    if not DATA.is_dir():
        pytest.skip(f"the shared data folder {DATA} is not there")
    return DATA


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
            slices.append(
                slice_record(
                    each, Fingerprint(part.lines.height + part.rejects.height, "1"), part, added_up=False
                )
            )
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("there is no chromium on PATH; install it by: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_LAUNCH)
        yield browser
        browser.close()
