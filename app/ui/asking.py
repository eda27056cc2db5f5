"""Who asks a callback, and a reader with their rights: what the API's resources have, for views."""

from contextlib import AbstractContextManager
from dataclasses import replace

from dash.backends._fastapi import get_current_request
from starlette.requests import Request

from app.access.caller import Caller
from app.api.asking import caller_of
from app.api.audited import noted
from app.edge.limits import Limits
from app.errors import TrailBehind
from app.store.read import Reader, reading


def request() -> Request:
    """The request that the callback answers."""
    found: Request = get_current_request()
    return found


def view_asked() -> str | None:
    """The path of the view that a layout is asked for (`shell.js` says it), None where nobody asks."""
    try:
        return request().query_params.get("view")
    except RuntimeError:  # Dash looks at the layout once by itself
        return None


def largest_body() -> int:
    """Bytes of a body that the edge lets in; where nobody asks, unless it is told otherwise."""
    try:
        limits: Limits = request().app.state.limits
    except RuntimeError:  # as above
        limits = Limits()
    return limits.body


def caller() -> Caller:
    """Who asks."""
    found = caller_of(request().scope)
    assert found is not None  # else the gate has not let them in
    return found


def reader() -> AbstractContextManager[Reader]:
    """Reads with the caller's rights, in one transaction."""
    return reading(request().app.state.engine, caller().organizations)


def note(question: str) -> None:
    """Put into the audit trail what the caller has read, as the API asks it: `/v1/series/customer=K-1`.

    For what the API would note: files, and whatever tells of one customer. Raises `TrailBehind`.
    """
    asked = request()
    entry = replace(noted(asked, 200), action="page", subject=question)
    if not asked.app.state.trail.offer(entry):
        raise TrailBehind
