"""The protocol of one connection, with bounds for callers who are slow, silent or many."""

import asyncio
from typing import Any, override

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

SECONDS_TO_ASK = 20.0
"""From the connection, or the first byte of a later request, until head and body are here."""
SECONDS_TO_READ = 30.0
"""For which a caller may leave what we have sent unread."""
LARGEST_HEAD = 65_536
"""Bytes of a head that does not end; one that does is answered by app.edge.head_limit."""
FILES_OF_OUR_OWN = 200
"""Files that stay for everything but callers: the database, the log, the listener."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connection(HttpToolsProtocol):
    """Notes since when it has been waiting for its caller; `cut_off_the_slow` looks."""

    most = 1 << 30
    """Connections at a time; further ones are closed at once."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.asking_since: float | None = self.loop.time()
        self.unread_since: float | None = None
        self._head: int | None = 0
        if len(self.connections) > self.most:
            transport.abort()

    @override
    def data_received(self, data: bytes) -> None:
        if self.asking_since is None and not self.pipeline:
            self.asking_since = self.loop.time()
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head is None:
            self._head = 0

    @override
    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.asking_since = None

    @override
    def pause_writing(self) -> None:
        self.unread_since = self.loop.time()
        super().pause_writing()

    @override
    def resume_writing(self) -> None:
        self.unread_since = None
        super().resume_writing()


def cut_off_the_slow(state: ServerState, now: float) -> int:
    """Close the connections whose callers have let us wait for too long; how many.

    `now` is by the event loop's clock. An idle connection between two requests is uvicorn's to close.
    """
    slow = [each for each in state.connections if isinstance(each, Connection) and _is_slow(each, now)]
    for each in slow:
        each.transport.abort()  # closing would wait for the caller to read the rest
    return len(slow)


def _is_slow(each: Connection, now: float) -> bool:
    asking, unread = each.asking_since, each.unread_since
    return (asking is not None and now - asking > SECONDS_TO_ASK) or (
        unread is not None and now - unread > SECONDS_TO_READ
    )


def protocol_for(files: int) -> type[Any]:
    """The protocol of a server that may have so many files open."""
    return type("Connection", (Connection,), {"most": max(files - FILES_OF_OUR_OWN, 64)})
