"""The view `/explorer`: a node of the forecast, through time."""

from dash import html
from dash.development.base_component import Component

from app.ui.view import View


def _layout() -> Component:
    return html.Div([html.H1("Explorer"), html.P("Nothing is shown here yet.", className="empty")])


VIEW = View("/explorer", "Explorer", _layout)
