"""GET /v1/runs/current."""

import datetime as dt
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.api.schemas import CurrentRun
from app.store.publish import publish
from forecasting.run import ForecastRun


@pytest.mark.usefixtures("published")
def test_the_run_that_is_shown(
    client: TestClient, engine: Engine, make_run: Callable[..., ForecastRun]
) -> None:
    answer = client.get("/v1/runs/current").json()
    assert answer == {
        "id": "2026-10-aaaa",
        "origin": "2026-10",
        "published_at": "2026-11-02T06:00:00Z",
        "snapshot": "3f9c1a2b",
        "model": "smoothing/3",
        "unit": "t",
        "because": "the first run",
        "first": "2026-11",
        "last": "2026-12",
        "levels": [
            "total",
            "organization",
            "customer",
            "organization,material",
            "organization,customer,material",
        ],
        "quantiles": [0.1, 0.5, 0.975],
    }
    CurrentRun.model_validate(answer)
    publish(engine, make_run("2026-10-bbbb", unit="piece"), dt.datetime(2026, 11, 3, tzinfo=dt.UTC))
    assert client.get("/v1/runs/current").json()["unit"] == "piece"


def test_nothing_published_yet(client: TestClient) -> None:
    answer = client.get("/v1/runs/current")
    assert answer.status_code == 404
    assert answer.json()["remedy"] == "run: tonnage retrain"
