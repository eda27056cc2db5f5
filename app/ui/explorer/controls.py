"""Level, filters and order of the explorer, as the address has them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from app.errors import Denied, NotThere, Refused
from app.refusals import UnknownLevel
from app.store.read import Reader
from app.store.selection import PublishedRun, Selection, select_from
from app.ui import asking
from app.ui.explorer.asked import ListAsked, Told, first_level, levels_of, run_of
from app.ui.explorer.rows import usual_ranking
from app.ui.node_links import level_words, tells_of_customers
from app.ui.parts import checked
from app.ui.states import capital
from forecasting.hierarchy import level_name

ARRIVED = "explorer-arrived"
_FILTER = "explorer-filter"
_MOST_VALUES = 500
"""What a filter lists; a level with more values is searched by name."""

_ORDERS = (
    ("-year", "Largest first"),
    ("year", "Smallest first"),
    ("nodes", "By name"),
)


def layout() -> list[Component]:
    """The controls before they know any level."""
    return [
        html.Div(_select("level", "Level", [], ""), id="explorer-levels"),
        html.Div(
            [
                html.Label("Search by name", htmlFor="explorer-search"),
                dcc.Input(id="explorer-search", type="search", placeholder="a part of a name"),
            ]
        ),
        html.Div(_select("sort", "Order", _ORDERS, "-year"), id="explorer-orders"),
        html.Div(id="explorer-filters", className="filters"),
    ]


def answer(dash: Dash) -> None:
    """Give the controls' callbacks to the page."""

    @dash.callback(
        Output("explorer-levels", "children"),
        Output("explorer-orders", "children"),
        Output("explorer-search", "value"),
        Output("explorer-filters", "children"),
        Input(ARRIVED, "data"),
    )
    def arrive(told: Told | None) -> Any:
        if told is None:
            raise PreventUpdate
        try:
            asked = checked(ListAsked, told)
            with asking.reader() as reader:
                run = run_of(reader, asked.run)
                levels = [level_name(level) for level in levels_of(run, asking.caller())]
                selection = _of_level(run, asked, levels)
                filters = [] if selection is None else _filters(reader, selection, asked)
                ranking = asked.sort or "-year"
                if asked.sort is None and selection is not None:
                    ranking = usual_ranking(reader, selection)
        except (Refused, NotThere, Denied):
            raise PreventUpdate from None  # what is wrong is told beside the grid
        chosen = asked.level or "" if selection is None else level_name(selection.level)
        return (
            _select("level", "Level", [(level, level_words(level)) for level in levels], chosen),
            _select("sort", "Order", _ORDERS, ranking),
            asked.search or "",
            filters,
        )

    dash.clientside_callback(
        ClientsideFunction("explorer", "filter"),
        Output("explorer-filters", "id"),
        Input({"type": _FILTER, "name": ALL}, "value"),
        prevent_initial_call=True,
    )


def _select(name: str, label: str, choices: Sequence[tuple[str, str]], chosen: str) -> list[Component]:
    """The browser's own select: light, and at home with every keyboard and screen reader."""
    field = f"explorer-{name}"
    options = [
        html.Option(text, value=value, selected="selected" if value == chosen else None)
        for value, text in choices
    ]
    return [html.Label(label, htmlFor=field), html.Select(options, id=field)]


def _of_level(run: PublishedRun, asked: ListAsked, levels: list[str]) -> Selection | None:
    """The level that is asked for, or the highest, without its filters; None where there is none such."""
    try:
        return select_from(run, level=asked.level or first_level(levels), where={})
    except UnknownLevel:
        return None


def _filters(reader: Reader, selection: Selection, asked: ListAsked) -> list[Component]:
    """A filter for each name of the level that is a level by itself, if its values are not too many."""
    filters = []
    for name in selection.level:
        values, chosen = _values(reader, selection.run, name), list(asked.where.get(name, ()))
        if values:
            filters.append(
                dmc.MultiSelect(
                    id={"type": _FILTER, "name": name},
                    label=capital(level_words(name)),
                    data=[*values, *(value for value in chosen if value not in values)],
                    value=chosen,
                    placeholder="" if chosen else "all",
                    searchable=True,
                    clearable=True,
                    hidePickedOptions=True,
                    nothingFoundMessage="none",
                    comboboxProps={"shadow": "md"},
                )
            )
    return filters


def _values(reader: Reader, run: PublishedRun, name: str) -> list[str]:
    if (name,) not in run.levels:
        return []
    try:
        page = reader.walk([select_from(run, level=name, where={})], _MOST_VALUES)
    except Denied:
        return []  # of other organizations too
    if tells_of_customers((name,)):
        asking.note("/v1/nodes?" + urlencode({"level": name, "run": run.id}))
    return [] if page.after is not None else [node.values[0] for node in page.rows]
