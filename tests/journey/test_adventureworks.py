"""Real input: AdventureWorks from its tables to coherent REST answers, as docs/adventureworks.md tells it."""

import io
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.main import create_app
from tests.journey.conftest import World

LEVELS = [
    "total",
    "organization",
    "customer",
    "material",
    "organization,customer",
    "organization,material",
    "organization,customer,material",
]


def test_from_its_tables_to_coherent_answers(adventureworks: World, key_of: Callable[[Engine], str]) -> None:
    assert "204,114" in adventureworks.printed
    engine = adventureworks.open()
    headers = {"Authorization": f"Bearer {key_of(engine)}"}
    service = TestClient(create_app(engine), headers=headers)
    assert service.get("/v1/forecasts").json()["unit"] == "piece"
    sums = {level: _monthly_sums(service, level) for level in LEVELS}
    assert sums["total"]["month"].to_list() == [f"2020-{m:02d}" for m in range(6, 13)] + [
        f"2021-{m:02d}" for m in range(1, 6)
    ]
    for level in LEVELS:
        assert sums[level]["mean"].to_list() == pytest.approx(sums["total"]["mean"].to_list(), rel=1e-9)
    engine.dispose()


def _monthly_sums(service: Any, level: str) -> pl.DataFrame:
    answer = service.get("/v1/forecasts", params={"level": level, "format": "csv"})
    assert answer.status_code == 200
    table = pl.read_csv(io.BytesIO(answer.content), infer_schema_length=None)
    return table.group_by("month").agg(pl.col("mean").sum()).sort("month")
