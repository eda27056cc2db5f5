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
    nodes.DOTS,
    tables.LEADS,
    tables.CLASSES,
    nodes.WORST,
)


def _layout() -> Component:
    filters, levels, months, dots, leads, classes, worst = map(place, _PARTS)
    return html.Div(
        [
            html.H1("Accuracy"),
            filters,
            levels,
            html.Div([months, dots], className="beside"),
            leads,
            worst,
            classes,
        ],
        className="told",
    )


def _answer(dash: Dash) -> None:
    answer(dash, _PARTS)


VIEW = View("/accuracy", "Accuracy", _layout, _answer)
