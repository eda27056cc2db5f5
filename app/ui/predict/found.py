"""What was found in a file: its first rows, the role of each column, and what is still to be said."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from app.errors import Denied, Refused
from app.reading.dates import Dates
from app.reading.errors import UnreadableFile
from app.reading.read import read_table
from app.reading.roles import KEY, LEFT_OUT, MONTH, QUANTITY, Look, looks_of
from app.reading.table import Cell, Table
from app.reading.workbook_rows import Sheets
from app.ui import states, written
from app.ui.attributes import aria
from app.ui.predict.brought import (
    DAY_FIRST,
    DECIMALS,
    FILE,
    ROLE,
    SHEET,
    Roles,
    Told,
    check_may_predict,
    content_of,
)
from forecasting.months import Month

COLUMNS = "predict-columns"
_SHOWN_ROWS = 6
_ROLES = [
    {"value": KEY, "label": "Key"},
    {"value": MONTH, "label": "Month"},
    {"value": QUANTITY, "label": "Quantity"},
    {"value": LEFT_OUT, "label": "Left out"},
]


def layout() -> list[Component]:
    """Nothing, until there is a file."""
    return [
        html.Div(
            dmc.Select(id=SHEET, label="Sheet", data=[], placeholder="Choose one", allowDeselect=False),
            id="predict-sheets",
            hidden=True,
        ),
        html.Div(id="predict-found", **aria(live="polite")),
        html.Div(id="predict-doubts", **aria(live="polite")),
        *(
            html.Div(
                dmc.RadioGroup(id=each, label="", children=[], value=None),
                id=f"{each}-question",
                className="question",
                hidden=True,
            )
            for each in (DAY_FIRST, DECIMALS)
        ),
    ]


def answer(dash: Dash) -> None:
    """Give the callbacks to the page."""

    @dash.callback(
        Output("predict-found", "children"),
        Output(COLUMNS, "data"),
        Output("predict-sheets", "hidden"),
        Output(SHEET, "data"),
        Output(SHEET, "value"),
        Input(FILE, "data"),
        Input(SHEET, "value"),
        State(SHEET, "data"),
        prevent_initial_call=True,
    )
    def find(told: Told | None, sheet: str | None, sheets: list[Any]) -> Any:
        if told is None or (ctx.triggered_id == SHEET and not sheet):
            raise PreventUpdate
        chosen = sheet if ctx.triggered_id == SHEET and sheet else None
        if chosen is None:
            sheets = []
        try:
            check_may_predict()
            found = read_table(content_of(told), chosen)
            if isinstance(found, Sheets):
                return _choose_sheet(found), None, False, found.names, None
            looks = looks_of(found)
        except (Refused, Denied) as error:
            return states.refused(error), None, not sheets, sheets, chosen
        told_columns = [_told(column.name, look) for column, look in zip(found.columns, looks, strict=True)]
        return _preview(found, looks), told_columns, not sheets, sheets, chosen

    @dash.callback(
        Output("predict-doubts", "children"),
        Output(f"{DAY_FIRST}-question", "hidden"),
        Output(DAY_FIRST, "label"),
        Output(DAY_FIRST, "children"),
        Output(f"{DECIMALS}-question", "hidden"),
        Output(DECIMALS, "label"),
        Output(DECIMALS, "children"),
        Output("predict-asking", "hidden"),
        Output("predict-go", "disabled"),
        Input({"type": ROLE, "place": ALL}, "value"),
        Input(COLUMNS, "data"),
        Input(DAY_FIRST, "value"),
        Input(DECIMALS, "value"),
    )
    def doubt(
        chosen: list[str | None], columns: list[Told] | None, day_first: str | None, decimals: str | None
    ) -> Any:
        silent: tuple[Any, ...] = [], True, "", [], True, "", []
        if columns is None or len(chosen) != len(columns):
            return *silent, True, True
        try:
            choice = Roles.of(chosen).choice(day_first, decimals)
            if not choice.keys:
                raise UnreadableFile("no column is a key", "choose at least one that says what a row is of")
            dates, amounts = columns[choice.month]["dates"], columns[choice.quantity]["amounts"]
            for each in (dates, amounts):
                if "detail" in each:
                    raise UnreadableFile(each["detail"], each["remedy"])
        except UnreadableFile as error:
            return states.refused(error), *silent[1:], False, True
        unsure = dates["unsure"] and day_first is None, amounts["unsure"] and decimals is None
        return (
            _ways(columns[choice.month]["name"], dates["ways"]),
            *_ask(dates["unsure"], _of_dates),
            *_ask(amounts["unsure"], _of_amounts),
            False,
            any(unsure),
        )

    @dash.callback(
        Output(DAY_FIRST, "value"),
        Output(DECIMALS, "value"),
        Input(COLUMNS, "data"),
        prevent_initial_call=True,
    )
    def forget(_: list[Told] | None) -> Any:
        return None, None


def _choose_sheet(found: Sheets) -> Component:
    return states.empty(
        f"The workbook has {len(found.names)} sheets with something in them.",
        "Choose the one with the history.",
    )


def _told(name: str, look: Look) -> Told:
    """A look at a column, for the browser to keep."""
    dates, amounts = look.dates, look.amounts
    unsure_date = None
    if isinstance(dates, Dates) and dates.unsure is not None:
        months = dates.months[dates.unsure]
        unsure_date = [dates.unsure, *(str(Month.from_ordinal(each)) for each in months)]
    unsure_amount = None
    if not isinstance(amounts, UnreadableFile) and amounts.unsure is not None:
        unsure_amount = [amounts.unsure, *(amounts.values[amounts.unsure] or ())]
    return {
        "name": name,
        "dates": {"unsure": unsure_date, "ways": dates.ways}
        if isinstance(dates, Dates)
        else {"detail": dates.detail, "remedy": dates.remedy},
        "amounts": {"unsure": unsure_amount}
        if not isinstance(amounts, UnreadableFile)
        else {"detail": amounts.detail, "remedy": amounts.remedy},
    }


def _preview(table: Table, looks: Sequence[Look]) -> Component:
    """The first rows, under what each column is taken for."""
    body = [
        html.Tr(
            [
                html.Th(str(number), scope="row"),
                *(html.Td(_written(column.cells[at])) for column in table.columns),
            ]
        )
        for at, number in enumerate(table.numbers[:_SHOWN_ROWS])
    ]
    selects = [
        html.Td(
            dmc.Select(
                id={"type": ROLE, "place": place},
                data=_ROLES,
                value=look.role,
                allowDeselect=False,
                size="xs",
                **aria(label=f"Column {column.name} is"),
            )
        )
        for place, (column, look) in enumerate(zip(table.columns, looks, strict=True))
    ]
    names = [html.Th(column.name, scope="col") for column in table.columns]
    first = html.Th(html.Span("Row", className="hidden-for-eyes"), scope="col")
    return html.Div(
        [
            html.P(
                [
                    written.number(len(table.numbers)),
                    f" {'row' if len(table.numbers) == 1 else 'rows'}, {len(table.columns)} columns, ",
                    f"{table.told}. Say what each column is:",
                ],
                className="reading",
            ),
            html.Div(
                html.Table(
                    [
                        html.Caption("The first rows of the file", className="hidden-for-eyes"),
                        html.Thead(
                            [html.Tr([first, *names]), html.Tr([html.Td(), *selects], className="roles")]
                        ),
                        html.Tbody(body),
                    ],
                    className="numbers preview",
                ),
                className="scrolls",
                tabIndex=0,
                role="region",
                **aria(label="The first rows of the file"),
            ),
        ]
    )


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return f"{cell:g}" if isinstance(cell, float) else cell[:60]


def _ways(name: str, ways: Sequence[tuple[str, int]]) -> list[Component]:
    """How dates are written, where not all are written alike."""
    if len(ways) < 2:
        return []
    listed = ", ".join(f"{example} ({rows:,} {'row' if rows == 1 else 'rows'})" for example, rows in ways)
    return [
        html.P(
            f"The dates in {name!r} are written in {len(ways)} ways, of which each is read as it is meant: "
            f"{listed}.",
            className="note",
        )
    ]


def _ask(unsure: list[Any] | None, question: Any) -> tuple[bool, Any, Any]:
    return (True, "", []) if unsure is None else (False, *question(*unsure))


def _of_dates(text: str, by_day: str, by_month: str) -> tuple[Any, Any]:
    label = f"{text} can be read in two ways, and no date in the column tells which. What comes first?"
    return label, dmc.Group(
        [
            dmc.Radio(value="day", label=["The day: it is in ", written.month(Month.parse(by_day))]),
            dmc.Radio(value="month", label=["The month: it is in ", written.month(Month.parse(by_month))]),
        ]
    )


def _of_amounts(text: str, point: float, comma: float) -> tuple[Any, Any]:
    label = f"{text} can be read in two ways, and no number in the column tells which. What is it?"
    small, large = sorted((("point", point), ("comma", comma)), key=lambda way: abs(way[1]))
    return label, dmc.Group(
        [
            dmc.Radio(value=small[0], label=[written.number(small[1], 3), ", with three decimals"]),
            dmc.Radio(value=large[0], label=[written.number(large[1]), ", in thousands"]),
        ]
    )
