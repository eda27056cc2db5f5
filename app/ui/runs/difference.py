"""Why a run says something else than an earlier one, by month and by node; the causes add up."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from app.api.run_diff_schemas import Numbers, RunDiff
from app.api.sight import find_run
from app.store.run_changes import shown_before
from app.store.selection import PublishedRun, Selection
from app.ui import asking, causes, written
from app.ui.node_links import level_words, node_link, node_named
from app.ui.parts import Asked, Part, address, sight
from app.ui.runs.asked import PATH, read
from app.ui.states import capital, empty
from app.ui.tables import Column, choices, digits_for, number, table
from forecasting.hierarchy import level_name
from forecasting.months import Month

_MOST = 15
_FIRST_LOOK = ("organization",)


def _show(asked: Asked) -> Component:
    query = read(asked)
    with sight() as connection:
        now = find_run(connection, asking.caller(), query.run)
        earlier = query.before or shown_before(connection, now.id)
        if earlier is None:
            return empty(f"No run was shown before {now.id}.", "Choose another to compare from, above.")
        selection, diff = causes.read_difference(
            connection, earlier, now, lambda run: query.level or _first_look(run), _MOST
        )
    return html.Div([_heading(diff), _by_month(diff), _levels(asked, selection), _by_node(diff)])


def _first_look(run: PublishedRun) -> str:
    """The level where none is asked for: organizations, or the finest."""
    return level_name(_FIRST_LOOK if _FIRST_LOOK in run.levels else run.levels[-1])


def _heading(diff: RunDiff) -> Component:
    why = "" if diff.why_no_causes is None else f" {capital(diff.why_no_causes)}."
    return html.P(
        [
            "From ", html.Code(diff.before.id), " to ", html.Code(diff.after.id), ", over the ",
            number(len(diff.months)), f" months that both forecast, in {written.unit_words(diff.unit)}.{why}",
        ],
        className="note",
    )  # fmt: skip


def _by_month(diff: RunDiff) -> Component:
    shown = causes.causes_in(diff)
    digits = digits_for(max(map(abs, (*diff.all.before, *diff.all.after, 0.0))))
    rows = [
        [written.month(Month.parse(month)), *causes.cells(_month_of(diff.all, place), shown, digits)]
        for place, month in enumerate(diff.months)
    ]
    foot = ["Together", *causes.cells(diff.all, shown, digits)]
    return table("The difference by month", [Column("Month"), *causes.columns(shown)], rows, foot)


def _month_of(told: Numbers, place: int) -> Numbers:
    """The same of one month."""
    at = slice(place, place + 1)
    moved = None if told.causes is None else {name: each[at] for name, each in told.causes.items()}
    return Numbers(before=told.before[at], after=told.after[at], change=told.change[at], causes=moved)


def _levels(asked: Asked, selection: Selection) -> Component:
    options = [
        (level_words(name), address(PATH, asked, level=name), level == selection.level)
        for level in selection.run.levels
        for name in [level_name(level)]
    ]
    return choices("By node of", "level", options)


def _by_node(diff: RunDiff) -> Component:
    if not diff.nodes:
        return empty("No number of this level has changed.")
    shown = causes.causes_in(diff)
    largest = max(abs(sum(each)) for node in diff.nodes for each in (node.before, node.after))
    digits = digits_for(largest)
    rows: list[list[Any]] = [
        [node_link(node_named(diff.level, node.model_dump())), *causes.cells(node, shown, digits)]
        for node in diff.nodes
    ]
    foot = ["All nodes", *causes.cells(diff.all, shown, digits)]
    head = Column(capital(level_words(diff.level)), "long")
    parts = [table("The difference by node", [head, *causes.columns(shown)], rows, foot)]
    if diff.changed_nodes > len(diff.nodes):
        note: list[Any] = [
            "The ",
            number(len(diff.nodes)),
            " that changed most of ",
            number(diff.changed_nodes),
            ".",
        ]
        parts.append(html.P(note, className="note"))
    return html.Div(parts)


PART = Part("runs-difference", "What changed, and why", "GET /v1/runs/{run}/diff", _show)
