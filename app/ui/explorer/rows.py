"""The grid of the explorer: its lines by stretches, and how many there are."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from app.errors import Denied, NotThere, Refused
from app.store.node_id import NodeId
from app.store.read import Reader
from app.store.selection import Selection
from app.store.summaries import YEAR, Ranking, Stretch, Summary
from app.ui import asking, states, written
from app.ui.attributes import aria
from app.ui.explorer.asked import LARGE, ListAsked, Told
from app.ui.node_links import node_words, tells_of_customers
from app.ui.parts import checked
from forecasting.hierarchy import level_name

GRID = "explorer-grid"
LIST = "explorer-list"
PLACES = "explorer-places"
BLOCK = 100

_MOST_ASKED = 1000


def answer(dash: Dash) -> None:
    """Give the grid's callbacks to the page."""

    @dash.callback(
        Output(GRID, "getRowsResponse"),
        Input(GRID, "getRowsRequest"),
        State(LIST, "data"),
        State(PLACES, "data"),
    )
    def rows(request: Mapping[str, Any] | None, told: Told | None, places: Mapping[str, str] | None) -> Any:
        if request is None or told is None:
            raise PreventUpdate
        start = int(request["startRow"])
        most = min(int(request["endRow"]) - start, _MOST_ASKED)
        try:
            asked = checked(ListAsked, told)
            with asking.reader() as reader:
                selection = asked.select(reader, asking.caller())
                ranking = asked.sort or usual_ranking(reader, selection)
                after = _place(places, start, selection)
                found = reader.summaries(selection, ranking, Stretch(start, most + 1, after))
        except (Refused, NotThere, Denied):
            return {"rowData": [], "rowCount": 0}  # what is wrong is told beside the grid
        if tells_of_customers(selection.level):
            asking.note(_question(selection, {}))
        more = len(found) > most
        return {
            "rowData": _rows(found[:most], selection.run.unit),
            "rowCount": None if more else start + len(found),
        }

    @dash.callback(Output("explorer-count", "children"), Input(LIST, "data"))
    def counted(told: Told | None) -> Any:
        if told is None:
            raise PreventUpdate
        try:
            asked = checked(ListAsked, told)
            with asking.reader() as reader:
                selection = asked.select(reader, asking.caller())
                count = reader.count(selection)
        except (Refused, NotThere, Denied) as error:
            return states.refused(error)
        return _told(selection, count, asked.sort)


def usual_ranking(reader: Reader, selection: Selection) -> Ranking:
    """The largest first, but for levels that are too large to sort at once."""
    return "nodes" if reader.count(selection, LARGE + 1) > LARGE else "-year"


def forecasts_question(selection: Selection, ranking: Ranking, form: str) -> str:
    """The API's question for all that the grid shows, as a file."""
    year = {"year": "mean", "-year": "-mean"}
    more = {"format": form}
    if selection.run.horizon > YEAR:
        more["to"] = str(selection.run.origin + YEAR)
    if ranking in year:
        more["sort"] = year[ranking]
    return _question(selection, more)


def _question(selection: Selection, more: Mapping[str, str]) -> str:
    parameters = [("level", level_name(selection.level))]
    parameters += [(name, value) for name, values in selection.where.items() for value in values]
    if selection.search is not None:
        parameters.append(("search", selection.search))
    return "/v1/forecasts?" + urlencode([*parameters, ("run", selection.run.id), *more.items()])


def _rows(found: Sequence[Summary], unit: str) -> list[dict[str, Any]]:
    largest = max((each.year for each in found), default=0.0)
    return [
        {
            "node": str(each.node),
            "name": node_words(each.node),
            "year": each.year,
            "change": None if not each.before or each.before <= 0 else each.year / each.before - 1,
            "unit": unit,
            "largest": largest,
        }
        for each in found
    ]


def _place(places: Mapping[str, str] | None, start: int, selection: Selection) -> tuple[str, ...] | None:
    """The key of the node just before a line, if the browser has seen it and it is of this level."""
    text = (places or {}).get(str(start))
    if text is None:
        return None
    node = NodeId.parse(text)
    return node.values if node.level == selection.level else None


def _told(selection: Selection, count: int, ranking: Ranking | None) -> Component:
    ranking = ranking or ("-year" if count <= LARGE else "nodes")
    nodes = html.Span([written.number(count), " node" if count == 1 else " nodes"])
    links = [
        html.A(
            name,
            href=forecasts_question(selection, ranking, form),
            className="quiet",
            **aria(label=label),
        )
        for name, form, label in (
            ("CSV", "csv", "CSV of all these nodes"),
            ("Excel", "xlsx", "Excel file of all these nodes"),
        )
    ]
    return html.Div([nodes, html.Span(links, className="links")], className="count")
