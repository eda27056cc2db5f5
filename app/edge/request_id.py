"""One name for each request: in its answer, in every problem and in every line of the log."""

import re
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.edge.headers import header

_SANE = re.compile(rb"[A-Za-z0-9._:-]{8,64}")


class RequestId:
    """Keeps the caller's `X-Request-ID` where it is short and plain, and makes one otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = header(scope, b"x-request-id")
        name = given if given is not None and _SANE.fullmatch(given) else uuid.uuid4().hex.encode()
        text = name.decode()
        scope.setdefault("state", {})["request_id"] = text
        # Each request has a task of its own, so this ends with it.
        structlog.contextvars.bind_contextvars(request_id=text)

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", name)]
            await send(message)

        await self._app(scope, receive, send_named)
