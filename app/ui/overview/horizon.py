"""What the shown run says for its horizon, month by month and by organization, beside a year before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from app.store.node_id import NodeId
from app.store.read import Reader
from app.store.selection import PublishedRun, select_from
from app.store.summaries import YEAR, Stretch, Summary
from app.ui import asking, written
from app.ui.bands import bands_of
from app.ui.drawn import bar, lean
from app.ui.node_links import node_link
from app.ui.parts import Asked, Part
from app.ui.tables import Column, digits_for, number, signed_share, table
from forecasting.months import Month

_MOST = 24
_BY = "organization"


@dataclass(frozen=True)
class Line:
    """A node by month: its mean and the two ends of a band, if any; and what was bought a year before."""

    node: NodeId
    said: Mapping[Month, Sequence[float]]
    last_year: Mapping[Month, float]


def _line(reader: Reader, run: PublishedRun, node: NodeId, ends: Sequence[float]) -> Line:
    found = reader.series(run, node, ends, history=0, earlier=0)
    return Line(node, found.forecast.numbers, found.last_year)


def _organizations(reader: Reader, run: PublishedRun) -> list[Summary]:
    """The largest of the organizations that the caller sees, the largest first."""
    if (_BY,) not in run.levels:
        return []
    return reader.summaries(select_from(run, level=_BY, where={}), "-year", Stretch(0, _MOST))


def _show_total(_: Asked) -> Component:
    """The total; for who sees some organizations, the sum of those."""
    with asking.reader() as reader:
        run = reader.current_run()
        if asking.caller().organizations is None:
            band = next(reversed(bands_of(run.probabilities)), None)
            ends = () if band is None else (band.low_probability, band.high_probability)
            lines = [_line(reader, run, NodeId.of({}), ends)]
            ranged = "" if band is None else f"; thin line: the {band.label}"
            whose = ""
        else:
            lines = [_line(reader, run, each.node, ()) for each in _organizations(reader, run)]
            whose, ranged = f"Sum of {', '.join(line.node.values[0] for line in lines)}. ", ""
    if not lines:
        return _none_of_yours()
    note = f"{whose}Bar: forecast{ranged}; mark: the same month a year before."
    return html.Div([html.P(note, className="note"), _by_month(run, lines)])


def _none_of_yours() -> Component:
    return html.P("This run forecasts no organization that you see.", className="kept-back")


def _by_month(run: PublishedRun, lines: Sequence[Line]) -> Component:
    """A row for each month; several lines are added up, and then have no band."""
    months = list(lines[0].said)
    means = {month: sum(line.said[month][0] for line in lines) for month in months}
    before = {
        month: sum(line.last_year[month] for line in lines)
        for month in months
        if all(month in line.last_year for line in lines)
    }
    band = {month: (numbers[1], numbers[2]) for month, numbers in lines[0].said.items() if len(numbers) > 2}
    highest = [each[1] for each in band.values()]
    most = max([*means.values(), *before.values(), *highest], default=0.0)
    digits = digits_for(max(means.values(), default=0.0))
    unit = written.unit_words(run.unit)
    columns = [Column("Month"), Column(f"Forecast, {unit}", "number"), Column("Last year", "number"),
               Column("Change", "number"), Column("", "drawn")]  # fmt: skip
    rows = [
        [
            written.month(month),
            number(means[month], digits),
            number(before.get(month), digits),
            _share_of_change(means[month], before.get(month)),
            bar(means[month], most, before.get(month), band.get(month)),
        ]
        for month in months
    ]
    total, whole = sum(means.values()), sum(before.values()) if len(before) == len(months) else None
    foot = ["Together", number(total, digits), number(whole, digits), _share_of_change(total, whole), None]
    return table("Forecast by month beside last year", columns, rows, foot)


def _show_organizations(_: Asked) -> Component:
    with asking.reader() as reader:
        run = reader.current_run()
        lines = _organizations(reader, run)
    if not lines:
        return _none_of_yours()
    digits = digits_for(max(line.year for line in lines))
    most = max(max(line.year, line.before or 0.0) for line in lines)
    moves = [line.year - line.before for line in lines if line.before is not None]
    largest = max(map(abs, moves), default=0.0)
    unit = written.unit_words(run.unit)
    columns = [Column("Organization"), Column(f"Forecast, {unit}", "number"), Column("Last year", "number"),
               Column("Change", "number"), Column("", "drawn"), Column("less · more", "drawn")]  # fmt: skip
    rows = [
        [
            node_link(line.node),
            number(line.year, digits),
            number(line.before, digits),
            _share_of_change(line.year, line.before),
            bar(line.year, most, line.before),
            None if line.before is None else lean(line.year - line.before, largest),
        ]
        for line in lines
    ]
    more = f"The {_MOST} largest are shown." if len(lines) == _MOST else ""
    about = f"Sums of {min(run.horizon, YEAR)} months; mark: the same months a year before. {more}".strip()
    return html.Div(
        [html.P(about, className="note"), table("Forecast by organization beside last year", columns, rows)]
    )


def _share_of_change(now: float, before: float | None) -> Component:
    """By how much of what was there before it changed, with its sign."""
    return signed_share(now / before - 1 if before is not None and before > 0 else None)


PARTS = (
    Part("overview-total", "The horizon, month by month", "GET /v1/series/{node}", _show_total),
    Part("overview-organizations", "By organization", "GET /v1/forecasts", _show_organizations),
)
