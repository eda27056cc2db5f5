"""What two of our processes say to each other: JSON and bytes, lengths in front. No object crosses."""

import json
import socket
from collections.abc import Mapping
from struct import Struct
from time import monotonic
from typing import Any

_LENGTHS = Struct("!QQ")
_CHUNK = 1 << 20


def send(line: socket.socket, words: Mapping[str, object], content: bytes, deadline: float | None) -> None:
    """Say something until a moment of `monotonic`; raises `TimeoutError`, or `OSError` if nobody is there."""
    text = json.dumps(words).encode()
    _set_timeout(line, deadline)
    # The timeout of sendall is for all of it.
    line.sendall(_LENGTHS.pack(len(text), len(content)) + text + content)


def receive(line: socket.socket, deadline: float | None) -> tuple[dict[str, Any], bytes]:
    """Hear what is said; raises `TimeoutError`, or `EOFError` if nobody is there."""
    words, content = _LENGTHS.unpack(_read(line, _LENGTHS.size, deadline))
    return json.loads(_read(line, words, deadline)), _read(line, content, deadline)


def _read(line: socket.socket, size: int, deadline: float | None) -> bytes:
    read = bytearray()
    while len(read) < size:
        _set_timeout(line, deadline)
        some = line.recv(min(_CHUNK, size - len(read)))
        if not some:
            raise EOFError
        read += some
    return bytes(read)


def _set_timeout(line: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        line.settimeout(None)
        return
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    line.settimeout(left)
