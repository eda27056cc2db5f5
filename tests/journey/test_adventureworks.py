"""Real input: AdventureWorks from its tables to coherent REST answers, as docs/adventureworks.md tells it."""

import io
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adventureworks.md"
LEVELS = [
    "total",
    "organization",
    "customer",
    "material",
    "organization,customer",
    "organization,material",
    "organization,customer,material",
]


def test_from_its_tables_to_coherent_answers(
    user: Any, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert config is not None
    (user.folder / "adventureworks.toml").write_text(config[1])
    monkeypatch.setenv("ADVENTUREWORKS_URL", user.engine.url.render_as_string(hide_password=False))
    tables = shared_data / "adventureworks_reseller"
    for name in ("orders", "order_lines"):
        rows = pl.read_csv(tables / f"{name}.csv.gz", infer_schema=False)
        kinds = {"order_date": "date", "quantity": "integer", "line_no": "integer"}
        columns = ", ".join(f"{column} {kinds.get(column, 'text')}" for column in rows.columns)
        user.load(name, columns, rows)

    ingested = user.run("ingest", "--config", "adventureworks.toml", "--month", "2020-05")
    assert ingested.code == 0, ingested.err
    assert "204,114" in ingested.out
    retrained = user.run("retrain", "--config", "adventureworks.toml", "--month", "2020-05")
    assert retrained.code == 0, retrained.err

    service = user.service()
    assert service.get("/v1/forecasts").json()["unit"] == "piece"
    sums = {level: _monthly_sums(service, level) for level in LEVELS}
    assert sums["total"]["month"].to_list() == [f"2020-{m:02d}" for m in range(6, 13)] + [
        f"2021-{m:02d}" for m in range(1, 6)
    ]
    for level in LEVELS:
        assert sums[level]["mean"].to_list() == pytest.approx(sums["total"]["mean"].to_list(), rel=1e-9)


def _monthly_sums(service: Any, level: str) -> pl.DataFrame:
    answer = service.get("/v1/forecasts", params={"level": level, "format": "csv"})
    assert answer.status_code == 200
    table = pl.read_csv(io.BytesIO(answer.content))
    return table.group_by("month").agg(pl.col("mean").sum()).sort("month")
