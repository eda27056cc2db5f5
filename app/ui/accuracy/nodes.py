"""Node by node: what had been said against what came, and where most was lost."""

from dash import html
from dash.development.base_component import Component

from app.api.accuracy_schemas import AccuracyOfNodes, NodeErrors, accuracy_of_nodes
from app.store.node_id import NodeId
from app.store.selection import select_from
from app.store.worst_nodes import worst_nodes
from app.ui import asking, written
from app.ui.accuracy.asked import Scope, scope_of
from app.ui.drawn import Dot, against, bar
from app.ui.node_links import level_words, node_link, node_named, node_words, tells_of_customers
from app.ui.parts import Asked, Part, sight
from app.ui.states import capital, empty
from app.ui.tables import Column, digits_for, number, numbers, share, signed_share, table

_DOTS = 300
_WORST = 15
_QUESTION = "GET /v1/accuracy/nodes"


def _show(asked: Asked) -> Component:
    told = _read(asked)
    if not told.nodes:
        return empty("No forecast of these months can be held against what came.", "Ask for more months.")
    return html.Div([_dots(told), _worst(told)], className="beside")


def _read(asked: Asked) -> AccuracyOfNodes:
    """As the API tells it, the nodes that lost most first; what tells of customers is noted."""
    with sight() as connection:
        scope = scope_of(connection, asked)
        selection = select_from(scope.run, level=scope.level_text, where={})
        found = worst_nodes(
            connection, selection, lead=scope.lead, first=scope.first, last=scope.run.origin, limit=_DOTS
        )
    if tells_of_customers(scope.level):
        asking.note(_question(scope))
    return accuracy_of_nodes(selection, scope.lead, found)


def _question(scope: Scope) -> str:
    months = f"from={scope.first}&to={scope.run.origin}"
    return f"/v1/accuracy/nodes?level={scope.level_text}&lead={scope.lead}&{months}&limit={_DOTS}"


def _worst(told: AccuracyOfNodes) -> Component:
    most = told.nodes[0].lost
    digits = digits_for(most)
    unit = written.unit_words(told.unit)
    columns = [Column(capital(level_words(told.level)), "long"), Column(f"Lost, {unit}", "number"),
               Column("", "drawn"), *numbers("Said", "Came", "WAPE", "Bias")]  # fmt: skip
    rows = [
        [
            node_link(_node(told, each)),
            number(each.lost, digits),
            bar(each.lost, most),
            number(each.said, digits),
            number(each.demand, digits),
            share(each.wape),
            signed_share(each.bias),
        ]
        for each in told.nodes[:_WORST]
    ]
    note = html.P(
        f"Where most was lost: the sum of absolute errors, over {len(told.months)} months.", className="note"
    )
    return html.Div([note, table("Nodes at which most was lost", columns, rows)])


def _dots(told: AccuracyOfNodes) -> Component:
    unit = written.unit_words(told.unit)
    dots = [Dot(each.demand, each.said, _says(told, each, unit)) for each in told.nodes]
    unseen = sum(1 for each in told.nodes if each.demand <= 0 or each.said <= 0)
    which = (
        f"The {_DOTS} nodes that lost most"
        if len(dots) == _DOTS
        else "One node"
        if len(dots) == 1
        else f"{len(dots)} nodes"
    )
    aside = f"; {unseen} have nothing on one side and are not drawn" if unseen else ""
    note = f"{which}, over {len(told.months)} months{aside}. On the line, what was said is what came."
    return html.Div([html.P(note, className="note"), against(dots, f"Came, {unit}", f"Said, {unit}")])


def _says(told: AccuracyOfNodes, each: NodeErrors, unit: str) -> str:
    return f"{node_words(_node(told, each))}: said {each.said:,.0f} {unit}, came {each.demand:,.0f} {unit}"


def _node(told: AccuracyOfNodes, each: NodeErrors) -> NodeId:
    return node_named(told.level, each.model_dump())


PART = Part("accuracy-nodes", "Node by node", _QUESTION, _show)
