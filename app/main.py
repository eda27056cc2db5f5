"""The web application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from app.api import forecasts, health, nodes, runs
from app.api.parameters import refuse_unforeseen
from app.api.problems import BEFORE_ANY_ROUTE, Problem, answer_with_problems, declared
from app.edge.draining import Draining
from app.edge.limits import Limits
from app.edge.rate_limit import Buckets, RateLimit
from app.edge.surround import surround
from app.quick.short_way import ShortWay
from app.store.lines import Lines

LINES = 4
"""Connections of the short way, beside those of the engine."""

_DESCRIPTION = """\
Monthly demand forecasts for steel purchases that add up at every level.

Every answer names its run; a run never changes, and one answer never mixes two.
Errors are `application/problem+json` and name the field, the value and the remedy.
"""


def create_app(engine: Engine, limits: Limits | None = None) -> FastAPI:
    """The service over one database, which is not touched before the first request."""
    limits = limits or Limits()
    lines = Lines(engine, LINES)
    app = FastAPI(
        title="Tonnage",
        version="1",
        description=_DESCRIPTION,
        redirect_slashes=False,
        dependencies=[Depends(refuse_unforeseen)],
        middleware=_inside(limits, lines),
        lifespan=_closing(lines),
    )
    app.state.engine = engine
    app.state.draining = Draining()
    app.state.declared = {}  # filled by app.api.parameters
    for resource in (forecasts, nodes, runs, health):
        app.include_router(resource.router)
    answer_with_problems(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way
    _surround(app, limits)
    return app


def _inside(limits: Limits, lines: Lines) -> list[Middleware]:
    """What a request meets once the edge has let it in, in this order, before it is given to its resource."""
    inside = []
    if limits.rate is not None:
        inside.append(Middleware(RateLimit, Buckets(limits.rate, limits.burst)))
    inside.append(Middleware(ShortWay, lines, limits.cache))
    return inside


def _closing(lines: Lines) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        lines.close()

    return lifespan


def _surround(app: FastAPI, limits: Limits) -> None:
    """Put the edge around all that FastAPI makes, its answers to unforeseen errors too."""
    build = app.build_middleware_stack

    def surrounded() -> ASGIApp:
        return surround(build(), limits, app.state.draining)

    app.build_middleware_stack = surrounded  # type: ignore[method-assign]  # add_middleware stays inside of it


def _openapi(app: FastAPI) -> dict[str, Any]:
    """What FastAPI derives, with the schema of problems, which no route returns as a value.

    Every operation may be answered by the edge, so that is written beside each.
    """
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schema["components"]["schemas"][Problem.__name__] = Problem.model_json_schema()
        edge = {str(status): told for status, told in declared(*BEFORE_ANY_ROUTE).items()}
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"] = edge | operation["responses"]
        app.openapi_schema = schema
    return app.openapi_schema
