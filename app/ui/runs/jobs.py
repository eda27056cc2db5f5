"""What the workers are asked to do, how far they are, and asking them for a month."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from app.access.rules import check
from app.api.audited import noted
from app.api.jobs import ask_for
from app.api.jobs_schemas import Retrain
from app.api.problems import answer_to
from app.errors import Denied, Refused, TrailBehind
from app.store.audit import Entry
from app.store.jobs import Job, jobs
from app.store.moment import moment
from app.ui import asking, written
from app.ui.attributes import aria
from app.ui.parts import Asked, Part, checked, may
from app.ui.runs.asked import PATH
from app.ui.states import empty, refused
from app.ui.tables import Cell, Column, badge, missing, number, table
from forecasting.months import Month

AGAIN = "runs-again"
SAID = "runs-said"
_ASK, _BUTTON, _MONTH, _REASON, _ONCE = "runs-ask", "runs-retrain", "runs-month", "runs-reason", "runs-once"
_EVERY_MS = 5_000
_MOST = 12
_MONTHS = 12
_REASON_LABEL = "Why limits and guards may be passed, if they may"
_LAST = "last"
_RETRAIN = "POST /v1/jobs"
_KINDS: Mapping[str, Any] = {"done": "good", "running": "good", "failed": "bad", "refused": "bad"}


def around() -> list[Component]:
    """What stands before the list: the question, what came of it, and what makes the list be read again."""
    return [
        html.Div(id=_ASK),
        html.Div(id=SAID, role="status"),
        dcc.Interval(id=AGAIN, interval=_EVERY_MS),
    ]


def _show(_: Asked) -> Component:
    found = jobs(asking.request().app.state.engine, _MOST)
    if not found:
        return empty("Nothing has been asked for.", "The schedule runs months by itself.")
    columns = [Column("Job"), Column("Asked"), Column("By"), Column("Status"), Column("Progress"),
               Column("What came of it", "long")]  # fmt: skip
    return table("Jobs, the last first", columns, [_row(job) for job in found])


def _row(job: Job) -> list[Cell]:
    return [
        f"{job.kind} {job.arguments.get('month', '')}".strip(),
        written.moment(job.asked_at),
        job.asked_by,
        [badge(job.status, _KINDS.get(job.status, "plain")), *_cancelled(job)],
        _progress(job),
        _result(job),
    ]


def _cancelled(job: Job) -> list[Cell]:
    asked = job.cancel_requested and job.status == "running"
    return [" ", badge("stops at its next stage", "warn")] if asked else []


def _progress(job: Job) -> Component:
    filled = html.I(style={"width": f"{100 * job.progress:.0f}%"})
    stage = f" {job.stage}" if job.stage else ""
    bar = html.Span(filled, className="progress", **aria(hidden="true"))
    return html.Span([bar, number(job.progress, 0, "percent"), stage], className="together")


def _result(job: Job) -> Cell:
    if job.detail:
        return job.detail
    result = job.result or {}
    if "run" in result:
        return html.A(html.Code(str(result["run"])), href=f"{PATH}?run={result['run']}")
    return html.Code(str(result["snapshot"])) if "snapshot" in result else missing()


def answer_asking(dash: Dash) -> None:
    """Give the callbacks of the question to the page."""

    @dash.callback(Output(_ASK, "children"), Input(_ASK, "id"))
    def offer(_: str) -> Component | None:
        return _form() if may(_RETRAIN) else None

    @dash.callback(
        Output(SAID, "children"),
        Output(_ONCE, "data"),
        Input(_BUTTON, "n_clicks"),
        State(_MONTH, "value"),
        State(_REASON, "value"),
        State(_ONCE, "data"),
        prevent_initial_call=True,
        running=[(Output(_BUTTON, "disabled"), True, False)],
    )
    def ask(clicks: int | None, month: str | None, reason: str | None, once: str) -> tuple[Component, str]:
        if not clicks:
            raise PreventUpdate
        return _asked({"month": None if month == _LAST else month, "accept": reason}, once), _new_once()


def _form() -> Component:
    last = Month.of(moment(asking.request().app.state.engine).date()) - 1
    months = [{"value": _LAST, "label": "the last complete month"}]
    months += [{"value": str(last - back), "label": str(last - back)} for back in range(_MONTHS)]
    return html.Div(
        [
            dmc.Select(
                id=_MONTH, label="Last month of history", data=months, value=_LAST, allowDeselect=False
            ),
            dmc.TextInput(id=_REASON, className="wide", inputProps={"maxLength": 500}, label=_REASON_LABEL),
            html.Button("Retrain now", id=_BUTTON, className="primary", n_clicks=0),
            dcc.Store(id=_ONCE, data=_new_once()),
        ],
        className="ask",
    )


def _asked(given: Mapping[str, str | None], once: str) -> Component:
    """Ask as the API does; what is refused is noted too, as there.

    The page asks again where no answer came: under the name `once` that is the same job.
    """
    request = asking.request()
    try:
        check(asking.caller(), _RETRAIN)
        told = {"kind": "retrain"} | {name: text for name, text in given.items() if text}
        wish = checked(Retrain, told, "correct the month or the reason")

        def entry(job: Job) -> Entry:
            return _entry(202, job=str(job.id), kind=job.kind, **wish.arguments)

        job = ask_for(request.app.state.engine, asking.caller(), wish, f"page-{once}", entry)
    except (Refused, Denied) as error:
        if not request.app.state.trail.offer(_entry(answer_to(error).status_code)):
            raise TrailBehind from None
        return refused(error)
    month = job.arguments.get("month", "the last complete month")
    return html.P(f"Asked for: {month}. A worker begins as soon as no month is due.", className="quiet-line")


def _entry(status: int, **details: Any) -> Entry:
    """As the trail would have it, had the API been asked."""
    entry = noted(asking.request(), status, **details)
    return replace(entry, action=_RETRAIN, subject=_RETRAIN.partition(" ")[2])


def _new_once() -> str:
    return uuid.uuid4().hex


PART = Part("runs-jobs", "Jobs", "GET /v1/jobs", _show)
