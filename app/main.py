"""The web application."""

from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine

from app.access.callers import Callers, Issuer
from app.access.rules import OPEN
from app.api import forecasts, health, nodes, runs, series
from app.api.gate import Gate
from app.api.parameters import refuse_unforeseen
from app.api.problems import Problem, answer_with_problems, declared

_DESCRIPTION = """\
Monthly demand forecasts for steel purchases that add up at every level.

Every answer names its run; a run never changes, and one answer never mixes two.
Errors are `application/problem+json` and name the field, the value and the remedy.
Every question but those about health needs the header `Authorization: Bearer KEY`.
"""

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, or a token of the company's issuer.",
}
_REFUSALS = {str(status): answer for status, answer in declared(401, 403).items() if status != 500}


def create_app(engine: Engine, issuer: Issuer | None = None) -> FastAPI:
    """The service over one database, which is not touched before the first request.

    It answers to holders of API keys, and of tokens that an issuer has signed.
    """
    app = FastAPI(
        title="Tonnage",
        version="1",
        description=_DESCRIPTION,
        redirect_slashes=False,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        dependencies=[Depends(refuse_unforeseen)],
    )
    app.state.engine = engine
    # What is added after the gate stands before it, and sees its refusals too.
    app.add_middleware(Gate, callers=Callers(engine, issuer))
    for resource in (forecasts, nodes, series, runs, health):
        app.include_router(resource.router)
    answer_with_problems(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """What FastAPI derives, with the schema of problems, which no route returns as a value, and the gate."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schema["components"]["schemas"][Problem.__name__] = Problem.model_json_schema()
        schema["components"]["securitySchemes"] = {"bearer": _BEARER}
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                if f"{method.upper()} {path}" not in OPEN:
                    operation["security"] = [{"bearer": []}]
                    operation["responses"] |= _REFUSALS
        app.openapi_schema = schema
    return app.openapi_schema
