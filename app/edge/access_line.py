"""One line in the log for each request."""

import time
from contextlib import suppress

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger("tonnage.access")


class AccessLine:
    """Says who asked what, what came of it, how many bytes and how long until the last of them.

    Of the query no value is written, and no header at all: either may hold a secret. The path is written as
    it came, percent-encoded, so that nobody can begin a line of their own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        size = 0

        async def send_counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        whole = False
        try:
            await self._app(scope, receive, send_counted)
            whole = True
        finally:
            caller = scope.get("state", {}).get("caller")
            client = scope.get("client")
            _say(
                "request",
                method=scope["method"],
                path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
                asked=_names(scope["query_string"]),
                status=status,
                bytes=size,
                ms=round(1000 * (time.perf_counter() - began), 2),
                caller=None if caller is None else caller.name,
                client=None if client is None else client[0],
                **({} if whole else {"broken": True}),
            )


def _say(event: str, **facts: object) -> None:
    """A log that takes nothing, on a full disk or a stream that was closed, takes no answer with it."""
    with suppress(OSError, ValueError):
        _log.info(event, **facts)


def _names(query: bytes) -> str:
    """The names of the parameters.

    >>> _names(b"level=customer&token=secret")
    'level,token'
    """
    return ",".join(part.partition("=")[0] for part in query.decode("latin-1").split("&") if part)
