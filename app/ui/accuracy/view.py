"""The view `/accuracy`: published forecasts against what came, by level, lead, class, month and node."""

from dash import Dash, html
from dash.development.base_component import Component

from app.ui.accuracy import nodes, tables
from app.ui.parts import answer, place
from app.ui.view import View

_PARTS = (
    tables.FILTERS,
    tables.LEVELS,
    tables.MONTHS_PART,
    nodes.PART,
    tables.LEADS,
    tables.CLASSES,
)


def _layout() -> Component:
    return html.Div([html.H1("Accuracy"), *map(place, _PARTS)], className="told")


def _answer(dash: Dash) -> None:
    answer(dash, _PARTS)


VIEW = View("/accuracy", "Accuracy", _layout, _answer)
