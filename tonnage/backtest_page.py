"""A backtest as one page."""

import math
from dataclasses import dataclass
from html import escape

import polars as pl

from forecasting.arrays import Floats
from forecasting.backtest_report import BacktestReport
from forecasting.forecast import quantile_name
from forecasting.hierarchy import TOTAL, level_name
from tonnage.page_parts import facts, number, page, percent, section, table
from tonnage.svg_charts import line_chart, share_bar

WORST_PER_LEVEL = 5
MOST_LEFT_OUT = 200


@dataclass(frozen=True)
class PageTitle:
    """What the page says it is about: the history's name and the recipe's."""

    history: str
    recipe: str


def backtest_page(report: BacktestReport, title: PageTitle) -> str:
    """The whole page as HTML."""
    measures = report.measures()
    sections = [
        _heading(report, title),
        section("By level", _LEVELS_NOTE, _level_table(report, measures)),
        section("Error by lead month", _LEGEND, _lead_charts(report, measures)),
        section("Coverage by level", _coverage_note(report), _coverage(report, measures))
        if len(report.probabilities) > 1
        else "",
        section("By origin", "WAPE over all lead months from each origin.", _origin_table(report, measures)),
        section("Where the tonnes were lost", _WORST_NOTE, _worst(report)),
        section("Series left out", _left_out_note(report), _left_out(report)),
    ]
    return page(f"Backtest of {title.history}", "".join(sections))


_LEGEND = (
    'WAPE by months ahead. <span class="key"><i class="ours"></i> forecast</span> '
    '<span class="key"><i class="naive"></i> seasonal naive</span> Each level has its own scale.'
)
_LEVELS_NOTE = (
    "Over all origins and lead months. WAPE is the absolute error as a share of demand; value added is how "
    "much lower it is than a naive forecast's, in percentage points. MASE and RMSSE are errors by those of a "
    "naive forecast in history; WQL scores all quantiles. Absolute errors are those of the median, bias and "
    "RMSSE those of the mean."
)
_WORST_NOTE = (
    "Nodes with the largest absolute error over all origins and lead months, in the history's unit; beside "
    "it what the seasonal naive missed by. Bias is above zero where too much was forecast."
)


def _heading(report: BacktestReport, title: PageTitle) -> str:
    origins = [str(origin) for origin in report.origins]
    when = (
        f"{len(origins)} origins, {origins[0]} to {origins[-1]}" if origins[1:] else f"1 origin, {origins[0]}"
    )
    nodes = f"{report.nodes.height:,} on {len(report.levels)} level{'s' if report.levels[1:] else ''}"
    known = facts(
        [
            ("Recipe", title.recipe),
            ("Origins", when),
            ("Horizon", f"{report.horizon} months"),
            ("Nodes", nodes),
            ("Quantiles", _quantiles(report.probabilities)),
        ]
    )
    return (
        f"<header><p class='above'>Backtest</p><h1>{escape(title.history)}</h1>"
        f"<p>At each origin the model learned only from what was known then, and its forecast was compared "
        f"with what came.</p>{known}</header>"
    )


def _quantiles(probabilities: tuple[float, ...]) -> str:
    if not probabilities:
        return "none"
    names = [quantile_name(probability) for probability in probabilities]
    return ", ".join(names) if len(names) < 4 else f"{len(names)}, {names[0]} to {names[-1]}"


def _level_table(report: BacktestReport, measures: dict[str, Floats]) -> str:
    rows = []
    for at, level in enumerate(report.levels):
        found = {name: float(values[0, at, 0]) for name, values in measures.items()}
        seasonal = found["wape"] + found["value_added_seasonal"]
        rows.append(
            [
                _name(level_name(level)),
                f"<b>{percent(found['wape'])}</b>",
                percent(seasonal),
                _points(found["value_added_seasonal"]),
                _points(found["value_added_last"]),
                percent(found["bias"], signed=True),
                number(found["mase"]),
                number(found["rmsse"]),
                number(found["wql"], 4),
                percent(found["coverage"]),
            ]
        )
    heads = (
        "Level",
        "WAPE",
        "Seasonal naive",
        "Value added",
        "Added to last value",
        "Bias",
        "MASE",
        "RMSSE",
        "WQL",
        "Coverage",
    )
    return table("By level", heads, rows)


