"""Months to record by hand, and MLflow on the embedded PostgreSQL, emptied for each test."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa

from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from forecasting.run import ForecastRun
from retrain.contest import Contest, Entry, Losses, yardstick

# Before MLflow itself, for this is where it is told to be quiet.
from retrain.mlflow_registry import MlflowClient, MlflowRegistry, open_registry
from retrain.policy import Policy
from retrain.registry import Candidate, CodeIdentity
from retrain.verdict import judge

LEVELS: tuple[Level, ...] = ((), ("organization",), ("organization", "material"))
PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
HORIZON = 3
OLD = Recipe("old", ("theta",), calendar=False, learned=False)
NEW = Recipe("new", ("smoothing", "log_smoothing"), calendar=True, learned=False)


def candidate_of(
    origin: str = "2026-10",
    recipe: Recipe = NEW,
    *,
    key: str = "0a1b2c3d4e5f",
    levels: Sequence[Level] = LEVELS,
    champion: Recipe = OLD,
    origins: int = 12,
) -> Candidate:
    """A month whose numbers follow from its key; its verdict is for `recipe`, after so many past origins."""
    random = np.random.default_rng([*key.encode(), *origin.encode()])
    leaves = pl.DataFrame(
        {
            "organization": ["NORD", "NORD", "WEST", "WEST"],
            "material": ["COIL", "PLATE", "COIL", "Träger 1/2"],
        }
    )
    hierarchy = Hierarchy.of(["organization", "material"], levels, leaves)
    last = Month.parse(origin)
    panel = DemandPanel(hierarchy, last + -29, random.gamma(2, 30, (4, 30)), np.zeros(4, dtype=np.int64))
    mean = hierarchy.aggregate(random.gamma(2, 1 / 3, (4, HORIZON)))
    spread = np.array([0.1, 0.6, 0.9, 1.3, 2.1])[:, None, None]
    forecast = Forecast(hierarchy, last + 1, mean, PROBABILITIES, mean * spread)
    demand = np.full((origins, len(levels), HORIZON), 100.0)
    months = random.normal(1, 0.01, (origins, 1, HORIZON))
    lost = {champion: demand * 0.2 * months, yardstick(): demand * 0.3, recipe: demand * 0.15 * months}
    contest = Contest(
        tuple(levels),
        tuple(last + (at - origins) for at in range(origins)),
        HORIZON,
        PROBABILITIES,
        demand,
        tuple(Entry(each, Losses(losses, losses)) for each, losses in lost.items()),
        yardstick(),
    )
    verdict = judge(contest, champion, Policy((recipe,)))
    run = ForecastRun(
        f"{origin}-{key}", forecast, "5" * 64, f"{verdict.winner.name}-{key}", "t", verdict.because
    )
    return Candidate(run, verdict.winner, panel, verdict, CodeIdentity("0.2.0", "c0ffee", "10c4"))


@pytest.fixture(scope="session")
def make() -> Callable[..., Candidate]:
    return candidate_of


@dataclass(frozen=True)
class Tracked:
    """MLflow's tables in a schema of their own, and the folder of its files."""

    url: str
    artifacts: Path

    def registry(self, client: MlflowClient | None = None) -> MlflowRegistry:
        if client is None:
            return open_registry(self.url, self.artifacts, shown="the test's MLflow")
        return MlflowRegistry(client, self.artifacts, "the test's MLflow")

    def client(self) -> MlflowClient:
        return MlflowClient(self.url, self.url)


@pytest.fixture(scope="module")
def tables(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Tracked:
    """MLflow set up once for a file of tests; that takes seconds."""
    url = sa.engine.make_url(new_database())
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.schema.CreateSchema("mlflow"))
    url = url.update_query_dict({"options": "-csearch_path=mlflow"})
    tracked = Tracked(url.render_as_string(hide_password=False), tmp_path_factory.mktemp("mlflow"))
    tracked.registry()
    return tracked


@pytest.fixture
def tracked(tables: Tracked) -> Iterator[Tracked]:
    """The same, with nothing recorded."""
    empty_tables(tables)
    return tables


def empty_tables(tables: Tracked) -> None:
    with sa.create_engine(tables.url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql("truncate registered_models, runs, inputs, datasets cascade")


@pytest.fixture(scope="session")
def emptied() -> Callable[[Tracked], None]:
    """Forgets all that is recorded."""
    return empty_tables
