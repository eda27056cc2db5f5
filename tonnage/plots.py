"""Charts that stretch to any width: SVG for the shapes, HTML for the words on their axes, so that letters and
strokes keep their size on a narrow page. Coloured by the page's classes, readable without a script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from forecasting.ticks import round_ticks

_SIZE = 1000  # of the drawing, in its own units


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place from 0 to 1 along an axis; a minor one is left out where the page is narrow."""

    place: float
    text: str
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """The upright axis: its unit in words, and ticks at values, of which the ends are the chart's."""

    unit: str
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """From 0 at the lowest tick to 1 at the highest."""
        low, high = self.ticks[0][0], self.ticks[-1][0]
        return (value - low) / (high - low)


def axis(unit: str, values: Sequence[float]) -> Axis:
    """An axis from zero over all values, with round ticks in between."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *known]), max([0.0, *known])
    step = round_ticks(max(high, -low))[1]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = range(math.floor(low / step + 1e-9), max(math.ceil(high / step - 1e-9), 0 if low < 0 else 1) + 1)
    return Axis(unit, tuple((at * step, f"{at * step:,.{digits}f}") for at in ticks))


def share_axis(unit: str, shares: Sequence[float]) -> Axis:
    """The same for shares, written in percent."""
    ticks = round_ticks(max(shares, default=0.0))
    digits = 0 if ticks[1] >= 0.01 else 1
    return Axis(unit, tuple((tick, f"{tick:.{digits}%}") for tick in ticks))


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar per place of the level axis: values, what each says when pointed at, and its class."""

    values: Sequence[float]
    titles: Sequence[str]
    kinds: Sequence[str]


def bar_chart(label: str, upright: Axis, level: Sequence[Tick], bars: Sequence[Bars], below: str) -> str:
    """Groups of bars side by side; `below` names the level axis."""
    zero = upright.place(0.0)
    shapes = []
    width = 1 / max(len(bars[0].values), 1)
    for nth, each in enumerate(bars):
        for at, (value, title, kind) in enumerate(zip(each.values, each.titles, each.kinds, strict=True)):
            place = upright.place(value)
            left = (at + 0.1 + 0.8 * nth / len(bars)) * width
            shapes.append(
                f'<rect class="{kind}" x="{left * _SIZE:.1f}" width="{0.8 * width / len(bars) * _SIZE:.1f}" '
                f'y="{(1 - max(place, zero)) * _SIZE:.1f}" height="{abs(place - zero) * _SIZE:.1f}">'
                f"<title>{escape(title)}</title></rect>"
            )
    return _frame(label, upright, level, "".join(shapes), below)


@dataclass(frozen=True, slots=True)
class Line:
    """Points as (place from 0 to 1, value), an undefined value makes a gap; and the line's class."""

    points: Sequence[tuple[float, float]]
    kind: str


def line_plot(label: str, upright: Axis, level: Sequence[Tick], lines: Sequence[Line], below: str) -> str:
    """Lines over a level axis that `below` names; a point between two gaps is a dot."""
    shapes = []
    for line in lines:
        for known, run in groupby(line.points, key=lambda point: math.isfinite(point[1])):
            places = [f"{x * _SIZE:.1f} {(1 - upright.place(y)) * _SIZE:.1f}" for x, y in run if known]
            if len(places) == 1:
                # A stretch of no length is drawn by its round end.
                shapes.append(f'<path class="line {line.kind} alone" d="M{places[0]}h0"/>')
            elif places:
                shapes.append(f'<path class="line {line.kind}" d="M{"L".join(places)}"/>')
    return _frame(label, upright, level, "".join(shapes), below)


def month_ticks(months: Sequence[str]) -> list[Tick]:
    """Labels for bars of consecutive months, YYYY-MM: each January of few, some of many, or the ends."""
    count = len(months)
    januaries = [at for at, month in enumerate(months) if month.endswith("-01")]
    if len(januaries) < 2:
        ends = sorted({0, count - 1}) if count > 2 else range(count)
        return [Tick((at + 0.5) / count, months[at]) for at in ends]
    every = math.ceil(len(januaries) / 10)
    shown = [at for at in januaries if int(months[at][:4]) % every == 0]
    spare = math.ceil(len(shown) / 4)
    return [Tick((at + 0.5) / count, months[at], nth % spare > 0) for nth, at in enumerate(shown)]


def key(entries: Sequence[tuple[str, str]]) -> str:
    """What the classes of lines or bars mean: (classes, HTML)."""
    shown = "".join(f'<span class="key"><i class="{kind}"></i> {text}</span>' for kind, text in entries)
    return f'<p class="keys">{shown}</p>'


def _frame(label: str, upright: Axis, level: Sequence[Tick], shapes: str, below: str) -> str:
    """The axes around a drawing, whose words the text alternative replaces for those who hear the page."""
    room = max(len(text) for _, text in upright.ticks) * 0.6 + 1
    heights = [(upright.place(value), value, escape(text)) for value, text in upright.ticks]
    grid = "".join(
        f'<path class="grid{"" if value else " zero"}" d="M0 {(1 - place) * _SIZE:.1f}h{_SIZE}"/>'
        for place, value, _ in heights
    )
    beside = "".join(
        f'<span class="y" style="bottom:{place:.2%}">{text}</span>' for place, _, text in heights
    )
    under = "".join(
        f'<span class="x{" minor" if tick.minor else ""}" style="left:{tick.place:.2%}">'
        f"{escape(tick.text)}</span>"
        for tick in level
    )
    drawing = f'<svg viewBox="0 0 {_SIZE} {_SIZE}" preserveAspectRatio="none">{grid}{shapes}</svg>'
    return (
        f'<div class="plot" role="img" aria-label="{escape(label)}">'
        f'<span class="unit">{escape(upright.unit)}</span>'
        f'<div class="area" style="margin-left:{room:.1f}em">{drawing}{beside}{under}</div>'
        f'<span class="below">{escape(below)}</span></div>'
    )
