"""What the command line prints about a month: tables for people."""

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from forecasting.arrays import Floats
from forecasting.forecast import Forecast, quantile_name
from forecasting.hierarchy import Hierarchy, Level, level_name
from forecasting.months import Month
from forecasting.panel import DemandPanel
from ingestion.snapshot import Snapshot
from retrain.pipeline import RetrainedMonth
from retrain.verdict import Verdict

YEAR = 12
_BARS = "▁▂▃▄▅▆▇█"
_MOST_ROWS = 12


def print_snapshot(console: Console, snapshot: Snapshot) -> None:
    """What was kept from each source, and what was set aside by reason."""
    title = f"Snapshot {snapshot.id[:12]}, order lines up to {snapshot.month}"
    table = Table(title=title, title_justify="left")
    table.add_column("source")
    table.add_column("lines read", justify="right")
    table.add_column("kept", justify="right")
    table.add_column(f"{snapshot.manifest.unit} kept", justify="right")
    table.add_column("set aside, by reason")
    for source in snapshot.manifest.sources:
        reasons = "\n".join(f"{each.lines:,} {reason}" for reason, each in source.set_aside.items())
        table.add_row(
            escape(source.name),
            f"{source.rows_in:,}",
            f"{source.kept.lines:,}",
            f"{source.kept.quantity:,}",
            reasons,
        )
    console.print(table)


def print_month(console: Console, month: RetrainedMonth, level: Level) -> None:
    """The run, then the year ahead against the year behind, for the total and the nodes of one level."""
    run, forecast = month.run, month.run.forecast
    outcome = "published" if month.published else "was published before, nothing changed"
    console.print(
        f"Run [bold]{run.id}[/] {outcome}: "
        f"model {run.model}, snapshot {run.snapshot[:12]}, "
        f"{forecast.hierarchy.n_nodes:,} nodes x {forecast.horizon} months",
        highlight=False,
        soft_wrap=True,
    )
    table = Table(title=f"Forecast from {forecast.first}, in {run.unit}", title_justify="left")
    table.add_column(level_name(level), no_wrap=True)
    table.add_column(f"last {YEAR} months", justify="right")
    table.add_column(f"next {forecast.horizon} months", justify="right")
    table.add_column("change", justify="right")
    table.add_column(str(forecast.first), justify="right")
    if forecast.probabilities:
        low, high = forecast.probabilities[0], forecast.probabilities[-1]
        table.add_column(f"{quantile_name(low)} to {quantile_name(high)}", justify="right", no_wrap=True)
    table.add_column("two years and the forecast", no_wrap=True)
    for node, name in _chosen(forecast.hierarchy, level):
        table.add_row(escape(name), *_cells(forecast, month.panel, node))
    console.print(table)


def print_verdict(console: Console, verdict: Verdict) -> None:
    """The verdict's sentence."""
    console.print(f"Verdict: {verdict.because}.", markup=False, highlight=False, soft_wrap=True)


def print_how_to_ask(console: Console, port: int, first: Month, key: str) -> None:
    """Where the page is; a key, or the command that makes one; questions about the forecast from `first`."""
    home = f"http://127.0.0.1:{port}"
    url = f"{home}/v1/forecasts"
    bearer = '-H "Authorization: Bearer $TONNAGE_KEY"'
    console.print(f"[bold]Look at it:[/] {home}, and sign in with the key below", highlight=False)
    console.print("Ask for it:", style="bold")
    for line in (
        f"export TONNAGE_KEY={key}",
        f"curl {bearer} '{url}?level=customer&customer=K-104&from={first}&quantiles=0.1,0.5,0.9'",
        f"curl {bearer} '{url}?level=organization,material&organization=NORD&format=csv'",
        "uv run tonnage export --level organization,customer --output forecast.csv",
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True)


def _chosen(hierarchy: Hierarchy, level: Level) -> list[tuple[int, str]]:
    """The total, if there is one, and the first nodes of the level: position and name."""
    rows = [(0, level_name(()))] if hierarchy.levels[0] == () and level else []
    part = hierarchy.slices[hierarchy.levels.index(level)]
    names = hierarchy.nodes[part.start : part.stop].select(level).rows() if level else [("total",)]
    return rows + [(part.start + at, " ".join(name)) for at, name in enumerate(names[:_MOST_ROWS])]


def _cells(forecast: Forecast, panel: DemandPanel, node: int) -> list[str]:
    history = panel.hierarchy.summing[[node]] @ panel.quantity
    behind, ahead = history[0, -YEAR:], forecast.mean[node]
    comparable = len(behind) == len(ahead) and behind.sum() > 0
    change = f"{ahead.sum() / behind.sum() - 1:+.1%}" if comparable else ""
    cells = [f"{behind.sum():,.0f}", f"{ahead.sum():,.0f}", change, f"{ahead[0]:,.0f}"]
    if forecast.probabilities:
        cells.append(f"{forecast.quantiles[0, node, 0]:,.0f} to {forecast.quantiles[-1, node, 0]:,.0f}")
    return [*cells, _line(history[0, -2 * YEAR :], ahead)]


def _line(behind: Floats, ahead: Floats) -> str:
    """History and, after a bar, the forecast, as a line of block characters."""
    top = max(float(np.max(behind)), float(np.max(ahead))) or 1.0
    behind, ahead = (np.clip(values / top, 0, 1) * (len(_BARS) - 1) for values in (behind, ahead))
    return f"{_blocks(behind)}[dim]|[/][green]{_blocks(ahead)}[/]"


def _blocks(heights: Floats) -> str:
    return "".join(_BARS[round(float(height))] for height in heights)
