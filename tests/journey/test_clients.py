"""The examples for other tools can be run as they stand."""

import csv
import datetime as dt
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import numpy as np
import openpyxl
import polars as pl
import pytest
import uvicorn

from app.main import create_app
from app.store.engine import open_engine
from app.store.migrate import migrate
from app.store.publish import publish
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.run import ForecastRun

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "clients.md").read_text()
KEYS = ("organization", "customer", "material")
LEVELS = [
    (), ("organization",), ("customer",), ("organization", "customer"), ("organization", "material"), KEYS
]  # fmt: skip
TONNES = 12 * (1 + 2 + 4)

type Ask = Callable[[list[str]], str]


@pytest.fixture(scope="module")
def service(new_database: Callable[[], str], key_of: Callable[..., str]) -> Iterator[dict[str, str]]:
    """The environment of somebody who asks a service, which has a run of three customers."""
    engine = open_engine(new_database())
    migrate(engine)
    publish(engine, _run(), dt.datetime(2026, 11, 2, 6, tzinfo=dt.UTC))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(engine), log_level="error"))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    serving.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield {"TONNAGE_URL": url, "TONNAGE_KEY": key_of(engine, "viewer")}
    server.should_exit = True
    serving.join()
    engine.dispose()


def _run() -> ForecastRun:
    """Three leaves of 1, 2 and 4 tonnes in each of twelve months."""
    rows = [("NORD", "0104", "COIL"), ("NORD", "K-104", "COIL"), ("WEST", "K-104", "PLATE")]
    leaves = pl.DataFrame(rows, schema=dict.fromkeys(KEYS, pl.String), orient="row")
    hierarchy = Hierarchy.of(KEYS, LEVELS, leaves)
    mean = hierarchy.aggregate(np.outer([1.0, 2.0, 4.0], np.ones(12)))
    forecast = Forecast(
        hierarchy, Month(2026, 11), mean, (0.1, 0.5, 0.9), np.stack([mean / 2, mean, mean * 2])
    )
    return ForecastRun("2026-10-aaaa", forecast, "3f9c1a2b", "smoothing/3", "t", "the first")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_with_curl(service: dict[str, str], tmp_path: Path) -> None:
    one, file, german, excel = (
        subprocess.run(
            ["bash", "-euc", block],
            env={**os.environ, **service},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for block in blocks("bash")
    )
    (node,) = json.loads(one)["forecasts"]
    assert node["customer"] == "K-104"
    assert [month["mean"] for month in node["months"]] == [6.0] * 12
    assert file == german == excel == ""
    rows = list(csv.DictReader((tmp_path / "nord.csv").read_text(encoding="utf-8").splitlines()))
    assert {(row["customer"], row["mean"]) for row in rows} == {("0104", "1.0"), ("K-104", "2.0")}
    text = (tmp_path / "kunden.csv").read_text(encoding="utf-8")
    assert text.startswith("\ufeffrun;origin;")
    assert ";0104;;2026-11;t;1,0;0,5;1,0;2,0\n" in text
    rows = list(openpyxl.load_workbook(tmp_path / "forecast.xlsx")["Forecasts"].values)
    assert len(rows) == 1 + 2 * 4
    assert rows[1][3:10] == ("NORD", None, "COIL", "t", "mean", 3.0, 3.0)


def test_with_python(service: dict[str, str], tmp_path: Path) -> None:
    table, total, sums = (
        subprocess.run(
            [sys.executable, "-c", block],
            env={**os.environ, **service},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for block in blocks("python")
    )
    assert re.search(r"^NORD +0104 +1\.0 ", table, re.MULTILINE)
    assert total == f"{TONNES:.1f} t\n"
    assert re.search(r"NORD +│ +36\.0 ", sums)


def test_with_power_query(service: dict[str, str]) -> None:
    """No engine of Power Query runs here: its request is made as it says, and its columns are looked for."""
    (block,) = blocks("powerquery")
    (path,) = re.findall(r'RelativePath = "(.*?)"', block)
    (query,) = re.findall(r"Query = \[(.*?)\]", block)
    question = urlencode(dict(re.findall(r'(\w+) = "(.*?)"', query)))
    (scheme,) = re.findall(r'Headers = \[Authorization = "(\w+) " & TonnageKey\]', block)
    answer = httpx.get(
        f"{service['TONNAGE_URL']}/{path}?{question}",
        headers={"Authorization": f"{scheme} {service['TONNAGE_KEY']}"},
    )
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert sum(float(row["mean"]) for row in rows) == TONNES
    typed = dict(re.findall(r'\{"(\w+)", type (\w+)\}', block))
    assert set(typed) <= set(rows[0])
    assert all(float(row[name]) >= 0 for row in rows for name, kind in typed.items() if kind == "number")
