"""Where the names in an answer lead: the links of the OpenAPI, for clients that follow them.

Each line says which member of an answer is a parameter of another question (OpenAPI 3.1, "Link Object").
"""

from typing import Any

_NODES = "$response.body#/nodes/0/node"
_CHILD = "$response.body#/children/0/node"
_ROW = "$response.body#/node/node"
_MONTH = "$response.body#/forecast/0/month"

_LEADS = (
    ("GET /v1/nodes", "node", _NODES, "GET /v1/nodes/{node}"),
    ("GET /v1/nodes", "node", _NODES, "GET /v1/nodes/{node}/children"),
    ("GET /v1/nodes", "node", _NODES, "GET /v1/nodes/{node}/path"),
    ("GET /v1/nodes", "node", _NODES, "GET /v1/series/{node}"),
    ("GET /v1/nodes/{node}/children", "node", _CHILD, "GET /v1/nodes/{node}/children"),
    ("GET /v1/nodes/{node}/children", "node", _CHILD, "GET /v1/nodes/{node}/path"),
    ("GET /v1/nodes/{node}/children", "node", _CHILD, "GET /v1/series/{node}"),
    ("GET /v1/nodes/{node}", "node", _ROW, "GET /v1/series/{node}"),
    ("GET /v1/series/{node}", "month", _MONTH, "GET /v1/lineage/{node}/{month}"),
    ("GET /v1/runs", "run", "$response.body#/runs/0/id", "GET /v1/runs/{run}"),
    ("GET /v1/runs", "run", "$response.body#/runs/0/id", "GET /v1/runs/{run}/diff"),
    ("GET /v1/runs", "run", "$response.body#/runs/0/id", "GET /v1/forecasts"),
    ("GET /v1/runs/{run}", "run", "$response.body#/id", "GET /v1/models"),
    ("GET /v1/snapshots", "snapshot", "$response.body#/snapshots/0/id", "GET /v1/snapshots/{snapshot}"),
    ("GET /v1/drift", "event", "$response.body#/events/0/id", "GET /v1/drift/{event}"),
    ("POST /v1/jobs", "id", "$response.body#/id", "GET /v1/jobs/{id}"),
    ("POST /v1/jobs", "id", "$response.body#/id", "POST /v1/jobs/{id}/cancel"),
    ("GET /v1/jobs", "id", "$response.body#/jobs/0/id", "GET /v1/jobs/{id}"),
)
"""The question, the parameter of the one it leads to, where its value is, and that one."""


def link(paths: dict[str, Any]) -> None:
    """Write the links beside the answers of an OpenAPI's paths; what a link keeps is asked for as it was."""
    for question, parameter, value, leads_to in _LEADS:
        answer = _of(paths, question)["responses"]["202" if question.startswith("POST") else "200"]
        target = _of(paths, leads_to)
        kept = {name: f"$request.path.{name}" for name in _path_names(leads_to) - {parameter}}
        answer.setdefault("links", {})[target["operationId"]] = {
            "operationId": target["operationId"],
            "parameters": kept | {parameter: value},
        }


def _of(paths: dict[str, Any], operation: str) -> dict[str, Any]:
    method, path = operation.split(" ")
    found: dict[str, Any] = paths[path][method.lower()]
    return found


def _path_names(operation: str) -> set[str]:
    return {part[1:-1] for part in operation.split("/") if part.startswith("{")}
