"""The service as it is started: it serves a forecast and makes one, and holds no model library."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.predict_schemas import Prediction

# `tonnage serve` in a thread of a program that then says what it has imported.
PROGRAM = """
import json, signal, sys, threading
signal.signal = lambda *_: None  # only the main thread may, and it waits for the question below
from tonnage.cli import main
threading.Thread(target=main, args=(["serve", "--port", sys.argv[1]],), daemon=True).start()
sys.stdin.readline()
print(json.dumps(sorted(sys.modules)))
"""
HEAVY = {"mlflow", "statsmodels", "lightgbm", "numba", "prophet", "sklearn", "pandas", "optuna", "llvmlite"}
HISTORY = {
    "series": [{"keys": {"customer": "K-1"}, "first": "2024-01", "quantities": [5, 6, 7, 8] * 6}],
    "horizon": 2,
    "quantiles": [0.5],
}


def asked(port: int, key: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    """The answer, once what makes forecasts is ready, which a first start of it may take minutes for."""
    url = f"http://127.0.0.1:{port}{path}"
    bearer = {"Authorization": f"Bearer {key}"}
    with httpx.Client(transport=httpx.HTTPTransport(retries=10), timeout=120, headers=bearer) as client:
        for _ in range(5):
            answer = client.get(url) if body is None else client.post(url, json=body)
            if answer.status_code != 503:
                break
    return answer


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def key(user: Any) -> str:
    """A key for everything."""
    made: str = user.key_of(user.engine)
    return made


@pytest.fixture
def program(user: Any, port: int) -> Iterator[subprocess.Popen[str]]:
    """`tonnage serve`, once it listens."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr is not None
    try:
        assert any("serving" in line for line in iter(program.stderr.readline, ""))
        yield program
    finally:
        program.kill()
        program.communicate()


def test_it_serves_and_forecasts_without_model_libraries(
    program: subprocess.Popen[str], port: int, key: str
) -> None:
    assert asked(port, key, "/health/ready").status_code == 200
    assert asked(port, key, "/v1/forecasts").status_code == 404  # nothing is published
    made = asked(port, key, "/v1/predict", HISTORY)
    assert made.status_code == 200
    assert made.json()["forecasts"][0]["months"][0]["month"] == "2026-01"
    Prediction.model_validate(made.json())
    assert "tonnage_predictions_running 0.0" in asked(port, key, "/metrics").text
    loaded, _ = program.communicate("now\n", timeout=60)
    modules = {name.split(".")[0] for name in json.loads(loaded)}
    assert "uvicorn" in modules and HEAVY.isdisjoint(modules)


@pytest.mark.usefixtures("program")
def test_the_examples_of_the_page_can_be_asked(user: Any, port: int, key: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    examples = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "curl" in block]
    (user.folder / "history.csv").write_text(
        "customer,material,month,quantity\n"
        + "".join(f"K-1,M-1,2025-{month:02d},{month}\n" for month in range(1, 13))
    )
    assert asked(port, key, "/v1/predict", HISTORY).status_code == 200  # it is ready
    where = {**os.environ, "TONNAGE_URL": f"http://127.0.0.1:{port}", "TONNAGE_KEY": key, "ID": ""}
    answers = []
    for command in re.split(r"(?m)^(?=curl )", "".join(examples)):
        if not command.startswith("curl "):
            continue
        told = subprocess.run(
            ["bash", "-c", command.replace("curl ", "curl -sS --fail-with-body ", 1)],
            env=where,
            cwd=user.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, (command, told.stdout, told.stderr)
        answers.append(told.stdout)
        if "Idempotency-Key" in command:
            where["ID"] = json.loads(told.stdout)["id"]
    assert len(answers) == 9
    assert any(
        answer.startswith("level,customer,material,month,mean,p10,p50,p90,fallback") for answer in answers
    )
