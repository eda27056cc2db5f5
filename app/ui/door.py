"""The page's routes, there at once; what answers them is made beside, for it takes a second to import.

So the service is ready as soon as it was without a page, and a browser that comes first waits for the rest.
"""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from app.access.callers import Callers
from app.access.rules import PAGES
from app.access.sessions import Sessions
from app.ui.answer import Answer
from app.ui.sign_in import serve_sign_in
from app.ui.static_files import serve_assets

_PATHS = tuple(page.removeprefix("GET ") for page in sorted(PAGES))
_BUNDLES = "/_dash-component-suites/{package}/{path:path}"
_DASH = {"/_dash-layout": "GET", "/_dash-dependencies": "GET", "/_dash-update-component": "POST"}


class Page:
    """What answers the page's routes, by their paths; made once, by whoever needs it first or by `begin`."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._made: Future[Mapping[str, Answer]] | None = None
        self._lock = threading.Lock()

    def begin(self) -> Future[Mapping[str, Answer]]:
        """Have it made by a thread, unless that was begun already."""
        with self._lock:
            if self._made is None:
                self._made = Future()
                self._made.set_running_or_notify_cancel()  # who waits may leave; it is made for all
                threading.Thread(target=self._make, args=(self._made,), name="page", daemon=True).start()
            return self._made

    async def answer(self, path: str, request: Request) -> Response:
        """Answer a question of one of the routes."""
        answers = await asyncio.wrap_future(self.begin())
        return await answers[path](request)

    def _make(self, made: "Future[Mapping[str, Answer]]") -> None:
        try:
            from app.ui.page import answers_of  # noqa: PLC0415  # what takes a second

            made.set_result(answers_of(self._app))
        except BaseException as error:  # noqa: BLE001  # whoever waits for it shall know
            made.set_exception(error)


def add_page(app: FastAPI, callers: Callers, sessions: Sessions) -> Page:
    """Add the page's routes to the application; who may ask which is in `app.access.rules`."""
    page = Page(app)
    serve_sign_in(app, callers, sessions)
    serve_assets(app)
    for path, method in {**_DASH, _BUNDLES: "GET", **dict.fromkeys(_PATHS, "GET")}.items():
        app.add_route(path, _asking(page, path), [method], include_in_schema=False)
    return page


def _asking(page: Page, path: str) -> Answer:
    async def ask(request: Request) -> Response:
        return await page.answer(path, request)

    return ask
