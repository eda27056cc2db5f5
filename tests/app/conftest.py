"""A real PostgreSQL, a hierarchy small enough to add up by hand, and the service on top of both."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.main import create_app
from app.store import tables
from app.store.engine import open_engine
from app.store.migrate import migrate
from app.store.publish import publish
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, Level, parse_level
from forecasting.months import Month
from forecasting.run import ForecastRun

KEYS = ("organization", "customer", "material")
LEVELS = ("total", "organization", "customer", "material,organization", "organization,customer,material")
# Sorted as the leaves are; the odd names are those that paging, quoting and spreadsheets stumble over.
LEAVES = [
    ("NORD", "K-104", "HEB 200"),
    ("NORD", 'K,"9"', "=SUM(A1)"),
    ("SÜD", "K-104", "HEB 200"),
    ("SÜD", "K-7", "Blech"),
]
PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)

type KeyOf = Callable[..., str]
type MakeRun = Callable[..., ForecastRun]
type MakeForecast = Callable[[Level, Sequence[str], Sequence[Level]], Forecast]


@pytest.fixture(scope="session")
def migrated(new_database: Callable[[], str]) -> Iterator[Engine]:
    """One engine on a migrated database."""
    engine = open_engine(new_database())
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(migrated: Engine) -> Engine:
    """The migrated database with nothing published."""
    with migrated.begin() as connection:
        connection.exec_driver_sql(
            "set local session_replication_role = replica"
        )  # the audit trail guards itself
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
    return migrated


@pytest.fixture
def client(engine: Engine, key_of: KeyOf) -> Iterator[TestClient]:
    """The service asked by an admin; its own failures come back as answers, as they would over the wire."""
    app = create_app(engine)
    with TestClient(app, raise_server_exceptions=False, headers=bearer(key_of(engine))) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    """The header that sends a key."""
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def make_run() -> MakeRun:
    """Runs over the four leaves, two months, whose numbers are `scale` times those in `numbers`."""
    return _make_run


def _make_run(run_id: str = "2026-10-aaaa", scale: float = 1.0, **changes: object) -> ForecastRun:
    leaves = pl.DataFrame(LEAVES, schema=dict.fromkeys(KEYS, pl.String), orient="row")
    hierarchy = Hierarchy.of(KEYS, [parse_level(level) for level in LEVELS], leaves)
    # Leaf i of the sorted leaves has mean 10^i in the first month and twice that in the second.
    mean = hierarchy.aggregate(scale * np.outer(10.0 ** np.arange(4), [1.0, 2.0]))
    facts: dict[str, object] = {
        "id": run_id,
        "forecast": Forecast(
            hierarchy,
            Month(2026, 11),
            mean,
            (0.1, 0.5, 0.975),
            np.stack([mean / 2, mean, mean * 2]),
        ),
        "snapshot": "3f9c1a2b",
        "model": "smoothing/3",
        "unit": "t",
        "because": "the first run",
    }
    return ForecastRun(**(facts | changes))  # type: ignore[arg-type]  # facts are of many types


@pytest.fixture(scope="session")
def make_forecast() -> MakeForecast:
    """Forecasts of one month and any names: leaf i, as they are given, has mean 10^i."""
    return _make_forecast


def _make_forecast(names: Level, levels: Sequence[str], leaves: Sequence[Level]) -> Forecast:
    table = pl.DataFrame(leaves, schema=dict.fromkeys(names, pl.String), orient="row")
    hierarchy = Hierarchy.of(names, [parse_level(level) for level in levels], table)
    mean = hierarchy.aggregate(np.array([[10.0 ** leaves.index(leaf)] for leaf in hierarchy.leaves.rows()]))
    return Forecast(hierarchy, Month(2026, 11), mean, (0.5,), mean[None])


@pytest.fixture
def published(engine: Engine, make_run: MakeRun) -> ForecastRun:
    """The run that is current."""
    run = make_run()
    publish(engine, run, PUBLISHED)
    return run
