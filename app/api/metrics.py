"""`/metrics`: for Prometheus."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from app.api.asking import Asker
from app.api.problems import declared
from app.errors import DatabaseUnavailable, SchemaBehind
from app.export.metrics import metrics_text

router = APIRouter(tags=["health"])

_EXAMPLE = (
    "# HELP tonnage_run_age_seconds Time since then.\n"
    "# TYPE tonnage_run_age_seconds gauge\n"
    "tonnage_run_age_seconds 2.1e+06\n"
    'tonnage_http_requests_total{method="GET",route="/v1/forecasts",status="200"} 1042.0\n'
)


@router.get(
    "/metrics",
    summary="How the house and the service do, as Prometheus text",
    response_class=Response,
    responses={
        200: {
            "description": "Text in Prometheus' exposition format.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
        **declared(422),
    },
)
def get_metrics(request: Request, caller: Asker) -> Response:
    """What `tonnage metrics` says, and the service's own counters; those also while the database is away."""
    state = request.app.state
    parts = [generate_latest(state.meters.registry)]
    if state.surroundings.facts is not None:
        up = 1
        try:
            parts.append(metrics_text(state.surroundings.facts()).encode())
        except (DatabaseUnavailable, SchemaBehind):
            up = 0
        registry = CollectorRegistry()
        Gauge("tonnage_database_up", "Whether the database answered.", registry=registry).set(up)
        parts.append(generate_latest(registry))
    return Response(b"".join(parts), media_type=CONTENT_TYPE_LATEST)
