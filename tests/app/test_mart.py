"""The star of schema mart: its shape is a contract, and its numbers are those of the service."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.store.lineage import Lineage
from app.store.mart_grants import let_read
from app.store.publish import publish, record, roll_back
from app.store.scores import Score, keep_scores
from app.store.session import connected
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]
type Rows = list[dict[str, Any]]
type Ask = Callable[[str], Rows]

CONTRACT = Path(__file__).parent / "golden" / "mart.json"
OCTOBER = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
NOVEMBER = dt.datetime(2026, 12, 2, 6, 0, tzinfo=dt.UTC)
LEAVES = "organization,customer,material"


def shape(engine: Engine) -> dict[str, Any]:
    """Every view of the schema with its comment, and its columns in order: name, type, comment."""
    question = """
        select view.relname, obj_description(view.oid, 'pg_class'), attname,
            format_type(atttypid, atttypmod), col_description(view.oid, attnum)
        from pg_class view
        join pg_attribute on attrelid = view.oid and attnum > 0
        where view.relnamespace = 'mart'::regnamespace
        order by view.relname, attnum
    """
    found: dict[str, Any] = {}
    with engine.connect() as connection:
        for view, said, *column in connection.exec_driver_sql(question):
            found.setdefault(view, {"comment": said, "columns": []})["columns"].append(
                dict(zip(("name", "type", "comment"), column, strict=True))
            )
    return found


def test_the_shape_is_the_contract(migrated: Engine) -> None:
    assert shape(migrated) == json.loads(CONTRACT.read_text())


def test_everything_is_explained(migrated: Engine) -> None:
    for view, facts in shape(migrated).items():
        assert facts["comment"], view
        assert [column["name"] for column in facts["columns"] if not column["comment"]] == [], view


@pytest.fixture
def ask(engine: Engine) -> Iterator[Ask]:
    """Asks as a login that sees all organizations."""
    with engine.begin() as connection:
        connection.exec_driver_sql("drop role if exists analyst")
        connection.exec_driver_sql("create role analyst login in role tonnage_mart")
        let_read(connection, "analyst", None)
    analyst = sa.create_engine(engine.url.set(username="analyst"), poolclass=sa.NullPool)

    def rows(question: str) -> Rows:
        with analyst.connect() as connection:
            return [dict(row) for row in connection.exec_driver_sql(question).mappings()]

    yield rows
    with engine.begin() as connection:
        connection.exec_driver_sql("drop role analyst")


def lineage_of(hierarchy: Hierarchy, last: Month) -> Lineage:
    """Fourteen months of history: leaf i bought 10^i in the first, twice that in the second, and so on."""
    leaf = 10.0 ** np.arange(hierarchy.n_leaves)
    panel = DemandPanel(hierarchy, last - 13, np.outer(leaf, np.arange(1.0, 15.0)), np.zeros(len(leaf), int))
    return Lineage({}, {}, "0.3.0", "abc", "", {}, panel)


@pytest.fixture
def shown(engine: Engine, make_run: MakeRun) -> list[ForecastRun]:
    """October's run and November's, which is current, and between them one that was refused."""
    october, november = make_run("2026-10-aaaa"), make_run("2026-11-bbbb", 3.0)
    november = replace(november, forecast=replace(november.forecast, first=Month(2026, 12)))
    refused = make_run("2026-10-zzzz", 99.0)
    for run, store, at in (
        (october, publish, OCTOBER),
        (refused, record, OCTOBER),
        (november, publish, NOVEMBER),
    ):
        store(engine, run, at, lineage_of(run.forecast.hierarchy, run.origin))
    return [october, november]


@pytest.mark.usefixtures("shown")
class TestForecasts:
    @pytest.mark.parametrize("run", ["2026-10-aaaa", "2026-11-bbbb"])
    def test_leaves_are_those_of_the_service(self, ask: Ask, client: TestClient, run: str) -> None:
        found = ask(
            f"""
            select organization, customer, material, to_char(period_start, 'YYYY-MM') as month, mean
            from mart.fact_forecast
            join mart.dim_organization using (organization_key)
            join mart.dim_customer using (customer_key)
            join mart.dim_material using (material_key)
            where run_key = (select run_key from mart.dim_run where run = '{run}')
            """
        )
        asked = {"level": LEAVES, "run": run}
        nodes = client.get("/v1/forecasts", params=asked).json()["forecasts"]
        answered = [
            {key: node[key] for key in LEAVES.split(",")} | {"month": each["month"], "mean": each["mean"]}
            for node in nodes
            for each in node["months"]
        ]
        assert len(found) == 8
        assert sorted(found, key=str) == sorted(answered, key=str)

    def test_leaves_add_up_to_every_node_above(self, ask: Ask) -> None:
        sums = ask(
            """
            with leaf as (select * from mart.fact_forecast)
            select node.mean, (
                select sum(leaf.mean) from leaf
                where (leaf.run_key, leaf.period_start) = (node.run_key, node.period_start)
                    and leaf.organization_key = coalesce(node.organization_key, leaf.organization_key)
                    and leaf.customer_key = coalesce(node.customer_key, leaf.customer_key)
                    and leaf.material_key = coalesce(node.material_key, leaf.material_key)
            ) as added
            from mart.fact_forecast_level node
            """
        )
        assert len(sums) == 2 * 2 * 14
        assert all(row["mean"] == pytest.approx(row["added"], rel=1e-12) for row in sums)
        (total,) = ask(
            """
            select sum(mean) as leaves, (
                select sum(mean) from mart.fact_forecast_level
                join mart.dim_level using (level_key)
                join mart.dim_run using (run_key)
                where level = 'total' and is_current
            ) as total
            from mart.fact_forecast join mart.dim_run using (run_key) where is_current
            """
        )
        assert total["leaves"] == total["total"] == 3 * 1111 * 3

    @pytest.mark.parametrize("level", ["total", "organization", "customer", "organization,material", LEAVES])
    def test_levels_are_those_of_the_service(self, ask: Ask, client: TestClient, level: str) -> None:
        found = ask(
            f"""
            select organization, customer, material, to_char(period_start, 'YYYY-MM') as month, mean, p10, p50
            from mart.fact_forecast_level
            join mart.dim_node using (node_key)
            join mart.dim_level on dim_level.level_key = fact_forecast_level.level_key
            where run_key = (select run_key from mart.dim_run where is_current) and level = '{level}'
            """
        )
        nodes = client.get("/v1/forecasts", params={"level": level}).json()["forecasts"]
        answered = [
            {key: node[key] for key in LEAVES.split(",")}
            | {name: each[name] for name in ("month", "mean", "p10", "p50")}
            for node in nodes
            for each in node["months"]
        ]
        assert found
        assert sorted(found, key=str) == sorted(answered, key=str)

    def test_a_quantile_that_the_run_has_not_is_null(self, ask: Ask) -> None:
        assert ask("select distinct p90 from mart.fact_forecast_level") == [{"p90": None}]

    def test_leads_and_moments_follow_the_run(self, ask: Ask) -> None:
        assert ask(
            "select distinct run, lead_months, period_start, fact_forecast.published_at "
            "from mart.fact_forecast join mart.dim_run using (run_key) order by run, lead_months"
        ) == [
            {"run": run, "lead_months": lead, "period_start": day, "published_at": at.replace(tzinfo=None)}
            for run, lead, day, at in (
                ("2026-10-aaaa", 1, dt.date(2026, 11, 1), OCTOBER),
                ("2026-10-aaaa", 2, dt.date(2026, 12, 1), OCTOBER),
                ("2026-11-bbbb", 1, dt.date(2026, 12, 1), NOVEMBER),
                ("2026-11-bbbb", 2, dt.date(2027, 1, 1), NOVEMBER),
            )
        ]


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    ("folded", "reached"),
    [
        ("fact_forecast where run_key = 1", "number = 1"),
        ("fact_forecast where period_start >= date '2026-12-01'", "month >= '2026-12-01'"),
        ("fact_forecast where published_at >= timestamp '2026-12-01'", "published_at AT TIME ZONE"),
        ("fact_forecast_level where level_key = 1", "key = 1"),
        ("fact_actual where organization_key = 1", "known.organization_key = 1"),
    ],
)
def test_filters_reach_the_tables(ask: Ask, folded: str, reached: str) -> None:
    """A barrier holds back what might tell of rows before it is known whose they are; these may pass."""
    plan = [row["QUERY PLAN"] for row in ask(f"explain select * from mart.{folded}")]
    assert [line for line in plan if ("Filter:" in line or "Cond:" in line) and reached in line]
    assert not [line for line in plan if "Subquery Scan on fact_" in line]


class TestActuals:
    @pytest.mark.usefixtures("shown")
    def test_they_are_those_of_the_service(self, ask: Ask, client: TestClient) -> None:
        series = client.get("/v1/series/total", params={"history": 60}).json()
        assert ask(
            "select to_char(period_start, 'YYYY-MM') as month, sum(quantity) as quantity "
            "from mart.fact_actual group by 1 order by 1"
        ) == [{"month": each["month"], "quantity": each["quantity"]} for each in series["history"]]
        assert len(series["history"]) == 14
        rows = ask(
            "select organization, customer, material, quantity from mart.fact_actual "
            "join mart.dim_organization using (organization_key) join mart.dim_customer using (customer_key) "
            "join mart.dim_material using (material_key) where period_start = '2026-10-01' order by quantity"
        )
        assert [row["quantity"] for row in rows] == [13.0, 130.0, 1300.0, 13000.0]
        assert [row["organization"] for row in rows] == ["NORD", "NORD", "SÜD", "SÜD"]

    def test_a_run_of_before_version_0_3_has_none(self, ask: Ask, published: ForecastRun) -> None:
        assert ask("select count(*) from mart.fact_actual") == [{"count": 0}]
        assert len(ask("select * from mart.fact_forecast")) == 2 * published.forecast.hierarchy.n_leaves


class TestAccuracy:
    ONE = Score(
        run_id="2026-10-aaaa", level=(), month=Month(2026, 11), lead=1, nodes=4, new_nodes=1, gone_nodes=0,
        actual=100.0, demand=100.0, error=-10.0, absolute_error=10.0, seasonal_error=20.0, within=2,
        probabilities=(0.1, 0.5, 0.975), pinball=(2.0, 5.0, 3.5), scaled_error=4.0, scaled_nodes=3,
    )  # fmt: skip
    TWO = replace(
        ONE, month=Month(2026, 12), lead=2, demand=50.0, error=5.0, absolute_error=15.0,
        seasonal_error=float("nan"), within=None, scaled_error=None, scaled_nodes=None,
    )  # fmt: skip

    @pytest.mark.usefixtures("shown")
    def test_ratios_of_sums_are_those_of_the_service(
        self, engine: Engine, ask: Ask, client: TestClient
    ) -> None:
        with connected(engine) as connection:
            # November's run is the newest that tells of November; what October's says of it counts no more.
            keep_scores(connection, "2026-10-aaaa", [replace(self.ONE, demand=7.0, absolute_error=7.0)])
            keep_scores(connection, "2026-11-bbbb", [self.ONE, self.TWO])
            keep_scores(connection, "2026-11-bbbb", [replace(self.ONE, level=("customer",), demand=120.0)])
        found = ask(
            """
            select level,
                sum(absolute_error) / sum(demand) as wape,
                sum(error) / sum(demand) as bias,
                sum(scaled_error) / sum(scaled_nodes) as mase,
                sum(quantile_loss) / sum(quantile_demand) as wql,
                sum(within_p10_p90)::float8 / sum(interval_nodes) as coverage_p10_p90,
                (sum(seasonal_error) - sum(compared_error)) / sum(compared_demand) as value_added_seasonal,
                sum(nodes) as cells
            from mart.fact_accuracy join mart.dim_level using (level_key) group by level, depth order by depth
            """
        )
        rows = client.get("/v1/accuracy").json()["rows"]
        assert len(found) == len(rows) == 2
        for row, answered in zip(found, rows, strict=True):
            assert row == pytest.approx({name: answered[name] for name in row})
        assert found[0]["wape"] == pytest.approx(25 / 150)


class TestDimensions:
    @pytest.mark.usefixtures("shown")
    def test_keys_stay_when_more_is_published(self, engine: Engine, ask: Ask, make_run: MakeRun) -> None:
        def keys() -> dict[str, Rows]:
            return {
                name: ask(f"select * from mart.dim_{name} order by {name}_key")
                for name in ("organization", "customer", "material", "level", "node")
            }

        before = keys()
        runs = ask("select run_key, run from mart.dim_run order by run_key")
        run = make_run("2026-12-cccc")
        leaves = run.forecast.hierarchy.leaves
        more = leaves.vstack(leaves[:1].with_columns(customer=pl.lit("A-first")))
        hierarchy = Hierarchy.of(leaves.columns, run.forecast.hierarchy.levels, more)
        mean = hierarchy.aggregate(np.ones((5, 2)))
        forecast = Forecast(hierarchy, Month(2027, 1), mean, (0.5,), mean[None])
        publish(engine, replace(run, forecast=forecast), NOVEMBER)
        after = keys()
        assert {name: rows[: len(before[name])] for name, rows in after.items()} == before
        assert after["customer"][-1]["customer"] == "A-first"
        now = ask("select run_key, run from mart.dim_run order by run_key")
        assert now[: len(runs)] == runs
        assert [row["run"] for row in now] == ["2026-10-aaaa", "2026-11-bbbb", "2026-12-cccc"]

    @pytest.mark.usefixtures("shown")
    def test_the_run_that_is_shown_is_current_and_one_that_was_refused_is_not_there(
        self, engine: Engine, ask: Ask
    ) -> None:
        question = "select run, is_current, is_last_of_origin from mart.dim_run order by run"
        first = {"run": "2026-10-aaaa", "is_current": False, "is_last_of_origin": True}
        second = {"run": "2026-11-bbbb", "is_current": True, "is_last_of_origin": True}
        assert ask(question) == [first, second]
        roll_back(engine, "2026-10-aaaa", NOVEMBER)
        assert ask(question) == [first | {"is_current": True}, second | {"is_current": False}]

    @pytest.mark.usefixtures("shown")
    def test_every_day_of_the_years_that_runs_tell_of(self, ask: Ask) -> None:
        days = ask("select * from mart.dim_date order by date")
        assert [row["date"] for row in days] == [
            dt.date(2025, 1, 1) + dt.timedelta(days=n) for n in range(3 * 365)
        ]
        november = [row for row in days if row["year_month"] == "2026-11"]
        assert sum(row["working_day"] for row in november) == 21
        assert {(row["quarter"], row["month_name"], row["year_month_sort"]) for row in november} == {
            (4, "November", 202611)
        }
        assert not any(row["is_future"] for row in november), "the current run's last month of history"
        assert {row["period_start"] for row in days if row["is_future"]} == {
            dt.date(2026, 12, 1), *(dt.date(2027, month, 1) for month in range(1, 13)),
        }  # fmt: skip
        facts = ask(
            "select period_start from mart.fact_forecast union select period_start from mart.fact_actual"
        )
        assert {row["period_start"] for row in facts} <= {row["date"] for row in days}

    def test_all_is_empty_before_the_first_run(self, ask: Ask, migrated: Engine) -> None:
        for view in shape(migrated):
            assert ask(f"select * from mart.{view}") == [], view
