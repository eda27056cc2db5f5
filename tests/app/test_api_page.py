"""The questions of docs/api.md about runs can be asked as they are written."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.store.lineage import Lineage
from app.store.publish import publish
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
ASKED = re.findall(
    r'"\$TONNAGE(/v1/(?:runs|accuracy|lineage|models|snapshots|drift)[^"]*)"', PAGE.read_text()
)
PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("question", ASKED)
def test_the_page_can_be_followed(
    client: TestClient, engine: Engine, make_run: Callable[..., ForecastRun], question: str
) -> None:
    before, run = make_run("2026-09-5d0c1a2b3c4d"), make_run()
    before = replace(before, forecast=replace(before.forecast, first=Month(2026, 10)))
    panel = DemandPanel(run.forecast.hierarchy, Month(2026, 9), np.ones((4, 2)), np.zeros(4, np.int64))
    publish(engine, before, PUBLISHED)
    publish(engine, run, PUBLISHED, Lineage({"name": "theta"}, {}, "0.3", "", "", {}, panel))
    answer = client.get(question)
    assert answer.status_code == 200, answer.json()


def test_every_resource_is_shown() -> None:
    assert {question.split("?")[0].split("/")[2] for question in ASKED} == {
        "runs", "accuracy", "lineage", "models", "snapshots", "drift",
    }  # fmt: skip
    assert len(ASKED) > 10
