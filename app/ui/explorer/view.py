"""How the explorer is laid out."""

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from app.ui import states
from app.ui.attributes import aria
from app.ui.explorer import controls, node, parts, rows
from app.ui.view import WHERE, View

_COLUMNS = [
    {"field": "name", "headerName": "Node", "flex": 1, "minWidth": 120, "tooltipField": "name"},
    {
        "field": "year",
        "headerName": "12 months",
        "headerTooltip": "What is forecast for the next twelve months",
        "width": 96,
        "type": "rightAligned",
        "valueFormatter": {"function": "tonnageAmount(params)"},
    },
    {
        "field": "change",
        "headerName": "Change",
        "width": 78,
        "type": "rightAligned",
        "valueFormatter": {"function": "tonnageChange(params)"},
        "headerTooltip": "Against what was bought in the same months a year before",
    },
]
_GRID = {
    "cacheBlockSize": rows.BLOCK,
    "maxBlocksInCache": 30,
    "infiniteInitialRowCount": 1,
    "maxConcurrentDatasourceRequests": 1,  # Dash keeps one question at a time
    "blockLoadDebounceMillis": 60,
    "rowHeight": 28,
    "headerHeight": 32,
    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
    "suppressCellFocus": False,
    "theme": {"function": "tonnageGrid(themeQuartz)"},
}


def _layout() -> Component:
    return html.Div(
        [
            *(
                dcc.Store(id=each)
                for each in (controls.ARRIVED, rows.LIST, rows.PLACES, node.NODE, node.SERIES, parts.SUM)
            ),
            html.Section(
                [
                    html.H1("Explorer"),
                    html.Div(controls.layout(), className="controls"),
                    html.Div(id="explorer-count", role="status"),
                    dag.AgGrid(
                        id=rows.GRID,
                        columnDefs=_COLUMNS,
                        defaultColDef={"sortable": False, "resizable": True, "suppressMovable": True},
                        rowModelType="infinite",
                        getRowId="params.data.node",
                        dashGridOptions=_GRID,
                        className="grid",
                    ),
                ],
                className="rail",
                **aria(label="Nodes"),
            ),
            html.Section(
                [
                    html.Div(states.loading(), id="explorer-head"),
                    html.Div(id="explorer-chart", className="chart"),
                    html.Div(
                        [
                            html.Div(
                                id="explorer-numbers",
                                className="scrolls card",
                                tabIndex=0,
                                role="region",
                                **aria(label="Numbers"),
                            ),
                            html.Div(id="explorer-parts", className="card parts"),
                        ],
                        className="below",
                    ),
                ],
                className="chosen",
                **aria(label="Chosen node"),
            ),
        ],
        className="explorer",
    )


def _answer(dash: Dash) -> None:
    controls.answer(dash)
    rows.answer(dash)
    node.answer(dash)
    parts.answer(dash)
    dash.clientside_callback(
        ClientsideFunction("explorer", "arrive"),
        Output(controls.ARRIVED, "data"),
        Output(rows.LIST, "data"),
        Output(node.NODE, "data"),
        Input(WHERE, "search"),
    )
    dash.clientside_callback(
        ClientsideFunction("explorer", "listAgain"),
        Output(rows.GRID, "id"),
        Input(rows.LIST, "data"),
        prevent_initial_call=True,
    )
    dash.clientside_callback(
        ClientsideFunction("explorer", "remember"),
        Output(rows.PLACES, "data"),
        Input(rows.GRID, "getRowsResponse"),
        State(rows.GRID, "getRowsRequest"),
        State(rows.PLACES, "data"),
        prevent_initial_call=True,
    )
    dash.clientside_callback(
        ClientsideFunction("explorer", "draw"),
        Output("explorer-chart", "className"),
        Input(node.SERIES, "data"),
        Input(parts.SUM, "data"),
    )


VIEW = View("/explorer", "Explorer", _layout, _answer)
