"""Whatever is asked of the service, it answers as its OpenAPI says, and never with a failure of its own.

More of it: TONNAGE_EXAMPLES=1000 uv run pytest tests/app/test_schema.py
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from app.access.caller import Role
from app.main import create_app
from app.surroundings import Surroundings
from forecasting.run import ForecastRun
from tests.app.conftest import bearer
from tonnage.predictor import ProcessPredictor

EXAMPLES = int(os.environ.get("TONNAGE_EXAMPLES", "5"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    f"{method.upper()} {path}"
    for path, methods in create_app(sa.create_engine("postgresql+psycopg2://")).openapi()["paths"].items()
    for method in methods
]
BOUNDED = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)


# A caller of each role, and one who sees one organization.
CALLERS = {role.name.lower(): (role, None) for role in Role} | {"scoped": (Role.VIEWER, ["NORD"])}


@pytest.fixture(scope="module")
def predictor() -> Iterator[ProcessPredictor]:
    predictor = ProcessPredictor()
    predictor.warm()
    yield predictor
    predictor.close()


@pytest.fixture(scope="module")
def schema(migrated: Engine, predictor: ProcessPredictor, key_of: Callable[..., str]) -> Iterator[BaseSchema]:
    """What one service says of itself; who asks is said with each question.

    What it knows by heart are keys and the answers of a run, and both are the same or new in each test.
    """
    service = create_app(migrated, Surroundings(predictor=predictor))
    yield schemathesis.openapi.from_asgi("/openapi.json", service, headers=bearer(key_of(migrated)))
    service.state.trail.close()


@pytest.fixture(params=CALLERS)
def headers(
    request: pytest.FixtureRequest, engine: Engine, published: ForecastRun, key_of: Callable[..., str]
) -> dict[str, str]:
    """Those that a caller sends, where a run has been published."""
    role, organizations = CALLERS[request.param]
    return bearer(key_of(engine, role.name.lower(), organizations))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_as_described(schema: BaseSchema, headers: dict[str, str], operation: str) -> None:
    method, path = operation.split(" ")
    valid, invalid = (schema[path][method].as_strategy(mode) for mode in GenerationMode)

    @BOUNDED
    @given(case=valid | invalid)
    def ask(case: Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()


def test_following_its_links_holds_as_well(schema: BaseSchema, headers: dict[str, str]) -> None:
    class Follower(schema.as_state_machine()):  # type: ignore[misc]  # the base is made of the schema
        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Case, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS, headers=headers)

    Follower.run(settings=settings(BOUNDED, stateful_step_count=6))


@pytest.mark.usefixtures("published")
def test_who_asks_is_whom_the_question_names(
    schema: BaseSchema, engine: Engine, key_of: Callable[..., str]
) -> None:
    asked = schema["/v1/audit"]["GET"].Case()
    for role, organizations in CALLERS.values():
        answer = asked.call(headers=bearer(key_of(engine, role.name.lower(), organizations)))
        assert answer.status_code == (200 if role is Role.ADMIN else 403), role
