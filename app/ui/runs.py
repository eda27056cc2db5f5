"""The view `/runs`: how the numbers were made."""

from dash import html
from dash.development.base_component import Component

from app.ui.view import View


def _layout() -> Component:
    return html.Div([html.H1("Runs and models"), html.P("Nothing is shown here yet.", className="empty")])


VIEW = View("/runs", "Runs and models", _layout)
