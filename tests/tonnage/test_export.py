"""`tonnage export`: filters by keys and attributes, the bytes of the service."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.store.engine import open_engine
from app.store.publish import publish
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.run import ForecastRun
from tonnage.cli import main

LEAVES = {
    "organization": ["NORD", "NORD", "SÜD", "SÜD"],
    "material": ["Blech", "HEB", "Blech", "Rohr"],
    "material_group": ["Flat", 'Long; "hot" 🙂', "Flat", "a=b"],
}


@pytest.fixture
def service(
    new_migrated: Callable[[], str],
    noon: dt.datetime,
    monkeypatch: pytest.MonkeyPatch,
    key_of: Callable[..., str],
) -> Iterator[TestClient]:
    """The service over the database that the command line is told of, with a run of three levels."""
    url = new_migrated()
    monkeypatch.setenv("TONNAGE_DATABASE_URL", url)
    engine = open_engine(url)
    levels = [(), ("organization", "material_group"), tuple(LEAVES)]
    hierarchy = Hierarchy.of(list(LEAVES), levels, pl.DataFrame(LEAVES))
    mean = hierarchy.aggregate(np.array([[1.0], [10.0], [100.0], [1000.0]]))
    forecast = Forecast(hierarchy, Month(2026, 11), mean, (0.5,), mean[None])
    publish(engine, ForecastRun("2026-10-aaaa", forecast, "3f9c", "smoothing/3", "t", "the first run"), noon)
    yield TestClient(create_app(engine), headers={"Authorization": f"Bearer {key_of(engine)}"})
    engine.dispose()


@pytest.mark.parametrize(
    "where",
    [
        {"material_group": "Flat"},
        {"material_group": 'Long; "hot" 🙂'},
        {"material_group": "a=b", "organization": "SÜD"},
        {},
    ],
)
def test_bytes_are_those_of_the_service(
    service: TestClient, where: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    level = "organization,material_group"
    options = [word for name, value in where.items() for word in ("--where", f"{name}={value}")]
    assert main(["export", "--level", level, *options]) == 0
    answer = service.get(f"/v1/forecasts?{urlencode({'level': level, 'format': 'csv'} | where)}")
    assert answer.status_code == 200
    assert capsys.readouterr().out == answer.text


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--where", "colour=red"], "filter by organization, customer, material, material_group"),
        (["--where", "material_group"], "NAME=VALUE"),
        (["--where", "material=HEB"], "level that names it (organization,material,material_group)"),
        (["--where", "material_group=Flat", "--where", "material_group=a=b"], "give it once"),
        (["--organization", "NORD", "--where", "organization=NORD"], "give it once"),
        (["--where", "material_group=flat"], "no material_group 'flat'"),
    ],
)
def test_what_is_wrong_is_said(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--level", "organization,material_group", *options]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "options", "question"),
    [
        ("f.csv", [], "format=csv"),
        ("f.csv", ["--sep", ";", "--decimal", ",", "--bom"], "format=csv&sep=;&decimal=,&bom=true"),
        ("f.CSV", ["--shape", "wide"], "format=csv&shape=wide"),
        ("f.parquet", [], "format=parquet"),
        ("f.parquet", ["--shape", "wide"], "format=parquet&shape=wide"),
        ("f.xlsx", [], "format=xlsx"),
        ("f.xlsx", ["--shape", "wide"], "format=xlsx&shape=wide"),
    ],
)
def test_files_are_those_of_the_service(
    service: TestClient, tmp_path: Path, name: str, options: list[str], question: str
) -> None:
    level = "organization,material_group"
    assert main(["export", "--level", level, "--output", str(tmp_path / name), *options]) == 0
    answer = service.get(f"/v1/forecasts?level={level}&{question}")
    assert answer.status_code == 200
    assert (tmp_path / name).read_bytes() == answer.content


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("f.xls", [], "neither .csv nor .parquet nor .xlsx"),
        ("f.xlsx", ["--sep", ";"], "ask for csv"),
        ("f.parquet", ["--bom"], "ask for csv"),
        ("f.csv", ["--decimal", ","], "ask for sep=; too"),
    ],
)
def test_files_that_cannot_be_asked_for(
    tmp_path: Path, name: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--output", str(tmp_path / name), *options]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.glob("*f.*"))
