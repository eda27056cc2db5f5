"""The shapes of the answers about nodes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict, JsonValue

from app.api.schemas import EXAMPLE_RUN, Json, NodeName, RunName, run_name
from app.store.node_id import NodeId
from app.store.nodes import divisions
from app.store.selection import PublishedRun
from forecasting.hierarchy import level_name

NodeText = Annotated[
    str,
    Field(
        description="The node as URLs name it: NAME=VALUE, joined by commas, or `total`. What is no letter, "
        "digit, dot, hyphen or underscore is a tilde and two hexadecimal digits for each byte of UTF-8.",
        examples=["organization=NORD,material=HEB~20200"],
    ),
]

_TOTAL: JsonDict = {
    "node": "total",
    "level": "total",
    "organization": None,
    "customer": None,
    "material": None,
}
_NORD: JsonDict = _TOTAL | {"node": "organization=NORD", "level": "organization", "organization": "NORD"}
_HEB: JsonDict = {
    "node": "organization=NORD,material=HEB~20200",
    "level": "organization,material",
    "organization": "NORD",
    "customer": None,
    "material": "HEB 200",
}


def _example(**members: JsonValue) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"example": {"run": EXAMPLE_RUN, **members}})


class NodeRow(NodeName):
    """A node: how it is written, its level, its keys and attributes."""

    node: NodeText
    level: str = Field(examples=["organization,material"])


class Nodes(BaseModel):
    """A page of nodes, in serving order: by organization, customer, material, then attributes by name.

    Where several levels were searched, one level follows the other, from the top down.
    """

    model_config = _example(level="organization", nodes=[_NORD], next=None)

    run: RunName
    level: str | None = Field(description="The level asked for; null where several were searched.")
    nodes: list[NodeRow]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class OneNode(BaseModel):
    """A node of a run, and by what it can be divided."""

    model_config = _example(node=_NORD, divisions=["customer", "material"])

    run: RunName
    node: NodeRow
    divisions: list[str] = Field(
        description="Keys and attributes that finer levels name: what `by` of its children may be."
    )


class Children(BaseModel):
    """A page of the nodes below a node, one level after the other, each in serving order."""

    model_config = _example(node=_NORD, children=[_HEB], next=None)

    run: RunName
    node: NodeRow
    children: list[NodeRow]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class Path(BaseModel):
    """Every node that a node counts towards, from the top down, itself the last."""

    model_config = _example(path=[_TOTAL, _NORD, _HEB])

    run: RunName
    path: list[NodeRow]


def node_row(node: NodeId) -> Json:
    """As `NodeRow`."""
    keys: Json = {"organization": None, "customer": None, "material": None}
    return {"node": str(node), "level": level_name(node.level), **keys, **node.where}


def nodes(run: PublishedRun, level: str | None, rows: list[NodeId], following: str | None) -> Json:
    """As `Nodes`."""
    return {
        "run": run_name(run),
        "level": level,
        "nodes": [node_row(node) for node in rows],
        "next": following,
    }


def one_node(run: PublishedRun, node: NodeId) -> Json:
    """As `OneNode`."""
    return {
        "run": run_name(run),
        "node": node_row(node),
        "divisions": list(divisions(run, node.level)),
    }


def children(run: PublishedRun, node: NodeId, rows: list[NodeId], following: str | None) -> Json:
    """As `Children`."""
    return {
        "run": run_name(run),
        "node": node_row(node),
        "children": [node_row(child) for child in rows],
        "next": following,
    }


def path(run: PublishedRun, nodes: list[NodeId]) -> Json:
    """As `Path`."""
    return {"run": run_name(run), "path": [node_row(node) for node in nodes]}
