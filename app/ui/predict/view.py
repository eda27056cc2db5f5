"""How the view is laid out, and what of it the browser does by itself (`assets/predict.js`)."""

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from app.errors import Denied
from app.ui import states
from app.ui.attributes import aria, data
from app.ui.predict import forecast, found
from app.ui.predict.brought import FILE, check_may_predict, most_bytes
from app.ui.view import View

_DROP = "predict-drop"
_GRID = "predict-grid"
_HORIZONS = ["3", "6", "12", "18", "24", "36"]
_GRID_OPTIONS = {
    "rowHeight": 28,
    "headerHeight": 32,
    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
    "theme": {"function": "tonnageGrid(themeQuartz)"},
}


def _layout() -> Component:
    return html.Div(
        [
            *(dcc.Store(id=each) for each in (FILE, found.COLUMNS, forecast.ANSWER)),
            html.Div(
                [
                    html.H1("Predict"),
                    html.P(
                        "A forecast of a history of your own. The file is read, forecast and forgotten: "
                        "nothing is stored.",
                        className="about",
                    ),
                ]
            ),
            html.Div(id="predict-denied"),
            html.Div(
                [
                    html.Div(id=_DROP, className="drop", **data(most=str(most_bytes()))),
                    *found.layout(),
                    html.Div(
                        [
                            dmc.Select(
                                id="predict-horizon",
                                label="Months ahead",
                                data=_HORIZONS,
                                value="12",
                                allowDeselect=False,
                            ),
                            html.Button("Forecast", id="predict-go", className="primary", disabled=True),
                            html.Span(id="predict-status", role="status"),
                        ],
                        id="predict-asking",
                        className="asking",
                        hidden=True,
                    ),
                    html.Div(id="predict-refused", **aria(live="polite")),
                    _answer_section(),
                ],
                id="predict-steps",
                className="steps",
            ),
            dcc.Download(id="predict-download"),
        ],
        className="predict",
    )


def _answer_section() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.Div([html.H2(id="predict-name"), html.P(id="predict-about", className="about")]),
                    html.Div(
                        [
                            html.Button("CSV", id="predict-csv", **aria(label="All forecasts as CSV")),
                            html.Button(
                                "Excel", id="predict-excel", **aria(label="All forecasts as Excel file")
                            ),
                        ],
                        className="exports",
                    ),
                ],
                className="title",
            ),
            html.Div(id="predict-chart", className="chart"),
            html.Div(
                id="predict-numbers",
                className="scrolls",
                tabIndex=0,
                role="region",
                **aria(label="Forecast by month"),
            ),
            html.H3("All series", id="predict-all"),
            dag.AgGrid(
                id=_GRID,
                columnDefs=[],
                rowData=[],
                defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
                getRowId="params.data.place",
                dashGridOptions=_GRID_OPTIONS,
                className="grid",
            ),
        ],
        id="predict-shown",
        className="shown",
        hidden=True,
        **aria(label="Forecast"),
    )


def _answer(dash: Dash) -> None:
    found.answer(dash)
    forecast.answer(dash)

    @dash.callback(
        Output("predict-denied", "children"), Output("predict-steps", "hidden"), Input(_DROP, "id")
    )
    def enter(_: str) -> tuple[Component | None, bool]:
        try:
            check_may_predict()
        except Denied as error:
            return states.refused(error), True
        return None, False

    dash.clientside_callback(
        ClientsideFunction("predict", "arrive"), Output(_DROP, "className"), Input(_DROP, "id")
    )
    dash.clientside_callback(
        ClientsideFunction("predict", "show"),
        Output("predict-shown", "hidden"),
        Output(_GRID, "columnDefs"),
        Output(_GRID, "rowData"),
        Output(_GRID, "selectedRows"),
        Input(forecast.ANSWER, "data"),
    )
    dash.clientside_callback(
        ClientsideFunction("predict", "choose"),
        Output("predict-chart", "className"),
        Input(_GRID, "selectedRows"),
        State(forecast.ANSWER, "data"),
        prevent_initial_call=True,
    )


VIEW = View("/predict", "Predict", _layout, _answer)
