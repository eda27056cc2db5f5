"""GET /v1/series/{node}: one node through time, by hand."""

import csv
import datetime as dt
import io
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.api.series_schemas import NodeSeries
from app.store.lineage import Lineage
from app.store.node_id import NodeId
from app.store.publish import publish, record
from app.store.read import reading
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

OCTOBER = dt.datetime(2026, 10, 2, 6, 0, tzinfo=dt.UTC)
KEYS = ("organization", "customer")
LEVELS = [(), ("organization",), KEYS]
EVERYBODY = [("NORD", "K-1"), ("NORD", 'K,"2"'), ("=SÜD", "K-1")]


def make(
    name: str, origin: Month, *, scale: float, horizon: int = 3, leaves: list[tuple[str, str]] | None = None,
    probabilities: tuple[float, ...] = (0.1, 0.9),
) -> tuple[ForecastRun, Lineage]:  # fmt: skip
    """A run whose leaf i says scale · 10^i in its first month, twice that in the second, and so on.

    It had 14 months of history: leaf i bought 10^i in the first, twice that in the second, and so on.
    """
    table = pl.DataFrame(leaves or EVERYBODY, schema=dict.fromkeys(KEYS, pl.String), orient="row")
    hierarchy = Hierarchy.of(KEYS, LEVELS, table)
    leaf = 10.0 ** np.arange(hierarchy.n_leaves)
    mean = hierarchy.aggregate(scale * np.outer(leaf, np.arange(1, horizon + 1)))
    quantiles = np.stack([mean * (0.5 + probability) for probability in probabilities])
    forecast = Forecast(hierarchy, origin + 1, mean, probabilities, quantiles)
    history = DemandPanel(
        hierarchy, origin - 13, np.outer(leaf, np.arange(1.0, 15.0)), np.zeros(len(leaf), int)
    )
    lineage = Lineage({}, {}, "0.3.0", "abc", "", {}, history)
    return ForecastRun(f"{origin}-{name}", forecast, "s", "m", "t", "b"), lineage


@pytest.fixture
def three(engine: Engine) -> None:
    """Three months, each published and shown, and between them one that was refused."""
    runs = [
        make("a", Month(2026, 9), scale=1.0, probabilities=(0.1, 0.5)),
        make("b", Month(2026, 10), scale=2.0, leaves=EVERYBODY[:2]),
        make("refused", Month(2026, 10), scale=99.0),
        make("c", Month(2026, 11), scale=3.0),
    ]
    for number, (run, lineage) in enumerate(runs):
        store = record if "refused" in run.id else publish
        store(engine, run, OCTOBER + dt.timedelta(days=30 * number), lineage)


def around(mean: float) -> str:
    return ",".join(str(mean * part) for part in (1, 0.6, 1.4))


