"""What the shown run stands on: the lines of its snapshot, those that were set aside, and why."""

from dash import html
from dash.development.base_component import Component

from app.absences import UnknownSnapshot
from app.api.sight import CURRENT, find_run
from app.api.snapshots import Facts, snapshot
from app.store.snapshots import read_snapshot
from app.ui import asking, written
from app.ui.drawn import bar
from app.ui.parts import Asked, Part, sight
from app.ui.states import empty
from app.ui.tables import Cell, Column, badge, number, share, table
from forecasting.months import Month


def _show(_: Asked) -> Component:
    with sight() as connection:
        run = find_run(connection, asking.caller(), CURRENT)
        kept = read_snapshot(connection, run.snapshot)
    if kept is None:
        raise UnknownSnapshot(run.snapshot)
    facts = snapshot(kept).facts
    if facts is None:
        return empty("Of this snapshot nothing was kept.", "Runs of version 0.3 and later keep it.")
    return html.Div([_line(facts), _lines_table(facts), *_changes(facts)])


def _line(facts: Facts) -> Component:
    sources = ", ".join(source.name for source in facts.sources)
    month, taken = written.month(Month.parse(facts.month)), written.moment(facts.taken_at)
    return html.P(["To ", month, ", taken ", taken, f", from {sources}."], className="note")


def _lines_table(facts: Facts) -> Component:
    """Lines in, lines that count, and lines set aside by reason, with what they weigh."""
    aside = sum(each.lines for each in facts.set_aside.values())
    later = sum(source.later for source in facts.sources)
    read = facts.kept.lines + aside + later
    largest = max((each.lines for each in facts.set_aside.values()), default=0)
    unit = "kg" if facts.unit == "kg" else "Pieces"
    columns = [Column("Order lines"), Column("Lines", "number"), Column("Share", "number"),
               Column(unit, "number"), Column("", "drawn")]  # fmt: skip

    def of_all(lines: int) -> Component:
        return share(lines / read if read else None)

    rows: list[list[Cell]] = [
        ["Count", number(facts.kept.lines), of_all(facts.kept.lines), number(facts.kept.quantity), None]
    ]
    if later:
        rows.append(["Dated later", number(later), of_all(later), number(None), None])
    for reason, lines in sorted(facts.set_aside.items(), key=lambda each: -each[1].lines):
        rows.append(
            [
                ["Set aside: ", reason], number(lines.lines), of_all(lines.lines), number(lines.quantity),
                bar(lines.lines, largest),
            ]
        )  # fmt: skip
    return table(
        "Order lines of the snapshot", columns, rows, ["Read", number(read), of_all(read), None, None]
    )


def _changes(facts: Facts) -> list[Component]:
    if not facts.changes:
        return []
    count = len(facts.changes)
    text = f"{count} closed {'month has' if count == 1 else 'months have'} changed since the snapshot before"
    accepted = f", accepted: {facts.accepted}" if facts.accepted else ""
    return [html.P([badge("changed", "warn"), f" {text}{accepted}."], className="note")]


PART = Part("overview-quality", "Data of the snapshot", "GET /v1/snapshots/{snapshot}", _show)
