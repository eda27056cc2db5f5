"""What the command line prints about a backtest."""

import math

from rich.console import Console
from rich.table import Table

from forecasting.hierarchy import level_name
from tonnage.file_backtest import FinishedBacktest
from tonnage.page_parts import number, percent

_MOST_REASONS = 5


def print_backtest(console: Console, answer: FinishedBacktest) -> None:
    """The measures of each level over all origins and leads, the series left out, and what was written."""
    report = answer.report
    origins = report.origins
    title = (
        f"Backtest from {len(origins)} origin{'s' if origins[1:] else ''}, {origins[0]} to {origins[-1]}, "
        f"{report.horizon} months ahead, in {answer.seconds:.1f} s"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("level")
    for name in ("WAPE", "bias", "MASE", "RMSSE", "WQL"):
        table.add_column(name, justify="right")
    covered = "coverage" if math.isnan(report.nominal) else f"coverage of {report.nominal:.0%}"
    for name in (covered, "added to seasonal naive", "added to last value"):
        table.add_column(name, justify="right")
    measures = report.measures()
    for at, level in enumerate(report.levels):
        found = {name: float(values[0, at, 0]) for name, values in measures.items()}
        table.add_row(
            level_name(level),
            percent(found["wape"]),
            percent(found["bias"], signed=True),
            number(found["mase"]),
            number(found["rmsse"]),
            number(found["wql"], 4),
            percent(found["coverage"]),
            _points(found["value_added_seasonal"]),
            _points(found["value_added_last"]),
        )
    console.print(table, highlight=False)
    _print_left_out(console, answer)
    for path in answer.written:
        console.print(str(path), markup=False, highlight=False, soft_wrap=True)


def _print_left_out(console: Console, answer: FinishedBacktest) -> None:
    left_out = answer.report.left_out
    for *keys, reason in left_out.head(_MOST_REASONS).rows():
        console.print(f"{' '.join(keys)}: {reason}", markup=False, highlight=False, soft_wrap=True)
    more = left_out.height - _MOST_REASONS
    if more > 0:
        where = "the JSON and the page" if answer.written else "a file named with --output"
        console.print(f"and {more:,} more series, each with its reason in {where}", highlight=False)


def _points(share: float) -> str:
    """Percentage points of WAPE, green where the model was worth having."""
    if not math.isfinite(share):
        return "–"
    return f"[{'green' if share >= 0 else 'red'}]{share * 100:+.1f}[/]"
