"""The page on Power BI can be followed: its SQL runs, and what it names is there and fits together."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from app.store.engine import open_engine
from app.store.lineage import Lineage
from app.store.publish import publish
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun
from tonnage.cli import DONE, main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "power-bi.md").read_text()
KEYS = ("organization", "customer", "material")
LEVELS = [(), ("organization",), ("customer",), KEYS]
# In M a filter on columns of a table; in DAX and on the page, a column of a table.
COLUMN = re.compile(r"\b((?:fact|dim)_\w+)\[(\w+)\]")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def analyst(new_database: Callable[[], str]) -> Iterator[Connection]:
    """A connection of the login that the page makes, let in to NORD and WEST by the command that it tells."""
    url = new_database()
    engine = open_engine(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TONNAGE_DATABASE_URL", url)
        assert main(["migrate"]) == DONE
        for month in (Month(2026, 9), Month(2026, 10)):
            publish(engine, *_run(month))
        with engine.begin() as connection:
            connection.exec_driver_sql(blocks("sql")[0])
        granted = ["--organization", "NORD", "--organization", "WEST"]
        assert main(["mart", "grant", "bi_nord", *granted]) == DONE
    login = sa.create_engine(engine.url.set(username="bi_nord", password="change me"), poolclass=sa.NullPool)
    with login.connect() as connection:
        yield connection
    with engine.begin() as connection:
        connection.exec_driver_sql("drop role bi_nord")
    engine.dispose()


def _run(last: Month) -> tuple[ForecastRun, dt.datetime, Lineage]:
    """Three leaves of 1, 2 and 4 tonnes in each of three months, published on the second day of the first."""
    rows = [("NORD", "0104", "COIL"), ("NORD", "K-104", "COIL"), ("WEST", "K-104", "PLATE")]
    leaves = pl.DataFrame(rows, schema=dict.fromkeys(KEYS, pl.String), orient="row")
    hierarchy = Hierarchy.of(KEYS, LEVELS, leaves)
    mean = hierarchy.aggregate(np.outer([1.0, 2.0, 4.0], np.ones(3)))
    forecast = Forecast(hierarchy, last + 1, mean, (0.1, 0.5, 0.9), np.stack([mean / 2, mean, mean * 2]))
    panel = DemandPanel(hierarchy, last - 23, np.outer([1.0, 2.0, 4.0], np.ones(24)), np.zeros(3, int))
    first = (last + 1).first_day
    at = dt.datetime(first.year, first.month, 2, 6, tzinfo=dt.UTC)
    run = ForecastRun(f"{last}-aaaa", forecast, "3f9c1a2b", "smoothing/3", "t", "the first")
    return run, at, Lineage({}, {}, "0.3.0", "abc", "", {}, panel)


def columns(connection: Connection) -> dict[str, set[str]]:
    inspector = sa.inspect(connection)
    return {
        view: {column["name"] for column in inspector.get_columns(view, schema="mart")}
        for view in inspector.get_view_names(schema="mart")
    }


def test_a_native_query_runs(analyst: Connection) -> None:
    (text,) = re.findall(r'Value\.NativeQuery\(\s*Source,\s*"(.*?)"', PAGE, re.DOTALL)
    rows = analyst.exec_driver_sql(text).all()
    assert [tuple(row) for row in rows] == [
        (month, organization, mean, "t")
        for month in ("2026-11", "2026-12", "2027-01")
        for organization, mean in (("NORD", 3.0), ("WEST", 4.0))
    ]


def test_what_filters_fold_to_finds_the_rows_of_the_range(analyst: Connection) -> None:
    _, published, past = blocks("sql")
    rows = analyst.exec_driver_sql(published).mappings().all()
    assert {row["lead_months"] for row in rows} == {1, 2, 3}
    assert sum(row["mean"] for row in rows) == 3 * 7.0, "October's run alone"
    rows = analyst.exec_driver_sql(past).mappings().all()
    assert sum(row["quantity"] for row in rows) == 7.0


def test_power_query_names_views_and_their_columns(analyst: Connection) -> None:
    """No engine of Power Query runs here: its filters are asked as the SQL that they fold to."""
    there = columns(analyst)
    steps = 0
    for block in blocks("powerquery"):
        views = dict(re.findall(r'(\w+) = Source\{\[Schema = "mart", Item = "(\w+)"\]\}', block))
        assert set(views.values()) <= set(there)
        for table, condition in re.findall(r"Table\.SelectRows\((\w+), each (.*?)\)(?:\{0\}.*|)\n", block):
            steps += 1
            folded = re.sub(r"\[(\w+)\]", r'"\1"', condition)
            folded = re.sub(r"Date\.From\((\w+)\)", r"date \1", folded)
            folded = folded.replace("RangeStart", "'2026-09-01'").replace("RangeEnd", "'2026-12-01'")
            folded = folded.replace("Current", "(select run_key from mart.dim_run where is_current)")
            found = analyst.exec_driver_sql(f"select count(*) from mart.{views[table]} where {folded}")
            assert found.scalar_one() > 0, condition
    assert steps == 4


def test_columns_that_the_page_names_are_there(analyst: Connection) -> None:
    there = columns(analyst)
    named = COLUMN.findall(PAGE)
    assert len(named) > 60
    assert [f"{view}[{column}]" for view, column in named if column not in there[view]] == []
    assert {view for view in there if f"`{view}`" not in PAGE} == set(), "every view is told of"


def test_relationships_are_many_to_one_and_no_fact_is_without_its_dimension(analyst: Connection) -> None:
    pairs = re.findall(r"^\| `(\w+)\[(\w+)\]` \| `(\w+)\[(\w+)\]` \|$", PAGE, re.MULTILINE)
    assert len(pairs) == 17
    for fact, key, dimension, its in pairs:
        twice = f"select {its} from mart.{dimension} group by 1 having count(*) > 1"
        lost = (
            f"select {key} from mart.{fact} where {key} is not null except select {its} from mart.{dimension}"
        )
        assert analyst.exec_driver_sql(twice).all() == []
        assert analyst.exec_driver_sql(lost).all() == []
