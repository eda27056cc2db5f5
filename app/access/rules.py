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
    "GET /v1/nodes/{node}": Rule(Role.VIEWER),
    "GET /v1/nodes/{node}/children": Rule(Role.VIEWER),
    "GET /v1/nodes/{node}/path": Rule(Role.VIEWER),
    "GET /v1/series/{node}": Rule(Role.VIEWER),
    "GET /v1/runs/current": Rule(Role.VIEWER),
}
