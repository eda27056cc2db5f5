"""What holds for every answer that is not an answer, and the contract as a file."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.access.caller import Role
from app.access.rules import RULES, Rule
from app.errors import AppError
from app.main import create_app

GOLDEN = Path(__file__).parent / "golden" / "openapi.json"
PATHS = [
    "/v1/forecasts",
    "/v1/nodes",
    "/v1/nodes/{node}",
    "/v1/nodes/{node}/children",
    "/v1/nodes/{node}/path",
    "/v1/series/{node}",
    "/metrics",
    "/v1/runs",
    "/v1/runs/current",
    "/v1/runs/{run}",
    "/v1/runs/{run}/diff",
    "/v1/accuracy",
    "/v1/accuracy/nodes",
    "/v1/lineage/{node}/{month}",
    "/v1/models",
    "/v1/snapshots",
    "/v1/snapshots/{snapshot}",
    "/v1/drift",
    "/v1/drift/{event}",
    "/health/live",
    "/health/ready",
]


def test_openapi_is_the_one_on_file(engine: Engine) -> None:
    """To change the contract on purpose, write the new one to the file and review the difference."""
    assert create_app(engine).openapi() == json.loads(GOLDEN.read_text())


def test_openapi_calls_links_as_names_may_be(engine: Engine) -> None:
    """OpenAPI 3.1, "Components Object": keys are of these signs, and so are the names of links."""
    schema = create_app(engine).openapi()
    operations = [each for path in schema["paths"].values() for each in path.values()]
    links = [
        name
        for each in operations
        for answer in each["responses"].values()
        for name in answer.get("links", ())
    ]
    components = [name for kind in schema["components"].values() for name in kind]
    assert len(links) > 10
    assert [name for name in links + components if not re.fullmatch(r"[a-zA-Z0-9.\-_]+", name)] == []


def test_openapi_declares_every_status_as_a_problem(engine: Engine) -> None:
    schema = create_app(engine).openapi()
    assert set(PATHS) <= set(schema["paths"])
    for operation in (each for path in schema["paths"].values() for each in path.values()):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/forecasts/", "/v1/forecast", "/v2/forecasts", "/v1/%00"])
def test_unknown_path(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == answer.json()["status"] == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_wrong_method(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == answer.json()["status"] == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", PATHS)
def test_unknown_parameter_is_named(client: TestClient, path: str) -> None:
    answer = client.get(f"{path}?plant=1")
    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["value"]) == ("plant", "1")


@pytest.mark.parametrize("failure", [RuntimeError("secret at /srv/x"), AppError("secret", "of the house")])
def test_our_fault_shows_no_insides(
    engine: Engine, key_of: Any, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(engine)
    monkeypatch.setitem(RULES, "GET /broken", Rule(Role.VIEWER))  # type: ignore[misc]  # the test's own route

    @app.get("/broken")
    def broken() -> None:
        raise failure

    asked = TestClient(
        app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {key_of(engine)}"}
    )
    answer = asked.get("/broken")
    assert answer.status_code == answer.json()["status"] == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_service_loads_no_model_library() -> None:
    code = "import sys, app.main; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"statsmodels", "prophet", "lightgbm", "numba", "sklearn", "mlflow", "pandas"}
    assert "sqlalchemy" in loaded.stdout.split()
    assert heavy.isdisjoint(loaded.stdout.split())
