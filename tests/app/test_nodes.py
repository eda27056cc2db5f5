"""GET /v1/nodes."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.api.node_schemas import Nodes
from app.store.publish import publish
from forecasting.forecast import Forecast
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

LATER = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
LEAF = "organization,customer,material"
LEAVES = [
    {"node": node, "level": LEAF, "organization": organization, "customer": customer, "material": material}
    for node, organization, customer, material in [
        ("organization=NORD,customer=K~2C~229~22,material=~3DSUM~28A1~29", "NORD", 'K,"9"', "=SUM(A1)"),
        ("organization=NORD,customer=K-104,material=HEB~20200", "NORD", "K-104", "HEB 200"),
        ("organization=S~C3~9CD,customer=K-104,material=HEB~20200", "SÜD", "K-104", "HEB 200"),
        ("organization=S~C3~9CD,customer=K-7,material=Blech", "SÜD", "K-7", "Blech"),
    ]
]
TOTAL = {"node": "total", "level": "total", "organization": None, "customer": None, "material": None}


@pytest.mark.usefixtures("published")
class TestNodes:
    def test_leaves(self, client: TestClient) -> None:
        answer = client.get("/v1/nodes?level=material,customer,organization").json()
        assert answer["run"]["id"] == "2026-10-aaaa"
        assert answer["level"] == "organization,customer,material"
        assert answer["nodes"] == LEAVES
        assert answer["next"] is None
        Nodes.model_validate(answer)

    def test_total(self, client: TestClient) -> None:
        assert client.get("/v1/nodes").json()["nodes"] == [TOTAL]

    def test_filter(self, client: TestClient) -> None:
        answer = client.get("/v1/nodes?level=organization,customer,material&customer=K-104").json()
        assert answer["nodes"] == LEAVES[1:3]

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    def test_walk_meets_each_node_once(self, client: TestClient, limit: int) -> None:
        url = f"/v1/nodes?level=organization,customer,material&limit={limit}"
        page = client.get(url).json()
        met = page["nodes"]
        while page["next"]:
            page = client.get(f"{url}&cursor={page['next']}").json()
            met += page["nodes"]
        assert met == LEAVES

    def test_nodes_of_earlier_runs_do_not_show(
        self, client: TestClient, engine: Engine, make_run: MakeRun
    ) -> None:
        old = make_run().forecast
        hierarchy = old.hierarchy.keep(np.array([True, True, False, False]))
        mean = hierarchy.aggregate(np.array([[1.0, 2.0], [10.0, 20.0]]))
        newer = Forecast(hierarchy, old.first, mean, (0.5,), mean[None])
        publish(engine, make_run("2026-10-bbbb", forecast=newer), LATER)
        answer = client.get("/v1/nodes?level=organization,customer,material").json()
        assert answer["nodes"] == LEAVES[:2]
        assert client.get("/v1/nodes?level=organization&organization=S%C3%9CD").status_code == 404
        assert client.get("/v1/forecasts?level=organization&organization=S%C3%9CD").status_code == 404

    def test_not_modified(self, client: TestClient) -> None:
        tag = client.get("/v1/nodes").headers["etag"]
        assert client.get("/v1/nodes", headers={"If-None-Match": tag}).status_code == 304

    @pytest.mark.parametrize("query", ["quantiles=0.5", "from=2026-11", "level=plant", "cursor=W10"])
    def test_refusals(self, client: TestClient, query: str) -> None:
        answer = client.get(f"/v1/nodes?{query}")
        assert answer.status_code == 422
        assert answer.json()["field"] == query.partition("=")[0]


def test_nothing_published_yet(client: TestClient) -> None:
    assert client.get("/v1/nodes").json()["type"] == "urn:tonnage:problem:nothing-published"
