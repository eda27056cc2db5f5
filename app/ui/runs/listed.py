"""Every run that was recorded: what became of it and why, and which two are held against each other."""

from dash import html
from dash.development.base_component import Component

from app.api.run_schemas import RunSummary
from app.api.runs import RunsQuery, get_runs
from app.ui import asking, written
from app.ui.attributes import aria, data
from app.ui.parts import Asked, Part, address, may, sight
from app.ui.runs.asked import PATH, read
from app.ui.states import empty
from app.ui.tables import Cell, Column, badge, missing, table
from forecasting.months import Month

_MOST = 12


def _show(asked: Asked) -> Component:
    query = read(asked)
    with sight() as connection:
        page = get_runs(connection, asking.caller(), RunsQuery(limit=_MOST, cursor=query.after))
    if not page.runs:
        return empty("No run has been recorded yet.", "The first appears here once a month has been run.")
    comparing = may("GET /v1/runs/{run}/diff")
    columns = [Column("Run"), Column("History to"), Column("Recorded"), Column("State"), Column("Recipe"),
               Column("Why", "long"), *([Column("Compare")] if comparing else [])]  # fmt: skip
    rows = [_row(run, asked, comparing=comparing) for run in page.runs]
    pages = _pages(asked, page.next, is_first=query.after is None)
    return html.Div([table("Runs, the newest first", columns, rows), *pages])


def _row(run: RunSummary, asked: Asked, *, comparing: bool) -> list[Cell]:
    chosen = _chosen(run, asked, "run", "to")
    before = _chosen(run, asked, "before", "from")
    return [
        html.A(html.Code(run.id), href=address(PATH, asked, run=run.id, before=None)),
        written.month(Month.parse(run.origin)),
        written.moment(run.recorded_at),
        _state(run),
        [run.recipe or missing(), *([" ", badge("new champion", "good")] if run.promoted else [])],
        _why(run),
        *([html.Span([before, " ", chosen], className="choices together")] if comparing else []),
    ]


def _state(run: RunSummary) -> Component:
    if run.current:
        return badge("shown now", "good")
    if run.published_at is not None:
        return badge("shown before")
    return badge("refused", "bad") if run.refused else badge("not shown")


def _why(run: RunSummary) -> Cell:
    """The verdict, what the guard said, and why the run is shown where that is another reason."""
    told: list[Cell] = [html.Div(run.verdict)] if run.verdict else []
    told += [html.Div(f"Guard: {reason}") for reason in run.refused]
    if run.accepted:
        told.append(html.Div(f"Accepted: {run.accepted}"))
    turned = [each for each in run.shown if each.what == "rolled back" and each.because]
    told += [html.Div(["Rolled back ", written.moment(each.at), f": {each.because}"]) for each in turned]
    return told or missing()


def _chosen(run: RunSummary, asked: Asked, name: str, word: str) -> Component:
    """A link that makes the run one of the two, and says so where it is."""
    is_it = asked.get(name) == run.id or (name == "run" and "run" not in asked and run.current)
    current = {"current": "true"} if is_it else {}
    attributes = aria(label=f"Compare {word} {run.id}", **current)
    return html.A(word, href=address(PATH, asked, **{name: run.id}), **data(changes=name), **attributes)


def _pages(asked: Asked, following: str | None, *, is_first: bool) -> list[Component]:
    links = []
    if not is_first:
        links.append(html.A("Newest", href=address(PATH, asked, after=None)))
    if following is not None:
        links.append(html.A("Older", href=address(PATH, asked, after=following)))
    return [html.P([part for link in links for part in (link, " ")])] if links else []


PART = Part("runs-listed", "Runs", "GET /v1/runs", _show)
