"""The chosen node of the explorer: what it is part of, its figures, its months as a chart and as a table."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from app.api.series_schemas import node_series
from app.errors import Denied, NotThere, Refused
from app.store.node_id import NodeId
from app.store.series import SaidByRun, Series
from app.store.summaries import YEAR
from app.ui import asking, states, written
from app.ui.attributes import aria, data
from app.ui.bands import Band, bands_of
from app.ui.explorer.asked import NodeAsked, Told
from app.ui.node_links import level_words, node_words
from app.ui.parts import checked
from forecasting.hierarchy import level_name

NODE = "explorer-node"
SERIES = "explorer-series"


def answer(dash: Dash) -> None:
    """Give the node's callbacks to the page."""

    @dash.callback(
        Output("explorer-head", "children"),
        Output(SERIES, "data"),
        Input(NODE, "data"),
    )
    def show(told: Told | None) -> Any:
        if told is None:
            raise PreventUpdate
        caller = asking.caller()
        try:
            asked = checked(NodeAsked, told)
            with asking.reader() as reader:
                run, node = asked.find(reader, caller)
                series = reader.series(run, node, history=asked.history, earlier=asked.earlier)
                path = reader.path(run, node)
        except (Refused, NotThere, Denied) as error:
            return states.refused(error), None
        question = f"/v1/series/{node}?" + urlencode(
            {"run": run.id, "history": asked.history, "earlier": asked.earlier}
        )
        asking.note(question)
        bands = [
            {"label": each.label, "low": each.low, "high": each.high} for each in bands_of(run.probabilities)
        ]
        document = node_series(series) | {"name": node_words(node), "bands": bands}
        return _head(series, path, question), document


def _head(series: Series, path: Sequence[NodeId], question: str) -> list[Component]:
    node, run = series.node, series.run
    return [
        html.Nav(_crumbs(path[:-1]), className="crumbs", **aria(label="Counts towards")),
        html.Div(
            [html.H2(node_words(node)), html.Div(_exports(series, question), className="exports")],
            className="title",
        ),
        html.P(
            [
                level_words(level_name(node.level)),
                " · run ",
                html.Span(run.id, className="mono"),
                " of ",
                written.month(run.origin),
                ", shown ",
                written.moment(run.published_at),
            ],
            className="about",
        ),
        html.Dl(_figures(series), className="figures"),
    ]


def _crumbs(path: Sequence[NodeId]) -> list[Component]:
    """The nodes that this one counts towards, the largest first."""
    return [node_link(node, node_words(node)) for node in path]


def node_link(node: NodeId, text: str) -> Component:
    """A link that chooses a node; what else the address says stays (`explorer.js`)."""
    address = "/explorer?" + urlencode({"node": str(node)})
    return html.A(text, href=address, **data(node=str(node)))


def _exports(series: Series, question: str) -> list[Component]:
    where: Mapping[str, str] = series.node.where
    excel = urlencode(
        {
            "level": level_name(series.node.level),
            **where,
            "run": series.run.id,
            "format": "xlsx",
        }
    )
    return [
        *([] if series.run.unit != "t" else [_units()]),
        html.A("CSV", href=f"{question}&format=csv", className="button"),
        html.A("Excel", href=f"/v1/forecasts?{excel}", className="button"),
        html.Button("Copy as curl", id="explorer-curl", **data(question=question)),
    ]


def _units() -> Component:
    """Which is chosen the browser knows, and says so."""
    choices = [
        html.Button(label, className="way", **data(choose_unit=name), **aria(pressed="false"))
        for name, label in (("t", "t"), ("st", "short tons"), ("kg", "kg"))
    ]
    return html.Div(choices, className="units", role="group", **aria(label="Unit"))


def _figures(series: Series) -> list[Component]:
    """What planners ask first; years are compared over months that both have."""
    months = list(series.forecast.numbers)
    means = [numbers[0] for numbers in series.forecast.numbers.values()]
    year, before = means[:YEAR], [series.last_year.get(month) for month in months[:YEAR]]
    known = [bought for bought in before if bought is not None]
    largest = max(sum(year), sum(known))
    unit = series.run.unit
    figures = [
        _figure(written.month(months[0]), _next_month(series, largest)),
        _figure(f"Next {len(year)} months", [written.quantity(sum(year), unit, largest)]),
    ]
    if len(known) == len(year):
        change = sum(year) / sum(known) - 1 if sum(known) > 0 else None
        figures += [
            _figure("The same months a year before", [written.quantity(sum(known), unit, largest)]),
            _figure("Change", ["–" if change is None else written.number(change, 1, "signed-percent")]),
        ]
    return figures


def _figure(name: Any, value: list[Any]) -> Component:
    return html.Div([html.Dt(name), html.Dd(value)])


def _next_month(series: Series, largest: float) -> list[Any]:
    numbers = next(iter(series.forecast.numbers.values()))
    unit = series.run.unit
    told: list[Any] = [written.quantity(numbers[0], unit, largest)]
    bands = bands_of(series.forecast.probabilities)
    if bands:
        low, high = _ends(series.forecast, bands[-1], numbers)
        told.append(
            html.Small(
                [
                    f"{bands[-1].label} ",
                    written.amount(low, unit, largest),
                    " – ",
                    written.amount(high, unit, largest),
                ]
            )
        )
    return told


def _ends(said: SaidByRun, band: Band, numbers: Sequence[float]) -> tuple[float, float]:
    at = said.probabilities.index
    return numbers[1 + at(band.low_probability)], numbers[1 + at(band.high_probability)]
