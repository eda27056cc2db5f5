"""No longer a URL and no larger headers than a question can need."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import answer_to
from app.refusals import HeadTooLarge, UrlTooLong


class HeadLimit:
    """Answers 414 to longer URLs and 431 to larger headers; the server cuts off heads that do not end."""

    def __init__(self, app: ASGIApp, url: int, head: int) -> None:
        self._app = app
        self._url = url
        self._head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > self._url:
                app = answer_to(UrlTooLong(self._url))
            elif sum(len(name) + len(value) for name, value in scope["headers"]) > self._head:
                app = answer_to(HeadTooLarge(self._head))
        await app(scope, receive, send)
