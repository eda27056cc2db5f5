"""The snapshots that runs were made from, with what each set aside and why."""

from dash import html
from dash.development.base_component import Component

from app.api.snapshots import Facts, Snapshot, SnapshotsQuery, get_snapshots
from app.ui import written
from app.ui.parts import Asked, Part, sight
from app.ui.states import empty
from app.ui.tables import Cell, Column, badge, missing, number, numbers, table
from forecasting.months import Month

_MOST = 12


def _show(_: Asked) -> Component:
    with sight() as connection:
        page = get_snapshots(connection, SnapshotsQuery(limit=_MOST))
    if not page.snapshots:
        return empty("No run was made from a snapshot yet.")
    columns = [
        Column("Snapshot"),
        Column("To"),
        Column("Taken"),
        *numbers("Lines", "Quantity", "Set aside"),
        Column("Why set aside", "long"),
        Column("Closed months changed", "long"),
        Column("Runs", "number"),
    ]
    shown = table("Snapshots, the newest first", columns, [_row(each) for each in page.snapshots])
    more = [html.P(f"The {_MOST} newest.", className="note")] if page.next is not None else []
    return html.Div([shown, *more])


def _row(told: Snapshot) -> list[Cell]:
    facts = told.facts
    if facts is None:
        return [html.Code(told.id), *(missing() for _ in range(7)), number(len(told.runs))]
    unit = "kg" if facts.unit == "kg" else "pieces"
    return [
        html.Code(told.id),
        written.month(Month.parse(facts.month)),
        written.moment(facts.taken_at),
        number(facts.kept.lines),
        html.Span([number(facts.kept.quantity), f" {unit}"], className="together"),
        number(sum(each.lines for each in facts.set_aside.values())),
        _reasons(facts),
        _changes(facts),
        number(len(told.runs)),
    ]


def _reasons(facts: Facts) -> Cell:
    if not facts.set_aside:
        return "nothing"
    ordered = sorted(facts.set_aside.items(), key=lambda each: -each[1].lines)
    told = [html.Li([f"{reason} ", number(lines.lines)]) for reason, lines in ordered]
    return html.Ul(told, className="why")


def _changes(facts: Facts) -> Cell:
    """Months by source; a month that has no name is told as it is written."""
    if not facts.changes:
        return "none"
    names = sorted({f"{each.source} {each.month}" for each in facts.changes})
    accepted = [html.Div(f"Accepted: {facts.accepted}")] if facts.accepted else []
    return [html.Div([badge(name, "warn"), " "]) for name in names] + accepted


PART = Part("runs-snapshots", "Snapshots", "GET /v1/snapshots", _show)
