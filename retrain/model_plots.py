"""A model at a glance, as SVG files that need nothing else: what it says, and how well it did."""

import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from forecasting.arrays import Floats
from forecasting.forecast import quantile_name
from forecasting.hierarchy import Level, level_name
from forecasting.months import Month, months_from
from forecasting.ticks import round_ticks
from retrain.level_files import nodes_of, numbers_of
from retrain.registry import Candidate
from retrain.verdict import Verdict

MOST_PANELS = 6
MONTHS_OF_HISTORY = 36

_WIDTH, _HEIGHT, _ROW = 460, 230, 34  # of a panel, and of a level's row, in pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 16, 40, 26
_INK, _SOFT, _RULE, _OURS = "#1c2430", "#5a6675", "#e1e4e8", "#1f5fa8"
_OTHERS = ("#b07714", "#1b7a45", "#7a3fa0", "#b3372f")
_YARDSTICK = "#8a93a0"


def forecast_plot(candidate: Candidate, level: Level) -> str:
    """History and forecast with its bands, of the nodes of a level that will buy most."""
    run = candidate.run
    forecast = run.forecast
    numbers = numbers_of(forecast, level)
    nodes = [", ".join(row) for row in nodes_of(forecast, level).iter_rows()] if level else ["total"]
    largest = np.argsort(-numbers[0].sum(axis=1), kind="stable")[:MOST_PANELS].tolist()
    first = forecast.hierarchy.slices[forecast.hierarchy.levels.index(level)].start
    summing = candidate.panel.hierarchy.summing[[first + node for node in largest]]
    history = summing @ candidate.panel.quantity[:, -MONTHS_OF_HISTORY:]
    across = min(len(largest), 2)
    shapes = [
        f'<g transform="translate({at % across * _WIDTH} {at // across * _HEIGHT})">'
        + _panel(nodes[node], run.unit, forecast.first, history[at], numbers[:, node])
        + "</g>"
        for at, node in enumerate(largest)
    ]
    outer, inner = _bands(len(forecast.probabilities))
    names = [quantile_name(each) for each in forecast.probabilities]
    told = "".join(
        f", {names[low]} to {names[high]} {shade}"
        for (low, high), shade in zip([*outer, *inner], ("pale", "darker"), strict=False)
    )
    most = f"the {len(largest)} largest of {len(nodes)}" if len(nodes) > len(largest) else "all"
    foot = f"{run.id}, {level_name(level)}, {most}: {_unit(run.unit)} a month, history dark, mean blue{told}"
    rows = math.ceil(len(largest) / across)
    return _drawing(across * _WIDTH, rows * _HEIGHT + 24, "".join(shapes), foot)


def accuracy_plot(verdict: Verdict) -> str | None:
    """What each recipe of a contest lost, over all levels and at each; None where nothing was judged."""
    judged = [each for each in verdict.standings if math.isfinite(each.loss)]
    if not judged:
        return None
    rows = ["all levels", *map(level_name, verdict.levels)]
    left = 24 + 7 * max(map(len, rows))
    losses = [(each.loss, *each.by_level) for each in judged]
    ticks = round_ticks(max(loss for each in losses for loss in each if math.isfinite(loss)))
    width, height = 900, _TOP + _ROW * len(rows) + _BOTTOM
    digits = 0 if ticks[1] >= 0.01 else 1

    def across(loss: float) -> float:
        return left + (width - left - 30) * (loss / ticks[-1])

    shapes = [
        f'<path d="M{across(tick):.1f} {_TOP - 8}V{height - _BOTTOM}" stroke="{_RULE}"/>'
        + _text(across(tick), height - 8, f"{tick:.{digits}%}", "middle")
        for tick in ticks
    ]
    shapes += [_text(left - 12, _TOP + _ROW * (at + 0.5) + 4, row, "end") for at, row in enumerate(rows)]
    others = iter(_OTHERS * len(judged))
    place = 12.0
    # The winner comes last, and so lies on top.
    for each, lost in sorted(
        zip(judged, losses, strict=True), key=lambda pair: pair[0].recipe == verdict.winner
    ):
        ours = each.recipe == verdict.winner
        colour = _OURS if ours else _YARDSTICK if each.role == "yardstick" else next(others)
        shapes += [
            f'<circle cx="{across(loss):.1f}" cy="{_TOP + _ROW * (at + 0.5):.1f}" r="{6 if ours else 4.5}" '
            f'fill="{colour}"><title>{escape(each.recipe.name)}: {loss:.2%}</title></circle>'
            for at, loss in enumerate(lost)
            if math.isfinite(loss)
        ]
        name = f"{each.recipe.name} ({each.role})"
        shapes.append(f'<circle cx="{place + 4:.1f}" cy="16" r="5" fill="{colour}"/>')
        shapes.append(_text(place + 14, 20, name, "start"))
        place += 34 + 7 * len(name)
    first, last = verdict.origins[0], verdict.origins[-1]
    foot = f"lost, as a share of demand, from {len(verdict.origins)} past origins, {first} to {last}"
    return _drawing(max(width, round(place)), height + 24, "".join(shapes), foot)


