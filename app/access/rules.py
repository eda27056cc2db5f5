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
    "GET /v1/forecasts": Rule(Role.VIEWER),
    "GET /v1/nodes": Rule(Role.VIEWER),
    "GET /v1/runs": Rule(Role.VIEWER),
    "GET /v1/runs/current": Rule(Role.VIEWER),
    "GET /v1/runs/{run}": Rule(Role.VIEWER),
    "GET /v1/runs/{run}/diff": Rule(Role.VIEWER),
    "GET /v1/accuracy": Rule(Role.VIEWER, whole=True),
    "GET /v1/accuracy/nodes": Rule(Role.VIEWER),
    "GET /v1/lineage/{node}/{month}": Rule(Role.VIEWER),
    "GET /v1/models": Rule(Role.VIEWER, whole=True),
    "GET /v1/snapshots": Rule(Role.VIEWER, whole=True),
    "GET /v1/snapshots/{snapshot}": Rule(Role.VIEWER, whole=True),
    "GET /v1/drift": Rule(Role.VIEWER, whole=True),
    "GET /v1/drift/{event}": Rule(Role.VIEWER, whole=True),
}
