"""What the command line prints of accuracy and drift: tables for people."""

from collections.abc import Sequence
from dataclasses import asdict

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.store.drift_events import DriftEvent
from tonnage.errors import UnknownEvent

_SHARES = ("wape", "bias", "value_added_seasonal", "wql", "coverage_p10_p90")


def print_accuracy(console: Console, table: pl.DataFrame) -> None:
    """The table of accuracy; a hint where there is nothing yet."""
    if table.is_empty():
        console.print("Nothing yet: a forecast is scored when the month that it speaks of has come.")
        return
    shown = Table(title="Published forecasts against what came", title_justify="left")
    heads = ("level", "lead", "months", "WAPE", "bias", "value added", "of seasonal naive", "WQL", "p10–p90")
    for head in heads:
        shown.add_column(head, justify="left" if head == "level" else "right")
    for row in table.iter_rows(named=True):
        shown.add_row(
            escape(row["level"]),
            row["lead"],
            f"{row['months']:,}",
            _share(row["wape"]),
            _share(row["bias"], sign="+"),
            _share(row["value_added_seasonal"], sign="+"),
            "" if row["mae_ratio_seasonal"] is None else f"{row['mae_ratio_seasonal']:.2f}",
            _share(row["wql"]),
            _share(row["coverage_p10_p90"]),
        )
    console.print(shown)
    console.print("Value added: the WAPE of the seasonal naive less ours. Above zero, it was worth having.")


def print_events(console: Console, events: Sequence[DriftEvent]) -> None:
    """One line for each event."""
    if not events:
        console.print("No drift: nothing has left its bounds.")
        return
    table = Table(title="Drift", title_justify="left")
    for head in ("event", "kind", "scope", "opened", "closed", "decision", "evidence / needed"):
        table.add_column(head)
    for each in events:
        table.add_row(
            each.id,
            each.kind,
            escape(each.scope),
            str(each.opened),
            "open" if each.closed is None else str(each.closed),
            each.decision,
            f"{each.statistic:.1f} / {each.threshold:.1f}",
        )
    console.print(table)


def print_event(console: Console, event: DriftEvent) -> None:
    """An event with its months, and who explains it."""
    state = "open" if event.closed is None else f"closed in {event.closed}"
    console.print(f"[bold]{event.id}[/], {event.kind}, {state}, seen after run {event.by_run}")
    evidence = event.evidence
    console.print(str(evidence["words"]), markup=False, highlight=False)
    table = Table()
    for head in ("month", "came", "expected", "standard deviations"):
        table.add_column(head, justify="right")
    columns = (evidence[name] for name in ("months", "observed", "expected", "standardised"))
    for month, came, led, error in zip(*columns, strict=True):
        table.add_row(month, f"{came:,.4g}", f"{led:,.4g}", f"{error:+.1f}")
    console.print(table)
    reached = f"The chart '{evidence['chart']}' reached {event.statistic:.1f}"
    console.print(f"{reached}, where {event.threshold:.1f} is an alarm. Decided: {event.decision}.")


def event_json(event: DriftEvent) -> dict[str, object]:
    """An event as JSON's own types."""
    closed = None if event.closed is None else str(event.closed)
    return asdict(event) | {"opened": str(event.opened), "closed": closed}


def pick_event(events: Sequence[DriftEvent], beginning: str) -> DriftEvent:
    """The event whose id begins like this; raises `UnknownEvent` where it is none or not one."""
    found = [each for each in events if each.id.startswith(beginning)]
    if len(found) != 1:
        raise UnknownEvent(beginning, [each.id for each in found or events])
    return found[0]


def _share(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.1%}"