def _panel(name: str, unit: str, first: Month, history: Floats, numbers: Floats) -> str:
    """One node: history, shape (months,), and its numbers, shape (columns, months ahead)."""
    past, ahead = len(history), int(numbers.shape[1])
    ticks = round_ticks(float(max(history.max(), numbers.max())))
    step = (_WIDTH - _LEFT - _RIGHT) / max(past + ahead - 1, 1)

    def across(month: float) -> float:
        return _LEFT + month * step

    def up(value: float) -> float:
        # Returns can make a month negative; it is drawn at the foot of the panel.
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * max(value, 0.0) / ticks[-1]

    def points(values: Sequence[float], start: int) -> Iterator[str]:
        return (f"{across(start + at):.1f} {up(value):.1f}" for at, value in enumerate(values))

    digits = max(0, -math.floor(math.log10(ticks[1]) + 1e-9))
    shapes = [f'<text x="{_LEFT}" y="20" fill="{_INK}" font-weight="bold">{escape(name)}</text>']
    shapes += [
        f'<path d="M{_LEFT} {up(tick):.1f}H{_WIDTH - _RIGHT}" stroke="{_RULE}"/>'
        + _text(_LEFT - 8, up(tick) + 4, f"{tick:,.{digits}f}", "end")
        for tick in ticks
    ]
    shapes += [
        _text(across(at), _HEIGHT - 8, str(month.year), "middle")
        for at, month in enumerate(months_from(first + -past, past + ahead))
        if month.month == 1
    ]
    outer, inner = _bands(len(numbers) - 1)
    for (low, high), shade in zip([*outer, *inner], (0.15, 0.22), strict=False):
        edge = [*points(numbers[1 + high].tolist(), past)]
        edge += reversed([*points(numbers[1 + low].tolist(), past)])
        shapes.append(f'<path d="M{"L".join(edge)}Z" fill="{_OURS}" fill-opacity="{shade}"/>')
    shapes.append(_line(points(history.tolist(), 0), _INK))
    shapes.append(_line(points([history[-1], *numbers[0].tolist()], past - 1), _OURS))
    return f"<title>{escape(name)}, in {_unit(unit)} a month</title>" + "".join(shapes)


def _bands(quantiles: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Which quantiles are the edges of the outer and the inner band, as far as there are any."""
    outer = [(0, quantiles - 1)] if quantiles >= 2 else []
    inner = [((quantiles - 1) // 3, quantiles - 1 - (quantiles - 1) // 3)] if quantiles >= 5 else []
    return outer, inner


def _unit(unit: str) -> str:
    return "pieces" if unit == "piece" else unit


def _line(points: Iterator[str], colour: str) -> str:
    return f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="1.8"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_SOFT}">{escape(text)}</text>'


def _drawing(width: int, height: int, shapes: str, foot: str) -> str:
    """The file; its ground is white, for whoever shows it may be dark."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{shapes}'
        f"{_text(12, height - 8, foot, 'start')}</svg>\n"
    )
