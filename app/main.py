"""The web application."""

from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine

from app.api import (
    accuracy,
    drift,
    forecasts,
    health,
    lineage,
    models,
    nodes,
    run_diff,
    runs,
    snapshots,
)
from app.api.parameters import refuse_unforeseen
from app.api.problems import Problem, answer_with_problems

_DESCRIPTION = """\
Monthly demand forecasts for steel purchases that add up at every level.

Every answer names its run; a run never changes, and one answer never mixes two.
Errors are `application/problem+json` and name the field, the value and the remedy.
"""


def create_app(engine: Engine) -> FastAPI:
    """The service over one database, which is not touched before the first request."""
    app = FastAPI(
        title="Tonnage",
        version="1",
        description=_DESCRIPTION,
        redirect_slashes=False,
        dependencies=[Depends(refuse_unforeseen)],
    )
    app.state.engine = engine
    insight = (runs, run_diff, accuracy, lineage, models, snapshots, drift)
    for resource in (forecasts, nodes, *insight, health):
        app.include_router(resource.router)
    answer_with_problems(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """What FastAPI derives, with the schema of problems, which no route returns as a value."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schema["components"]["schemas"][Problem.__name__] = Problem.model_json_schema()
        app.openapi_schema = schema
    return app.openapi_schema
