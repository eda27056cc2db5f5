"""The web application."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine, QueuePool
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from app.access.callers import Callers
from app.access.rules import OPEN
from app.api import (
    accuracy,
    audit,
    drift,
    forecasts,
    health,
    jobs,
    lineage,
    metrics,
    models,
    nodes,
    predict,
    run_diff,
    runs,
    series,
    snapshots,
)
from app.api.audited import Audited
from app.api.gate import Gate
from app.api.links import link
from app.api.measured import Measured, Meters
from app.api.parameters import refuse_unforeseen
from app.api.predict_schemas import predict_components
from app.api.problems import BEFORE_ANY_ROUTE, Problem, answer_with_problems, declared
from app.edge.draining import Draining
from app.edge.limits import Limits
from app.edge.rate_limit import Buckets, RateLimit
from app.edge.surround import surround
from app.quick.short_way import ShortWay
from app.store.lines import Lines
from app.surroundings import Surroundings
from app.trail import Trail
from app.ui.door import add_page

LINES = 4
"""Connections of the short way, beside those of the engine."""

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


_NOTHING = Surroundings()


def create_app(
    engine: Engine, surroundings: Surroundings = _NOTHING, limits: Limits | None = None
) -> FastAPI:
    """The service over one database, which is not touched before the first request.

    It answers to holders of API keys, and of tokens that the surroundings' issuer has signed.
    """
    limits = limits or Limits()
    lines = Lines(engine, LINES)
    trail = Trail(engine)

    @asynccontextmanager
    async def drained(app: FastAPI) -> AsyncIterator[None]:
        if app.state.page is not None:
            app.state.page.begin()
        yield
        await run_in_threadpool(trail.close)
        lines.close()

    app = FastAPI(
        title="Tonnage",
        version="1",
        description=_DESCRIPTION,
        redirect_slashes=False,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        dependencies=[Depends(refuse_unforeseen)],
        middleware=_inside(limits, lines),
        lifespan=drained,
    )
    app.state.engine = engine
    app.state.limits = limits
    app.state.draining = Draining()
    app.state.declared = {}  # filled by app.api.parameters
    app.state.surroundings = surroundings
    app.state.trail = trail
    app.state.meters = Meters(_gauges(engine, trail, surroundings))
    # What is added after the gate stands before it, and sees its refusals too.
    callers = Callers(engine, surroundings.issuer)
    app.add_middleware(Gate, callers=callers, sessions=surroundings.sessions)
    app.add_middleware(Audited, trail=trail)
    app.add_middleware(Measured, meters=app.state.meters)
    insight = (runs, run_diff, accuracy, lineage, models, snapshots, drift)
    for resource in (forecasts, nodes, series, *insight, jobs, predict, audit, metrics, health):
        app.include_router(resource.router)
    app.state.page = None
    if surroundings.sessions is not None:
        app.state.page = add_page(app, callers, surroundings.sessions)
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


def _surround(app: FastAPI, limits: Limits) -> None:
    """Put the edge around all that FastAPI makes, its answers to unforeseen errors too."""
    build = app.build_middleware_stack

    def surrounded() -> ASGIApp:
        return surround(build(), limits, app.state.draining)

    app.build_middleware_stack = surrounded  # type: ignore[method-assign]  # add_middleware stays inside of it


def _gauges(
    engine: Engine, trail: Trail, surroundings: Surroundings
) -> dict[str, tuple[str, Callable[[], float]]]:
    """What the service is busy with, for whoever watches it."""
    gauges: dict[str, tuple[str, Callable[[], float]]] = {
        "audit_entries_waiting": ("Entries to be written to the audit trail.", lambda: trail.waiting),
    }
    predictor = surroundings.predictor
    if predictor is not None:
        what = "Histories that wait to be forecast."
        gauges["predictions_waiting"] = (what, lambda: predictor.waiting)
        gauges["predictions_running"] = ("Histories that are being forecast.", lambda: predictor.busy)
    pool = engine.pool
    if isinstance(pool, QueuePool):
        what = "Connections to the database that are in use."
        gauges["database_connections_in_use"] = (what, pool.checkedout)
        gauges["database_connections_idle"] = ("Connections kept for the next question.", pool.checkedin)
    return gauges


def _openapi(app: FastAPI) -> dict[str, Any]:
    """What FastAPI derives, with the schema of problems, which no route returns as a value, and the gate.

    Every operation may be answered by the edge, so that is written beside each.
    """
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
        schema["components"]["schemas"] |= predict_components()
        edge = {str(status): told for status, told in declared(*BEFORE_ANY_ROUTE).items()}
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"] = edge | operation["responses"]
        link(schema["paths"])
        app.openapi_schema = schema
    return app.openapi_schema
