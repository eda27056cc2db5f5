"""Why two runs say different things: the causes of a difference, which add up to it, in words and columns."""

from collections.abc import Callable, Mapping, Sequence

from dash import html
from dash.development.base_component import Component
from sqlalchemy import Connection

from app.api.run_diff import comparable, diff_of
from app.api.run_diff_schemas import Numbers, RunDiff
from app.api.sight import find_run
from app.refusals import NothingInCommon
from app.store.run_records import RecordedRun, as_published
from app.store.selection import PublishedRun, Selection, select_from
from app.ui import asking
from app.ui.node_links import tells_of_customers
from app.ui.tables import Cell, Column, number, numbers

NAMES: Mapping[str, str] = {
    "actuals": "New actuals",
    "history": "Changed history",
    "recipe": "Model recipe",
    "plan": "Plan",
    "code": "Code",
}
_ALWAYS = ("actuals", "history", "recipe")


def read_difference(
    connection: Connection, earlier: str, now: RecordedRun, level_of: Callable[[PublishedRun], str], most: int
) -> tuple[Selection, RunDiff]:
    """What changed since an earlier run, at a level that both have; what tells of customers is noted.

    Raises what the API would, and `NothingInCommon` for a run and itself.
    """
    before, after = as_published(find_run(connection, asking.caller(), earlier)), as_published(now)
    if before.id == after.id:
        raise NothingInCommon(after.id, "it is the same run; choose another to compare from")
    after = comparable(before, after)
    selection = select_from(after, level=level_of(after), where={})
    diff = diff_of(connection, before, selection, most)
    if tells_of_customers(selection.level):
        asking.note(f"/v1/runs/{before.id}/diff?to={after.id}&level={diff.level}")
    return selection, diff


def causes_in(diff: RunDiff) -> list[str]:
    """The causes to show: those that a month has by its nature, and others where they moved something."""
    told = diff.all.causes or {}
    moved = [each.causes or {} for each in (diff.all, *diff.nodes)]
    return [
        name
        for name in NAMES
        if name in told and (name in _ALWAYS or any(any(each.get(name, ())) for each in moved))
    ]


def columns(causes: Sequence[str]) -> list[Column]:
    """Before, after, the change, and a column for each cause."""
    return numbers("Before", "After", "Change", *(NAMES[name] for name in causes))


def cells(told: Numbers, causes: Sequence[str], digits: int) -> list[Cell]:
    """The cells of these columns, summed over all months."""
    moved = told.causes or {}
    return [
        number(sum(told.before), digits),
        number(sum(told.after), digits),
        number(sum(told.change), digits, "signed"),
        *(number(sum(moved.get(name, ())), digits, "signed") for name in causes),
    ]


def main_causes(told: Numbers, digits: int) -> Component:
    """What moved it most, in words: each cause that explains a tenth of all movement, the largest first."""
    sums = {name: sum(moved) for name, moved in (told.causes or {}).items()}
    all_movement = sum(map(abs, sums.values()))
    if not all_movement:
        return html.Span("not known", className="missing")
    named = sorted(
        (name for name, moved in sums.items() if abs(moved) >= all_movement / 10),
        key=lambda name: -abs(sums[name]),
    )
    return html.Ul(
        [html.Li([f"{NAMES.get(name, name)} ", number(sums[name], digits, "signed")]) for name in named],
        className="why",
    )
