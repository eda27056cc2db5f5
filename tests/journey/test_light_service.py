"""The service as it is started: it serves a forecast and makes one, and holds no model library."""

import json
import socket
import subprocess
import sys
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


def asked(port: int, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    """The answer, once what makes forecasts is ready, which a first start of it may take minutes for."""
    url = f"http://127.0.0.1:{port}{path}"
    for _ in range(5):
        answer = httpx.get(url) if body is None else httpx.post(url, json=body, timeout=120)
        if answer.status_code != 503:
            break
    return answer


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_it_serves_and_forecasts_without_model_libraries(user: Any, port: int) -> None:
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
        assert asked(port, "/health/ready").status_code == 200
        assert asked(port, "/v1/forecasts").status_code == 404  # nothing is published
        made = asked(port, "/v1/predict", HISTORY)
        assert made.status_code == 200
        assert made.json()["forecasts"][0]["months"][0]["month"] == "2026-01"
        Prediction.model_validate(made.json())
        assert "tonnage_predictions_running 0.0" in asked(port, "/metrics").text
        loaded, _ = program.communicate("now\n", timeout=60)
    finally:
        program.kill()
        program.communicate()
    modules = {name.split(".")[0] for name in json.loads(loaded)}
    assert "uvicorn" in modules and HEAVY.isdisjoint(modules)
