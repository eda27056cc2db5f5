"""Who may ask what: one line for each method and path. What has no line is refused to everybody.

A mount's line ends in /*. HEAD follows the line of GET.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.access.caller import Caller, Role
from app.denials import NoRule, OverOrganizations, RoleTooLow


@dataclass(frozen=True)
class Rule:
    """The least role; `whole` keeps out whoever sees some organizations only: the answer sums over all."""

    least: Role
    whole: bool = False


OPEN = frozenset(
    {
        "GET /health/live",
        "GET /health/ready",
        "GET /sign-in",
        "POST /sign-in",
        "POST /sign-out",
        "GET /assets/{path:path}",
        "GET /_dash-component-suites/{package}/{path:path}",
    }
)
"""What strangers may ask. The last two are the page's scripts and styles, which hold no data."""

PAGES = frozenset({"GET /", "GET /explorer", "GET /accuracy", "GET /runs", "GET /predict"})
"""What people open in a browser: who has not signed in is shown to the sign-in page."""

ASKED_BY_THE_PAGE = frozenset({"POST /_dash-update-component"})
"""What is no GET and yet is answered to who shows a session only: it changes nothing that has no audit."""

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(PAGES, Rule(Role.VIEWER)),
    "GET /_dash-layout": Rule(Role.VIEWER),
    "GET /_dash-dependencies": Rule(Role.VIEWER),
    "POST /_dash-update-component": Rule(Role.VIEWER),
    "GET /docs": Rule(Role.VIEWER),
    "GET /openapi.json": Rule(Role.VIEWER),
    "GET /metrics": Rule(Role.VIEWER, whole=True),
    "GET /v1/audit": Rule(Role.ADMIN, whole=True),
    "GET /v1/forecasts": Rule(Role.VIEWER),
    "GET /v1/jobs": Rule(Role.VIEWER, whole=True),
    "GET /v1/jobs/{id}": Rule(Role.VIEWER, whole=True),
    "POST /v1/jobs": Rule(Role.OPERATOR, whole=True),
    "POST /v1/jobs/{id}/cancel": Rule(Role.OPERATOR, whole=True),
    "POST /v1/predict": Rule(Role.PLANNER),
    "GET /v1/nodes": Rule(Role.VIEWER),
    "GET /v1/nodes/{node}": Rule(Role.VIEWER),
    "GET /v1/nodes/{node}/children": Rule(Role.VIEWER),
    "GET /v1/nodes/{node}/path": Rule(Role.VIEWER),
    "GET /v1/series/{node}": Rule(Role.VIEWER),
    "GET /v1/runs": Rule(Role.VIEWER),
    "GET /v1/runs/current": Rule(Role.VIEWER),
    "GET /v1/runs/{run}": Rule(Role.VIEWER),
    "GET /v1/runs/{run}/diff": Rule(Role.VIEWER, whole=True),
    "GET /v1/accuracy": Rule(Role.VIEWER, whole=True),
    "GET /v1/accuracy/nodes": Rule(Role.VIEWER, whole=True),
    "GET /v1/lineage/{node}/{month}": Rule(Role.VIEWER, whole=True),
    "GET /v1/models": Rule(Role.VIEWER, whole=True),
    "GET /v1/snapshots": Rule(Role.VIEWER, whole=True),
    "GET /v1/snapshots/{snapshot}": Rule(Role.VIEWER, whole=True),
    "GET /v1/drift": Rule(Role.VIEWER, whole=True),
    "GET /v1/drift/{event}": Rule(Role.VIEWER, whole=True),
}


def check(caller: Caller, question: str) -> None:
    """Refuse what the caller may not ask: `NoRule`, `RoleTooLow`, `OverOrganizations`."""
    rule = RULES.get(question)
    if rule is None:
        raise NoRule(question)
    if caller.role < rule.least:
        raise RoleTooLow(caller.role.name.lower(), rule.least.name.lower())
    if rule.whole and caller.organizations is not None:
        raise OverOrganizations(caller.organizations)