def _lead_charts(report: BacktestReport, measures: dict[str, Floats]) -> str:
    figures = []
    for at, level in enumerate(report.levels):
        ours = measures["wape"][0, at, 1:]
        naive = ours + measures["value_added_seasonal"][0, at, 1:]
        name = level_name(level)
        chart = line_chart(
            f"WAPE by lead month, {name}", [("naive", naive.tolist()), ("ours", ours.tolist())]
        )
        figures.append(f"<figure><figcaption>{_name(name)}</figcaption>{chart}</figure>")
    return f'<div class="charts">{"".join(figures)}</div>'


def _coverage_note(report: BacktestReport) -> str:
    low, high = (quantile_name(report.probabilities[at]) for at in (0, -1))
    return (
        f"Share of months in which demand fell between {low} and {high}, its ends included. "
        f"The line marks the {report.nominal:.0%} it should be."
    )


def _coverage(report: BacktestReport, measures: dict[str, Floats]) -> str:
    rows = []
    for at, level in enumerate(report.levels):
        share = float(measures["coverage"][0, at, 0])
        name = level_name(level)
        bar = share_bar(f"{name}: {percent(share)}", share, report.nominal)
        rows.append(f"<span>{_name(name)}</span>{bar}<span class='number'>{percent(share)}</span>")
    return f'<div class="bars">{"".join(rows)}</div>'


def _origin_table(report: BacktestReport, measures: dict[str, Floats]) -> str:
    wape = measures["wape"][1:, :, 0]
    rows = [
        [_name(level_name(level)), *(percent(float(share)) for share in wape[:, at])]
        for at, level in enumerate(report.levels)
    ]
    return table("By origin", ["Level", *map(str, report.origins)], rows)


def _worst(report: BacktestReport) -> str:
    rows = []
    keys = [key for key in report.nodes.columns if key not in _NOT_KEYS]
    for level in map(level_name, report.levels):
        nodes = report.nodes.filter(pl.col("level") == level, pl.col("error") > 0)
        whole = float(nodes["error"].sum())
        for node in (
            nodes.sort("error", descending=True, maintain_order=True).head(WORST_PER_LEVEL).to_dicts()
        ):
            name = " · ".join(node[key] for key in keys if node[key] is not None) or TOTAL
            gain = node["seasonal_error"] - node["error"]
            share = node["signed_error"] / node["actual"] if node["actual"] else math.nan
            rows.append(
                [
                    _name(level),
                    escape(name),
                    f"<b>{node['error']:,.0f}</b>",
                    f"{node['seasonal_error']:,.0f}",
                    f'<span class="{"good" if gain >= 0 else "bad"}">{gain:+,.0f}</span>',
                    f"{node['error'] / whole:.0%}",
                    percent(share, signed=True),
                ]
            )
    heads = ("Level", "Node", "Error", "Seasonal naive", "Saved", "Of the level", "Bias")
    return table("Where the tonnes were lost", heads, rows, words=2)


_NOT_KEYS = {"level", "actual", "error", "signed_error", "seasonal_error"}


def _left_out_note(report: BacktestReport) -> str:
    count = report.left_out.height
    if not count:
        return "None: every series was scored from every origin."
    shown = f" The first {MOST_LEFT_OUT} are listed." if count > MOST_LEFT_OUT else ""
    return f"{count:,} series could not be scored fully, each with the reason.{shown}"


def _left_out(report: BacktestReport) -> str:
    if report.left_out.is_empty():
        return ""
    *keys, _ = report.left_out.columns
    rows = [[escape(cell) for cell in row] for row in report.left_out.head(MOST_LEFT_OUT).rows()]
    return table("Series left out", [*keys, "reason"], rows, words=len(keys) + 1)


def _points(share: float) -> str:
    if not math.isfinite(share):
        return "–"
    return f'<span class="{"good" if share >= 0 else "bad"}">{share * 100:+.1f}</span>'


def _name(level: str) -> str:
    return escape(level.replace(",", " × "))
