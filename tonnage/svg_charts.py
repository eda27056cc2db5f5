"""Small charts as inline SVG: coloured by the page's classes, readable without a script."""

import math
from collections.abc import Sequence
from html import escape

from forecasting.ticks import round_ticks

WIDTH, HEIGHT = 340, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 10, 10, 26


def line_chart(label: str, lines: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Shares by lead month: one line per (class of the page, values); an undefined value is a gap."""
    known = [value for _, values in lines for value in values if math.isfinite(value)]
    months = max(len(values) for _, values in lines)
    ticks = round_ticks(max(known, default=0.0))
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">',
        *(_horizontal(tick, ticks[-1]) for tick in ticks),
        *(
            f'<text class="tick middle" x="{_x(lead, months):.1f}" y="{HEIGHT - 8}">{lead}</text>'
            for lead in _leads(months)
        ),
    ]
    for name, values in lines:
        for run in _runs(values):
            points = [(_x(lead, months), _y(value, ticks[-1])) for lead, value in run]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline class="line {name}" points="{path}"/>')
            parts.extend(
                f'<circle class="dot {name}" cx="{x:.1f}" cy="{y:.1f}" r="2.5">'
                f"<title>lead {lead}: {value:.1%}</title></circle>"
                for (x, y), (lead, value) in zip(points, run, strict=True)
            )
    return "".join([*parts, "</svg>"])


def share_bar(label: str, value: float, mark: float) -> str:
    """A bar from 0 to 100 % with a mark at the share it should have; stretches to any width."""
    filled = value * 100 if math.isfinite(value) else 0.0
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">'
        '<rect class="track" x="0" y="1" width="100" height="8"/>'
        f'<rect class="filled" x="0" y="1" width="{filled:.2f}" height="8"/>'
        f'<line class="mark" x1="{mark * 100:.2f}" x2="{mark * 100:.2f}" y1="0" y2="10"/></svg>'
    )


def _horizontal(tick: float, top: float) -> str:
    y = _y(tick, top)
    digits = 0 if top >= 0.05 else 1
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick end" x="{_LEFT - 6}" y="{y + 4:.1f}">{tick:.{digits}%}</text>'
    )


def _x(lead: int, months: int) -> float:
    inner = WIDTH - _LEFT - _RIGHT - 12
    return _LEFT + 6 + (inner * (lead - 1) / (months - 1) if months > 1 else inner / 2)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top


def _leads(months: int) -> list[int]:
    """The leads that get a number: all of few, every so many of many."""
    return list(range(1, months + 1, math.ceil(months / 12)))


def _runs(values: Sequence[float]) -> list[list[tuple[int, float]]]:
    """Stretches of known values, each as (lead, value)."""
    runs: list[list[tuple[int, float]]] = [[]]
    for lead, value in enumerate(values, start=1):
        if math.isfinite(value):
            runs[-1].append((lead, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
