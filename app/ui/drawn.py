"""Small drawings beside numbers, of boxes that CSS colours: nothing to load, nothing that only eyes learn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from app.ui.attributes import aria

_UNHEARD = aria(hidden="true")


def bar(
    value: float | None, most: float, tick: float | None = None, span: tuple[float, float] | None = None
) -> Component:
    """A value from 0 to `most` as a bar, with a tick at another, and a thin line over a range."""
    parts = [html.I(className="fill", style={"width": _percent(value or 0.0, most)})]
    if span is not None:
        low, high = span
        width = _percent(max(high - low, 0.0), most)
        parts.append(html.I(className="span", style={"left": _percent(low, most), "width": width}))
    if tick is not None:
        parts.append(html.I(className="tick", style={"left": _percent(tick, most)}))
    return html.Div(parts, className="bar", **_UNHEARD)


def lean(value: float, most: float) -> Component:
    """A change as a bar from the middle: to the right where it is more, to the left where it is less."""
    half = 50.0 * min(abs(value) / most, 1.0) if most > 0 else 0.0
    side = {"left": "50%"} if value >= 0 else {"right": "50%"}
    kind = "fill" if value >= 0 else "fill less"
    return html.Div(
        html.I(className=kind, style={"width": f"{half:.1f}%"} | side), className="bar lean", **_UNHEARD
    )


@dataclass(frozen=True)
class Dot:
    """A point of a picture, and what it says when it is pointed at."""

    across: float
    up: float
    says: str


def against(dots: Sequence[Dot], across: str, up: str) -> Component:
    """Dots on two axes of the same logarithmic scale, with the line on which both are the same.

    What is not above zero is left out. The same numbers have to stand in a table beside.
    """
    seen = [dot for dot in dots if dot.across > 0 and dot.up > 0]
    values = [value for dot in seen for value in (dot.across, dot.up)]
    low, high = (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))) if seen else (0, 1)
    high = max(high, low + 1)

    def at(value: float) -> str:
        return f"{100 * (math.log10(value) - low) / (high - low):.2f}%"

    marks = [
        html.I(className="dot", title=dot.says, style={"left": at(dot.across), "bottom": at(dot.up)})
        for dot in seen
    ]
    grid = [
        html.I(className=f"grid {way}", style={side: f"{100 * step / (high - low):.2f}%"})
        for step in range(1, high - low)
        for way, side in (("across", "left"), ("up", "bottom"))
    ]
    scale = f"logarithmic, {_power(low)} to {_power(high)}"
    inside = html.Div([html.I(className="same"), *grid, *marks], className="plot")
    return html.Div(
        [html.Span(up, className="up"), inside, html.Span(f"{across} ({scale})", className="across")],
        className="against",
        **_UNHEARD,
    )


def _power(exponent: int) -> str:
    return f"{10.0**exponent:,.0f}" if exponent >= 0 else f"{10.0**exponent:g}"


def _percent(value: float, most: float) -> str:
    part = 100.0 * min(max(value / most, 0.0), 1.0) if most > 0 else 0.0
    return f"{part:.1f}%"
