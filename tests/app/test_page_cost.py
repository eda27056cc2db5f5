"""A page costs what it holds, wherever it lies among the pages: counted in buffers of PostgreSQL."""

import datetime as dt
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.dialects import postgresql

from app.store.engine import open_engine
from app.store.forecasts import forecasts_question
from app.store.nodes import Place
from app.store.publish import publish
from app.store.read import Reader
from app.store.selection import Selection, select_from
from app.store.session import still
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.run import ForecastRun

LEAF = ("organization", "customer", "material", "grade")
LEVELS = [(), ("organization",), ("customer",), ("material", "grade"), LEAF]
LIMIT = 50
PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def many(new_migrated: Callable[[], str]) -> Iterator[Engine]:
    """Two runs of five thousand leaves and some seven hundred nodes above them, three months each."""
    engine = open_engine(new_migrated())
    number = np.arange(5000)
    leaves = pl.DataFrame(
        {
            "organization": [f"O-{each % 4}" for each in number],
            "customer": [f"K-{each % 500:04d}" for each in number],
            "material": [f"M-{each // 25:04d}" for each in number],
            "grade": [f"S{each // 25 % 7}" for each in number],
        }
    )
    hierarchy = Hierarchy.of(LEAF, LEVELS, leaves)
    mean = hierarchy.aggregate(np.random.default_rng(7).lognormal(2, 1, (5000, 3)))
    forecast = Forecast(hierarchy, Month(2026, 11), mean, (0.5,), mean[None])
    for name in ("2026-10-a", "2026-10-b"):
        publish(engine, ForecastRun(name, forecast, "s", "m", "t", "b"), PUBLISHED)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    yield engine
    engine.dispose()


def buffers(engine: Engine, selection: Selection, after: Place | None) -> int:
    """Buffers that a page of forecasts touches, in memory or not."""
    question = forecasts_question(selection, after, LIMIT + 1)
    compiled = question.compile(dialect=postgresql.psycopg2.dialect())
    with engine.connect() as connection:
        (plan,) = connection.exec_driver_sql(
            f"explain (analyze, buffers, format json) {compiled}", compiled.params
        ).scalar_one()
    return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])


def middle(engine: Engine, selection: Selection) -> Place:
    with still(engine) as connection:
        rows = Reader(connection).nodes(selection, 10_000).rows
    return Place(selection.level, rows[len(rows) // 2].within(selection.level))


@pytest.mark.parametrize(
    ("level", "where"),
    [
        ("organization,customer,material,grade", {}),
        ("customer", {}),
        ("material,grade", {}),
        ("organization,customer,material,grade", {"organization": "O-2"}),
        ("organization,customer,material,grade", {"organization": ["O-1", "O-2"]}),
    ],
)
def test_page_in_the_middle_costs_no_more_than_the_first(
    many: Engine, level: str, where: dict[str, str | list[str]]
) -> None:
    with still(many) as connection:
        selection = select_from(Reader(connection).current_run(), level=level, where=where)
    first, later = (buffers(many, selection, after) for after in (None, middle(many, selection)))
    # A descent of the index, a node and its months for each row, and little that is thrown away.
    assert later <= 1.1 * first + 10
    assert first <= 12 * (LIMIT + 1)


def test_page_does_not_grow_with_runs_or_nodes(many: Engine) -> None:
    with still(many) as connection:
        run = Reader(connection).current_run()
    few = buffers(many, select_from(run, level="customer", where={}), None)
    more = buffers(many, select_from(run, level=",".join(LEAF), where={}), None)
    assert more <= 1.5 * few
