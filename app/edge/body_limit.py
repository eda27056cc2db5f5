"""No larger body than a question can need, whatever its length was said to be."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import answer_to
from app.edge.headers import header
from app.refusals import BodyTooLarge

_SECONDS_TO_LISTEN = 5.0


class BodyLimit:
    """Answers 413 to a body of more than so many bytes: at once if it says so, else when they have come."""

    def __init__(self, app: ASGIApp, body: int) -> None:
        self._app = app
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = header(scope, b"content-length") if scope["type"] == "http" else None
        if length is None and (scope["type"] != "http" or header(scope, b"transfer-encoding") is None):
            await self._app(scope, receive, send)  # there is no body
        elif length is not None and length.isdigit() and int(length) > self._body:
            await self._refuse(scope, receive, send)
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        come = 0
        begun = False

        async def receive_counted() -> Message:
            nonlocal come
            message = await receive()
            come += len(message.get("body", b""))
            if come > self._body:
                raise HTTPException(413)  # leads out of whoever reads; what they make of it is not sent
            return message

        async def send_within(message: Message) -> None:
            nonlocal begun
            if begun or come <= self._body:
                begun = True
                await send(message)

        try:
            await self._app(scope, receive_counted, send_within)
        except HTTPException:
            if come <= self._body or begun:
                raise
        if come > self._body and not begun:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and listen for a while: a closed connection shows nothing to who still sends."""

        async def send_and_listen(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
                await send(message)
                return
            await send({**message, "more_body": True})
            try:
                async with asyncio.timeout(_SECONDS_TO_LISTEN):
                    while (heard := await receive())["type"] == "http.request" and heard.get("more_body"):
                        pass
            except TimeoutError:
                pass
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await answer_to(BodyTooLarge(self._body))(scope, receive, send_and_listen)
