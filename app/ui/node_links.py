"""Nodes as people read them, with the way to where each is shown through time."""

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from app.store.node_id import NodeId
from forecasting.hierarchy import Level, parse_level


def node_link(node: NodeId) -> Component:
    """The node's values, as a link to the explorer."""
    return html.A(node_words(node), href=f"/explorer?node={node}")


def node_words(node: NodeId) -> str:
    """The node in a few words.

    >>> node_words(NodeId.of({"organization": "NORD", "material": "HEB 200"})), node_words(NodeId.of({}))
    ('NORD · HEB 200', 'Total')
    """
    return " · ".join(node.values) or "Total"


def node_named(level: str, told: Mapping[str, object]) -> NodeId:
    """The node that an answer of the API tells of, in its level's names."""
    names = parse_level(level)
    return NodeId.of({name: str(told[name]) for name in names})


def level_words(level: str) -> str:
    """A level as people read it.

    >>> level_words("organization,material_group"), level_words("total")
    ('organization × material group', 'total')
    """
    return " × ".join(name.replace("_", " ") for name in level.split(","))


def tells_of_customers(level: Level) -> bool:
    """Whether nodes of the level name customers, so that reading them is noted."""
    return "customer" in level
