"""From a request to the run it is about, and back to a cache tag."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from app.absences import NothingPublished, UnknownRun
from app.access.caller import Caller
from app.api.cursor import Cursor
from app.api.parameters import CURRENT, RunQuery, refuse_unknown_attributes
from app.refusals import AmbiguousRun, BadCursor, TwoRunsNamed
from app.store.nodes import Place
from app.store.read import Reader, reading
from app.store.selection import PublishedRun, Selection
from forecasting.hierarchy import level_name

CACHED = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
"""Said of every answer that names its run: keep it, and ask whether it still is the answer."""


def caller_of(scope: Scope) -> Caller | None:
    """Who asks, as the gate found; None is nobody, who is told nothing."""
    caller: Caller | None = scope.get("state", {}).get("caller")
    return caller


def _caller(request: Request) -> Caller:
    caller = caller_of(request.scope)
    assert caller is not None  # else the gate has not let them in
    return caller


type Asker = Annotated[Caller, Depends(_caller)]


def _reader(request: Request, caller: Asker) -> Iterator[Reader]:
    with reading(request.app.state.engine, caller.organizations) as reader:
        yield reader


# One transaction per request, which sees what its caller may see; it ends when the answer has been sent,
# streams included.
type Reading = Annotated[Reader, Depends(_reader)]


def run_of(request: Request, reader: Reader, asked: RunQuery, cursor: Cursor | None = None) -> PublishedRun:
    """The run of the page before, or the one that is asked for.

    Refuses a filter on an attribute that it does not have.
    """
    try:
        run = _run(reader, asked, cursor)
    except NothingPublished:
        refuse_unknown_attributes(request, ())
        raise
    refuse_unknown_attributes(request, run.attributes)
    return run


def _run(reader: Reader, asked: RunQuery, cursor: Cursor | None) -> PublishedRun:
    if asked.as_of is not None and "run" in asked.model_fields_set:
        raise TwoRunsNamed(asked.as_of.isoformat())
    if cursor is not None:
        try:
            run = reader.run(cursor.run)
        except (UnknownRun, AmbiguousRun):
            raise BadCursor(cursor.encode()) from None
        if run.id != cursor.run:
            raise BadCursor(cursor.encode())
        return run
    if asked.as_of is not None:
        return reader.run_shown_at(asked.as_of)
    return reader.current_run() if asked.run == CURRENT else reader.run(asked.run)


def question_of(request: Request, selections: Sequence[Selection]) -> str:
    """A word for all that is asked but the size and form of a page: a cursor goes with one of them."""
    named = [request.query_params.get(name) for name in ("run", "as_of", "search", "by")]
    facts = [
        (level_name(each.level), sorted(each.where.items()), str(each.first), str(each.last), each.sort,
         each.probabilities)
        for each in selections
    ]  # fmt: skip
    return sha256(json.dumps([request.url.path, named, facts]).encode()).hexdigest()[:16]


def start_of(cursor: Cursor | None, question: str, selections: Sequence[Selection]) -> Place | None:
    """The place after which to read on; raises `BadCursor` if it is one of another question."""
    if cursor is None:
        return None
    selection = next((each for each in selections if level_name(each.level) == cursor.level), None)
    if (
        selection is None
        or cursor.question != question
        or len(cursor.after) != len(selection.level)
        or (cursor.total is None) != (selection.sort == "nodes")
    ):
        raise BadCursor(cursor.encode())
    return Place(selection.level, cursor.after, cursor.total)


def next_cursor(run: PublishedRun, question: str, after: Place | None) -> str | None:
    """The cursor of the page that follows, None when there is none."""
    if after is None:
        return None
    return Cursor(run.id, question, level_name(after.level), after.total, after.key).encode()


def cache_headers(request: Request, caller: Caller, run: PublishedRun, media_type: str) -> dict[str, str]:
    """Headers that let a cache keep the answer for as long as the run is current.

    A run never changes, so its id, the question and what the caller may see name the answer.
    """
    return {
        "ETag": etag(run.id, request.url.path, request.url.query, media_type, caller.organizations),
        **CACHED,
    }


def etag(
    run_id: str, path: str, query: str, media_type: str, organizations: frozenset[str] | None = None
) -> str:
    """The name of an answer to a caller who sees these organizations, or all."""
    scope = "all" if organizations is None else json.dumps(sorted(organizations))
    question = f"{run_id}\n{path}?{query}\n{media_type}\n{scope}"
    return f'"{run_id}.{sha256(question.encode()).hexdigest()[:16]}"'


def is_known(request: Request, headers: dict[str, str]) -> bool:
    """Whether the caller holds this very answer already (If-None-Match, compared as RFC 9110 says)."""
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return headers["ETag"] in tags or tags == ["*"]
