"""What a view shows where it has no numbers: nothing yet, still reading, or why not."""

from dash import html
from dash.development.base_component import Component

from app.errors import AppError


def empty(sentence: str, remedy: str | None = None) -> Component:
    """There is nothing to show, and that is fine."""
    return html.Div(
        [html.P(sentence), *([html.P(remedy, className="remedy")] if remedy else [])], className="empty"
    )


def loading(what: str = "Reading …") -> Component:
    """The answer is on its way; appears only after a moment, so that quick answers do not flicker."""
    return html.Div(html.P(what), className="loading", role="status")


def refused(error: AppError) -> Component:
    """What cannot be shown, and what to do: for errors of the question, not of the house.

    Let `DatabaseUnavailable` and its like pass: the page says so by itself, and asks again.
    """
    detail = error.detail[:1].upper() + error.detail[1:]
    return html.Div(
        [html.P(f"{detail}."), html.P(error.remedy[:1].upper() + error.remedy[1:] + ".", className="remedy")],
        className="refused",
        role="alert",
    )
