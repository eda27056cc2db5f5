"""The ten largest changes since the run that was shown before, in tonnes, with their cause."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from app.api.run_diff_schemas import RunDiff
from app.api.sight import CURRENT, find_run
from app.store.run_changes import shown_before
from app.store.selection import PublishedRun
from app.ui import asking, written
from app.ui.causes import NAMES, cells, main_causes, read_difference
from app.ui.drawn import lean
from app.ui.node_links import level_words, node_link, node_named
from app.ui.parts import Asked, Part, sight
from app.ui.states import capital, empty
from app.ui.tables import Column, digits_for, number, table
from forecasting.hierarchy import level_name
from forecasting.months import Month

_MOST = 10


def _show(_: Asked) -> Component:
    with sight() as connection:
        now = find_run(connection, asking.caller(), CURRENT)
        earlier = shown_before(connection, now.id)
        if earlier is None:
            return empty(
                "This is the first run that is shown.", "From the second on, what changed is told here."
            )
        _selection, diff = read_difference(connection, earlier, now, _finest, _MOST)
    return _told(diff)


def _finest(run: PublishedRun) -> str:
    return level_name(run.levels[-1])


def _told(diff: RunDiff) -> Component:
    unit = written.unit_words(diff.unit)
    largest = max((abs(sum(node.change)) for node in diff.nodes), default=0.0)
    digits = digits_for(max([largest, abs(sum(diff.all.change))]))
    columns = [Column(capital(level_words(diff.level)), "long"), Column(f"Before, {unit}", "number"),
               Column("Now", "number"), Column("Change", "number"), Column("less · more", "drawn"),
               Column("Cause", "long")]  # fmt: skip
    rows = [
        [
            node_link(node_named(diff.level, node.model_dump())),
            *cells(node, (), digits),
            lean(sum(node.change), largest),
            main_causes(node, digits),
        ]
        for node in diff.nodes
    ]
    foot = ["All nodes", *cells(diff.all, (), digits), None, main_causes(diff.all, digits)]
    if not rows:
        return html.Div([_summary(diff, digits), empty("No number has changed.")])
    return html.Div([_summary(diff, digits), table("The largest changes", columns, rows, foot)])


def _summary(diff: RunDiff, digits: int) -> Component:
    """In a sentence: against which run, over which months, by how much in all, and why."""
    months = written.months_from_to(Month.parse(diff.months[0]), Month.parse(diff.months[-1]))
    since: list[Any] = [
        "Against the run of ", written.month(Month.parse(str(diff.before.origin))), ", over ",
        months, ", which both forecast: ",
        number(sum(diff.all.change), digits, "signed"), f" {written.unit_words(diff.unit)} in all, ",
        number(diff.changed_nodes), " nodes changed",
    ]  # fmt: skip
    causes = diff.all.causes
    if causes is None:
        return html.P([*since, f". {capital(diff.why_no_causes or '')}."], className="note")
    told: list[Any] = []
    for name, words in NAMES.items():
        if any(causes.get(name, ())):
            moved = number(sum(causes[name]), digits, "signed")
            told += [", " if told else "", f"{words.lower()} ", moved]
    whole = html.A("the whole difference", href=f"/runs?run={diff.after.id}&before={diff.before.id}")
    return html.P([*since, *([" (", *told, ")"] if told else []), ". See ", whole, "."], className="note")


PART = Part("overview-changes", "Largest expected changes", "GET /v1/runs/{run}/diff", _show)
