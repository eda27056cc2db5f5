"""The view `/predict`: a forecast of one's own history."""

from dash import html
from dash.development.base_component import Component

from app.ui.view import View


def _layout() -> Component:
    return html.Div([html.H1("Predict"), html.P("Nothing is shown here yet.", className="empty")])


VIEW = View("/predict", "Predict", _layout)
