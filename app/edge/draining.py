"""The end of a process, told to those who are connected."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Draining:
    """Whether the process is about to end; set once, by the server."""

    begun: bool = False


class Farewell:
    """While the process drains, every answer is the last one on its connection."""

    def __init__(self, app: ASGIApp, draining: Draining) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._draining.begun:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, send_last if scope["type"] == "http" else send)
