"""Answers that are text, squeezed for whoever understands gzip."""

import asyncio
import zlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.edge.headers import Pairs, header

_KINDS = (b"application/json", b"application/problem+json", b"text/csv", b"text/html", b"text/css")
_SMALLEST = 2_048
_LEVEL = 3  # half of the size for a fifth of level 9's time
_IN_A_THREAD = 65_536


class Compressed:
    """Gzips JSON, CSV and pages of more than 2 KB; of a stream each piece goes out as soon as it comes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _understands_gzip(header(scope, b"accept-encoding")):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Squeeze(send).send)


class _Squeeze:
    """One answer: its start is held back until its first piece tells whether it is worth it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._gzip: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None and message["type"] == "http.response.body":
            start, self._start = self._start, None
            if _worth_it(start, message):
                self._gzip = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
                start["headers"] = _gzipped(start["headers"])
            await self._send(start)
        if self._gzip is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if len(body) >= _IN_A_THREAD:
            body = await asyncio.to_thread(_squeezed, self._gzip, body, more)
        else:
            body = _squeezed(self._gzip, body, more)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _squeezed(gzip: "zlib._Compress", body: bytes, more: bool) -> bytes:
    return gzip.compress(body) + gzip.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)


def _worth_it(start: Message, first: Message) -> bool:
    headers = dict(start["headers"])
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    if kind not in _KINDS or b"content-encoding" in headers or start["status"] in {204, 206, 304}:
        return False
    length = headers.get(b"content-length")
    if length is not None:
        return int(length) >= _SMALLEST
    return first.get("more_body", False) or len(first.get("body", b"")) >= _SMALLEST


def _gzipped(headers: Pairs) -> Pairs:
    """The headers of the same answer squeezed: other bytes, so its tag is a weak one."""
    kept: Pairs = []
    vary = [b"Accept-Encoding"]
    for name, value in headers:
        if name == b"vary":
            vary.insert(0, value)
        elif name == b"etag":
            kept.append((name, value if value.startswith(b"W/") else b"W/" + value))
        elif name != b"content-length":
            kept.append((name, value))
    return [*kept, (b"vary", b", ".join(vary)), (b"content-encoding", b"gzip")]


def _understands_gzip(accepted: bytes | None) -> bool:
    """Whether an Accept-Encoding header takes gzip.

    >>> [_understands_gzip(text) for text in (None, b"gzip, br", b"gzip;q=0", b"br")]
    [False, True, False, False]
    """
    if accepted is None:
        return False
    for part in accepted.lower().split(b","):
        kind, _, weight = part.partition(b";")
        if kind.strip() == b"gzip":
            return weight.replace(b" ", b"") not in {b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"}
    return False
