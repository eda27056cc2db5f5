"""From a request to the run it is about, and back to a cache tag."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from app.absences import NothingPublished, UnknownRun
from app.access.caller import Caller, Role
from app.api.cursor import Cursor
from app.api.parameters import refuse_unknown_attributes
from app.refusals import BadCursor
from app.store.read import NodeKey, Reader, reading
from app.store.selection import PublishedRun, Selection
from forecasting.hierarchy import level_name

_LOOPBACK = Caller("loopback", Role.ADMIN, None)

CACHED = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
"""Said of every answer that names its run: keep it, and ask whether it still is the answer."""


def caller_of(scope: Scope) -> Caller | None:
    """Who asks, as the gate found; None is nobody, who is told nothing."""
    # Until there is a gate: whoever reaches the loopback address.
    caller: Caller | None = scope.get("state", {}).get("caller", _LOOPBACK)
    return caller


def _caller(request: Request) -> Caller:
    caller = caller_of(request.scope)
    assert caller is not None
    return caller


type Asker = Annotated[Caller, Depends(_caller)]


def _reader(request: Request, caller: Asker) -> Iterator[Reader]:
    with reading(request.app.state.engine, caller.organizations) as reader:
        yield reader


# One transaction per request, which sees what its caller may see; it ends when the answer has been sent,
# streams included.
type Reading = Annotated[Reader, Depends(_reader)]


def run_of(request: Request, reader: Reader, cursor: Cursor | None) -> PublishedRun:
    """The run of the page before, or the current one; refuses a filter on an attribute it does not have."""
    try:
        run = _run(reader, cursor)
    except NothingPublished:
        refuse_unknown_attributes(request, ())
        raise
    refuse_unknown_attributes(request, run.attributes)
    return run


def _run(reader: Reader, cursor: Cursor | None) -> PublishedRun:
    if cursor is None:
        return reader.current_run()
    try:
        return reader.run(cursor.run)
    except UnknownRun:
        raise BadCursor(cursor.encode()) from None


def start_of(selection: Selection, cursor: Cursor | None) -> NodeKey | None:
    """The key after which to read on; raises `BadCursor` if it is one of another level."""
    if cursor is None:
        return None
    if cursor.level != level_name(selection.level) or len(cursor.after) != len(selection.level):
        raise BadCursor(cursor.encode())
    return cursor.after


def next_cursor(selection: Selection, after: NodeKey | None) -> str | None:
    """The cursor of the page that follows, None when there is none."""
    if after is None:
        return None
    return Cursor(selection.run.id, level_name(selection.level), after).encode()


def cache_headers(request: Request, run: PublishedRun, media_type: str) -> dict[str, str]:
    """Headers that let a cache keep the answer for as long as the run is current.

    A run never changes, so its id and the question name the answer.
    """
    return {"ETag": etag(run.id, request.url.path, request.url.query, media_type), **CACHED}


def etag(run_id: str, path: str, query: str, media_type: str) -> str:
    """The name of an answer."""
    question = f"{run_id}\n{path}?{query}\n{media_type}"
    return f'"{run_id}.{sha256(question.encode()).hexdigest()[:16]}"'


def is_known(request: Request, headers: dict[str, str]) -> bool:
    """Whether the caller holds this very answer already (If-None-Match, compared as RFC 9110 says)."""
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return headers["ETag"] in tags or tags == ["*"]