@pytest.mark.usefixtures("three")
class TestSeries:
    def test_everything_by_hand(self, client: TestClient) -> None:
        answer = client.get("/v1/series/organization=NORD?history=2").json()
        NodeSeries.model_validate(answer)
        assert (answer["run"]["id"], answer["unit"]) == ("2026-11-c", "t")
        assert answer["node"] == {
            "node": "organization=NORD", "level": "organization", "organization": "NORD", "customer": None,
            "material": None,
        }  # fmt: skip
        # NORD's leaves are the second and the third: 10 + 100.
        assert answer["history"] == [
            {"month": "2026-10", "quantity": 110.0 * 13},
            {"month": "2026-11", "quantity": 110.0 * 14},
        ]
        assert answer["forecast"] == [
            {"month": month, "mean": 330.0 * step, "p10": 330.0 * step * 0.6, "p90": 330.0 * step * 1.4}
            for step, month in enumerate(("2026-12", "2027-01", "2027-02"), start=1)
        ]
        assert answer["last_year"] == [
            {"month": "2025-12", "quantity": 110.0 * 3},
            {"month": "2026-01", "quantity": 110.0 * 4},
            {"month": "2026-02", "quantity": 110.0 * 5},
        ]
        # Run b had two leaves, 1 and 10; it said 2 · 11 in its first month, which was 2026-11.
        assert [(each["run"]["id"], each["unit"]) for each in answer["earlier"]] == [
            ("2026-10-b", "t"), ("2026-09-a", "t"),
        ]  # fmt: skip
        assert answer["earlier"][0]["months"] == [
            {"month": "2026-12", "mean": 44.0, "p10": 44.0 * 0.6, "p90": 44.0 * 1.4},
            {"month": "2027-01", "mean": 66.0, "p10": 66.0 * 0.6, "p90": 66.0 * 1.4},
        ]
        # Run a held the median rather than the upper quantile.
        assert answer["earlier"][1]["months"] == [{"month": "2026-12", "mean": 330.0, "p10": 330.0 * 0.6}]

    @pytest.mark.parametrize(
        ("query", "history", "earlier"),
        [
            ("", 14, ["2026-10-b", "2026-09-a"]),
            ("history=0&earlier=0", 0, []),
            ("history=3&earlier=1", 3, ["2026-10-b"]),
            ("run=2026-10&quantiles=0.9", 14, ["2026-09-a"]),
            ("as_of=2026-10-05", 14, []),
        ],
    )
    def test_as_much_as_is_asked_for(
        self, client: TestClient, query: str, history: int, earlier: list[str]
    ) -> None:
        answer = client.get(f"/v1/series/total?{query}").json()
        assert len(answer["history"]) == history
        assert [each["run"]["id"] for each in answer["earlier"]] == earlier

    def test_node_that_an_earlier_run_did_not_have(self, client: TestClient) -> None:
        answer = client.get("/v1/series/organization=~3DS~C3~9CD").json()
        assert [each["run"]["id"] for each in answer["earlier"]] == ["2026-09-a"]
        problem = client.get("/v1/series/organization=~3DS~C3~9CD?run=2026-10-b").json()
        assert (problem["status"], problem["field"]) == (404, "node")

    def test_every_byte_as_csv(self, client: TestClient) -> None:
        node = str(NodeId.of({"organization": "NORD", "customer": 'K,"2"'}))
        for format_asked, accept in (("&format=csv", "*/*"), ("", "text/csv")):
            url = f"/v1/series/{node}?history=1&earlier=9{format_asked}"
            answer = client.get(url, headers={"Accept": accept})
            assert answer.headers["content-type"] == "text/csv; charset=utf-8"
            assert "series-2026-11-c-organization_NORD_customer" in answer.headers["content-disposition"]
            place = '"organization,customer",NORD,"K,""2""",,'
            forecast = [
                f"2026-11-c,2026-11,{place}forecast,{month},t,{around(mean)}"
                for month, mean in (("2026-12", 30.0), ("2027-01", 60.0), ("2027-02", 90.0))
            ]
            before = [
                f"2026-10-b,2026-10,{place}earlier,{month},t,{around(mean)}"
                for month, mean in (("2026-12", 4.0), ("2027-01", 6.0))
            ]
            assert answer.text.splitlines() == [
                "run,origin,level,organization,customer,material,kind,month,unit,mean,p10,p90",
                f"2026-11-c,2026-11,{place}history,2026-11,t,140.0,,",
                *forecast,
                f"2026-11-c,2026-11,{place}last year,2025-12,t,30.0,,",
                f"2026-11-c,2026-11,{place}last year,2026-01,t,40.0,,",
                f"2026-11-c,2026-11,{place}last year,2026-02,t,50.0,,",
                *before,
                f"2026-09-a,2026-09,{place}earlier,2026-12,t,30.0,18.0,",
            ]
            assert answer.text.endswith(",18.0,\n")

    def test_formulas_are_text(self, client: TestClient) -> None:
        text = client.get("/v1/series/organization=~3DS~C3~9CD?format=csv").text
        assert {row["organization"] for row in csv.DictReader(io.StringIO(text))} == {"'=SÜD"}

    @pytest.mark.parametrize(
        ("path", "status", "field"),
        [
            ("total?history=-1", 422, "history"),
            ("total?history=1201", 422, "history"),
            ("total?earlier=61", 422, "earlier"),
            ("total?quantiles=0.5", 422, "quantiles"),
            ("total?format=xml", 422, "format"),
            ("total?from=2026-11", 422, "from"),
            ("plant=1", 422, "level"),
            ("x", 422, "node"),
            ("organization=OST", 404, "node"),
        ],
    )
    def test_refusals(self, client: TestClient, path: str, status: int, field: str) -> None:
        answer = client.get(f"/v1/series/{path}")
        assert (answer.status_code, answer.json()["field"]) == (status, field)

    def test_no_such_format(self, client: TestClient) -> None:
        assert client.get("/v1/series/total", headers={"Accept": "image/png"}).status_code == 406

    def test_an_answer_stays_what_it_was(self, client: TestClient, engine: Engine) -> None:
        url = "/v1/series/organization=NORD?run=2026-11-c"
        before = client.get(url)
        publish(engine, *_published(make("d", Month(2026, 12), scale=4.0)))
        assert client.get(url).json() == before.json()
        assert client.get(url, headers={"If-None-Match": before.headers["etag"]}).status_code == 304
        newer = client.get("/v1/series/organization=NORD").json()
        assert newer["run"]["id"] == "2026-12-d"
        assert newer["earlier"][0]["run"]["id"] == "2026-11-c"

    def test_what_is_published_meanwhile_is_not_in_it(self, engine: Engine) -> None:
        with reading(engine) as reader:
            run = reader.current_run()
            publish(engine, *_published(make("d", Month(2026, 12), scale=4.0)))
            series = reader.series(run, NodeId.of({}))
        said = (series.forecast, *series.earlier)
        assert [each.run.id for each in said] == ["2026-11-c", "2026-10-b", "2026-09-a"]


def _published(made: tuple[ForecastRun, Lineage]) -> tuple[ForecastRun, dt.datetime, Lineage]:
    run, lineage = made
    return run, OCTOBER + dt.timedelta(days=365), lineage


def test_run_of_old_has_no_history(client: TestClient, published: ForecastRun) -> None:
    answer = client.get("/v1/series/customer=K-104").json()
    assert (answer["history"], answer["last_year"], answer["earlier"]) == ([], [], [])
    assert [month["mean"] for month in answer["forecast"]] == [110.0, 220.0]


def test_months_that_have_no_last_year_in_a_short_history(engine: Engine) -> None:
    publish(engine, *_published(make("long", Month(2026, 9), scale=1.0, horizon=14)))
    with reading(engine) as reader:
        series = reader.series(reader.current_run(), NodeId.of({}), history=1)
    assert list(series.last_year) == [Month(2026, 10) + step for step in range(12)]
    assert series.last_year[Month(2027, 9)] == series.history[Month(2026, 9)] == 111.0 * 14
