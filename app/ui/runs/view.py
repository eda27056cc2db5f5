"""The view `/runs`: runs and their verdicts, what differs between two, models, snapshots, jobs."""

from dash import Dash, Input, html
from dash.development.base_component import Component

from app.ui.parts import answer, place
from app.ui.runs import difference, jobs, listed, models, snapshots
from app.ui.view import View


def _layout() -> Component:
    return html.Div(
        [
            html.H1("Runs and models"),
            place(listed.PART),
            place(difference.PART),
            place(jobs.PART, *jobs.around()),
            place(models.PART),
            place(snapshots.PART),
        ],
        className="told",
    )


def _answer(dash: Dash) -> None:
    answer(dash, [listed.PART, difference.PART, models.PART, snapshots.PART])
    answer(dash, [jobs.PART], Input(jobs.AGAIN, "n_intervals"), Input(jobs.SAID, "children"))
    jobs.answer_asking(dash)


VIEW = View("/runs", "Runs and models", _layout, _answer)
