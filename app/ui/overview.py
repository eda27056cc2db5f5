"""The view `/`: this month in one look."""

from dash import html
from dash.development.base_component import Component

from app.ui.view import View


def _layout() -> Component:
    return html.Div([html.H1("Overview"), html.P("Nothing is shown here yet.", className="empty")])


VIEW = View("/", "Overview", _layout)
