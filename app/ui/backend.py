"""Dash on our own application: its routes are plain and listed, its callbacks may wait for the database.

Dash's own FastAPI backend adds a route that takes every path, middleware that hides errors, sockets, and runs
callbacks in the event loop, where one that reads holds up everybody.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, override

from dash import Dash
from dash.backends._fastapi import FastAPIDashServer, reset_current_request, set_current_request
from dash.exceptions import PreventUpdate
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.refusals import BadParameter
from app.ui.answer import Answer

_SERVED = frozenset({"/_dash-layout", "/_dash-dependencies", "/_dash-update-component"})


class PageBackend(FastAPIDashServer):
    """The three questions of Dash's half in the browser, in `answers`; its other routes are left out."""

    websocket_capability = False
    answers: dict[str, Answer]

    @override
    def add_url_rule(
        self,
        rule: str,
        view_func: Callable[..., Any] | str,
        endpoint: str | None = None,
        methods: list[str] | None = None,
        include_in_schema: bool = False,
    ) -> None:
        if rule in _SERVED and callable(view_func):
            self.answers[rule] = _answering(view_func)

    @override
    def register_assets_blueprint(self, *_: Any) -> None:
        """Assets are served as everything else that is static: see `static_files`."""

    @override
    def setup_backend(self, dash_app: Dash) -> None:
        """No middleware: errors are answered as the API answers them."""

    @override
    def serve_callback(self, dash_app: Dash) -> Callable[[Request], Any]:
        async def dispatch(request: Request) -> Response:
            try:
                request.state.json_body = body = await request.json()
                context = dash_app._initialize_context(body)
                callback = dash_app._prepare_callback(context, body)
                arguments = dash_app._inputs_to_vals(context.inputs_list + context.states_list)
            except ClientDisconnect:
                return Response(status_code=400)  # who left the view while it asked reads no answer
            except (ValueError, LookupError, TypeError, AttributeError):
                raise BadParameter(
                    "this is not a question of the page", "open the page anew", field="body"
                ) from None
            run = dash_app._execute_callback(callback, arguments, context.outputs_list, context)
            try:
                data = await run_in_threadpool(run)
            except PreventUpdate:
                return Response(status_code=204)
            answer: Response = context.dash_response.set_response(data=data)
            answer.headers["content-type"] = "application/json"
            return answer

        return dispatch


@contextmanager
def on_behalf_of(request: Request) -> Iterator[None]:
    """Have the request where Dash, and `asking`, look for it."""
    token = set_current_request(request)
    try:
        yield
    finally:
        reset_current_request(token)


def _answering(view: Callable[..., Any]) -> Answer:
    """The view as the door asks for it."""
    takes_request = inspect.iscoroutinefunction(view)

    async def answer(request: Request) -> Response:
        with on_behalf_of(request):
            response: Response = await view(request) if takes_request else view()
            return response

    return answer
