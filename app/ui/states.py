"""What a view shows where it has no numbers: nothing yet, still reading, or why not."""

from dash import html
from dash.development.base_component import Component

from app.absences import NothingPublished
from app.errors import AppError


def empty(sentence: str, remedy: str | None = None) -> Component:
    """There is nothing to show, and that is fine."""
    return html.Div(
        [html.P(sentence), *([html.P(remedy, className="remedy")] if remedy else [])], className="empty"
    )


def loading() -> Component:
    """The answer is on its way; appears only after a moment, so that quick answers do not flicker."""
    return html.Div(html.P("Reading …"), className="loading", role="status")


def refused(error: AppError) -> Component:
    """What cannot be shown, and what to do: for errors of the question, not of the house.

    Let `DatabaseUnavailable` and its like pass: the page says so by itself, and asks again.
    """
    detail, remedy = f"{capital(error.detail)}.", f"{capital(error.remedy)}."
    if isinstance(error, NothingPublished):
        return empty(detail, remedy)
    return html.Div(
        [html.P(detail), html.P(remedy, className="remedy")],
        className="refused",
        role="alert",
    )


def capital(text: str) -> str:
    """The text as a sentence begins; its other letters stay, for names are among them."""
    return text[:1].upper() + text[1:]
