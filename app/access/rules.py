"""Who may ask what: one line for each method and path. What has no line is refused to everybody."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.access.caller import Role


@dataclass(frozen=True)
class Rule:
    """The least role; `whole` keeps out whoever sees some organizations only: the answer sums over all."""

    least: Role
    whole: bool = False


OPEN = frozenset({"GET /health/live", "GET /health/ready"})
"""What strangers may ask."""

RULES: Mapping[str, Rule] = {
    "GET /metrics": Rule(Role.VIEWER, whole=True),
    "GET /v1/audit": Rule(Role.ADMIN, whole=True),
    "GET /v1/forecasts": Rule(Role.VIEWER),
    "GET /v1/jobs": Rule(Role.VIEWER, whole=True),
    "GET /v1/jobs/{id}": Rule(Role.VIEWER, whole=True),
    "POST /v1/jobs": Rule(Role.OPERATOR, whole=True),
    "POST /v1/jobs/{id}/cancel": Rule(Role.OPERATOR, whole=True),
    "POST /v1/predict": Rule(Role.PLANNER),
    "GET /v1/nodes": Rule(Role.VIEWER),
    "GET /v1/runs/current": Rule(Role.VIEWER),
}
