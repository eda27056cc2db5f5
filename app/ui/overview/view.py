"""The view `/`: the run that is shown, what it says, what moved, how good it has been, what it stands on."""

from dash import Dash, html
from dash.development.base_component import Component

from app.ui.overview import changes, horizon, quality, run_line, watch
from app.ui.parts import answer, place
from app.ui.view import View

_PARTS = (run_line.PART, *horizon.PARTS, changes.PART, watch.ACCURACY, watch.DRIFT, quality.PART)


def _layout() -> Component:
    line, total, organizations, moved, accuracy, drift, data = map(place, _PARTS)
    return html.Div(
        [
            html.H1("Overview"),
            line,
            html.Div([total, html.Div([organizations, drift], className="stacked")], className="beside"),
            moved,
            html.Div([accuracy, data], className="beside"),
        ],
        className="told",
    )


def _answer(dash: Dash) -> None:
    answer(dash, _PARTS)


VIEW = View("/", "Overview", _layout, _answer)
