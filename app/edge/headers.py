"""Headers as ASGI has them: pairs of bytes, names in lower case."""

from collections.abc import Iterable

from starlette.types import Message, Scope

type Pairs = list[tuple[bytes, bytes]]


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of a request with this name.

    >>> header({"headers": [(b"accept", b"text/csv")]}, b"accept")
    b'text/csv'
    """
    return next((value for key, value in scope["headers"] if key == name), None)


def add_missing(message: Message, pairs: Iterable[tuple[bytes, bytes]]) -> None:
    """Give the start of an answer those headers that it has not."""
    there = {name.lower() for name, _ in message["headers"]}
    message["headers"] = [*message["headers"], *(pair for pair in pairs if pair[0] not in there)]
