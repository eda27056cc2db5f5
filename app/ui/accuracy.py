"""The view `/accuracy`: how good the forecasts have been."""

from dash import html
from dash.development.base_component import Component

from app.ui.view import View


def _layout() -> Component:
    return html.Div([html.H1("Accuracy"), html.P("Nothing is shown here yet.", className="empty")])


VIEW = View("/accuracy", "Accuracy", _layout)
