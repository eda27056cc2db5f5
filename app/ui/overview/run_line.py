"""This month's run in one line: what is shown, since when, from what, made by what, and why that."""

from dash import html
from dash.development.base_component import Component

from app.api.run_schemas import RunRecord, run_document
from app.api.sight import CURRENT, find_run
from app.ui import asking, written
from app.ui.parts import Asked, Part, sight
from app.ui.tables import facts
from forecasting.months import Month


def _show(_: Asked) -> Component:
    with sight() as connection:
        run = run_document(find_run(connection, asking.caller(), CURRENT))
    assert run.published_at is not None  # it is shown
    recipe = None if run.recipe is None else str(run.recipe["name"])
    model = html.Span([recipe, html.Code(run.model)] if recipe else run.model, className="pair")
    return html.Div(
        [
            facts(
                ("Run", html.A(html.Code(run.id), href=f"/runs?run={run.id}")),
                ("Published", written.moment(run.published_at)),
                ("History to", written.month(Month.parse(run.origin))),
                ("Forecast", written.months_from_to(Month.parse(run.first), Month.parse(run.last))),
                ("Model", model),
                ("Snapshot", html.Code(run.snapshot[:12], title=run.snapshot)),
            ),
            *_said(run),
        ]
    )


def _said(run: RunRecord) -> list[Component]:
    """The verdict, and what was said against showing the run: both are empty where they may not be told."""
    lines: list[Component] = []
    if run.because:
        lines.append(html.P([html.Strong("Verdict: "), run.because], className="verdict"))
    if run.refused:
        against = "; ".join(run.refused)
        accepted = f" Accepted all the same: {run.accepted}." if run.accepted else ""
        lines.append(html.P(f"The guard said: {against}.{accepted}", className="notice"))
    return lines


PART = Part("overview-run", "This month’s run", "GET /v1/runs/{run}", _show)
