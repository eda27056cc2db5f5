"""What the chosen node is made of: its largest parts, and whether all parts add up to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from app.access.caller import Caller
from app.errors import Denied, NotThere, Refused
from app.store.node_id import NodeId
from app.store.nodes import children_of, divisions
from app.store.read import Reader
from app.store.selection import PublishedRun, Selection, select_from
from app.store.summaries import YEAR, Stretch, Summary
from app.ui import asking, written
from app.ui.attributes import aria, data
from app.ui.explorer.asked import NodeAsked, Told
from app.ui.explorer.node import NODE, node_link
from app.ui.node_links import level_words, node_words, tells_of_customers
from app.ui.parts import checked
from app.ui.states import capital
from forecasting.hierarchy import level_name

SUM = "explorer-sum"
_LARGEST = 8


@dataclass(frozen=True)
class Parts:
    """The parts of a node at one finer level: the largest of them, how many, and their sum by month."""

    node: NodeId
    selection: Selection
    largest: list[Summary]
    count: int
    sums: list[float]


def answer(dash: Dash) -> None:
    """Give the callbacks to the page."""

    @dash.callback(Output("explorer-parts", "children"), Output(SUM, "data"), Input(NODE, "data"))
    def show(told: Told | None) -> Any:
        if told is None:
            raise PreventUpdate
        try:
            asked = checked(NodeAsked, told)
            with asking.reader() as reader:
                run, node = asked.find(reader, asking.caller())
                reader.find(run, node)
                ways = _ways(run, node, asking.caller())
                by = asked.by if asked.by in ways else next(iter(ways), None)
                parts = None if by is None else _parts(reader, run, node, by)
                whole = [] if parts is None else _whole(reader, run, node)
        except (Refused, NotThere, Denied):
            return [], None  # what is wrong is told above
        if parts is not None and tells_of_customers(parts.selection.level):
            asking.note(f"/v1/nodes/{node}/children?" + urlencode({"by": by, "run": run.id}))
        if parts is None or by is None:
            return html.P("One of the finest nodes: it has no parts.", className="note"), None
        document = {
            "run": run.id,
            "label": f"Sum by {level_words(by)}",
            "months": [
                {"month": str(month), "mean": mean}
                for month, mean in zip(parts.selection.months, parts.sums, strict=True)
            ],
        }
        return _shown(parts, whole, by, ways), document


def _ways(run: PublishedRun, node: NodeId, caller: Caller) -> list[str]:
    """By what the node can be divided into parts that the caller may see."""
    return [
        name
        for name in divisions(run, node.level)
        if caller.organizations is None or "organization" in node.level or name == "organization"
    ]


def _parts(reader: Reader, run: PublishedRun, node: NodeId, by: str) -> Parts:
    """At the first of the next finer levels that name it: where there are several, all add up to the same."""
    selection = children_of(run, node, by)[0]
    largest = reader.summaries(selection, "-year", Stretch(0, _LARGEST))
    (sums,) = reader.added_up([selection])
    return Parts(node, selection, largest, reader.count(selection), sums)


def _whole(reader: Reader, run: PublishedRun, node: NodeId) -> list[float]:
    only = select_from(run, level=level_name(node.level), where=node.where, probabilities=())
    (found,) = reader.forecasts(only, 1).rows
    return [numbers[0] for numbers in found.numbers]


def _shown(parts: Parts, whole: Sequence[float], by: str, ways: Sequence[str]) -> list[Component]:
    unit = parts.selection.run.unit
    year = sum(whole[:YEAR])
    rows = [_row(each, year, unit, parts.node) for each in parts.largest]
    shown = sum(each.year for each in parts.largest)
    rest = parts.count - len(parts.largest)
    if rest > 0:
        rest_of_year = sum(parts.sums[:YEAR]) - shown
        rows.append(
            html.Tr(
                [
                    html.Th(
                        [written.number(rest), " more" if rest > 1 else " other"],
                        scope="row",
                        className="rest",
                    ),
                    html.Td(written.amount(rest_of_year, unit, year), className="right"),
                    html.Td(_share(rest_of_year, year), className="right"),
                ]
            )
        )
    return [
        html.Div(
            [
                html.H3(["Made of, in ", written.unit(unit)]),
                html.Div(
                    [_way(name, by) for name in ways],
                    className="ways",
                    role="group",
                    **aria(label="Divided by"),
                ),
            ],
            className="parts-head",
        ),
        html.Table(
            [
                html.Thead(
                    html.Tr(
                        [
                            html.Th(capital(level_words(by)), scope="col"),
                            html.Th(
                                [f"{min(YEAR, len(whole))} months"],
                                scope="col",
                                className="right",
                            ),
                            html.Th("Share", scope="col", className="right"),
                        ]
                    )
                ),
                html.Tbody(rows),
            ],
            className="numbers",
        ),
        _sum(parts, whole, unit),
    ]


def _row(part: Summary, year: float, unit: str, node: NodeId) -> Component:
    own = {name: value for name, value in part.node.where.items() if name not in node.level}
    name = " · ".join(own.values()) or node_words(part.node)
    return html.Tr(
        [
            html.Th(node_link(part.node, name), scope="row"),
            html.Td(written.amount(part.year, unit, year), className="right"),
            html.Td(_share(part.year, year), className="right"),
        ]
    )


def _share(part: float, whole: float) -> Any:
    return "–" if whole <= 0 else written.number(part / whole, 1, "percent")


def _way(name: str, chosen: str) -> Component:
    return html.Button(
        level_words(name),
        className="way",
        **data(by=name),
        **aria(pressed="true" if name == chosen else "false"),
    )


def _sum(parts: Parts, whole: Sequence[float], unit: str) -> Component:
    """Whether the parts add up, in the plainest words: the largest difference of any month."""
    total = sum(parts.sums)
    apart = max((abs(a - b) for a, b in zip(parts.sums, whole, strict=True)), default=0.0)
    adds_up = apart <= 1e-6 * max(1.0, max(whole, default=0.0))
    words = "the same as the node in every month." if adds_up else "not the node's: "
    amount = written.quantity(total, unit, total)
    parts_told = (
        ["Its one part comes to "]
        if parts.count == 1
        else ["All ", written.number(parts.count), " add up to "]
    )
    told: list[Any] = [*parts_told, amount, f" over {len(whole)} months, {words}"]
    if not adds_up:
        told += [written.quantity(apart, unit, total), " apart in one month."]
    return html.P(told, className="note" if adds_up else "note bad")
