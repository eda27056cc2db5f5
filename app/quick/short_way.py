"""`GET /v1/forecasts` for one node: the same answer as the long way gives, in a fraction of its time.

Whatever is unusual goes the long way, through FastAPI: pages, CSV, attributes, mistakes, callers who see
only some organizations. So there is one place that refuses, and this one only answers.
"""

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import schemas
from app.api.asking import CACHED, caller_of, etag
from app.api.problems import answer_to
from app.edge.headers import header
from app.errors import DatabaseUnavailable, TookTooLong
from app.quick.answers import Answer, Answers
from app.quick.pointer import Pointer
from app.quick.question import Question, read_question
from app.store.lines import Lines, Unanswerable
from app.store.one_node import one_node
from app.store.selection import PublishedRun

PATH = "/v1/forecasts"
JSON = "application/json"
_ACCEPTED = frozenset({None, b"*/*", b"application/json"})


class ShortWay:
    """Answers what it can, from memory or by one statement, and hands on the rest."""

    def __init__(self, app: ASGIApp, lines: Lines, cache_bytes: int) -> None:
        self._app = app
        self._lines = lines
        self._pointer = Pointer(lines)
        self._answers = Answers(cache_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        question = _question(scope)
        if question is None:
            await self._app(scope, receive, send)
            return
        try:
            answer = await self._answer(question, scope["query_string"])
        except Unanswerable:
            answer = None
        except (DatabaseUnavailable, TookTooLong) as error:
            await answer_to(error)(scope, receive, send)
            return
        if answer is None:
            await self._app(scope, receive, send)
            return
        known = header(scope, b"if-none-match")
        if known is not None and _is_known(answer.tag, known):
            await send({"type": "http.response.start", "status": 304, "headers": answer.headers[2:]})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, question: Question, query: bytes) -> Answer | None:
        run = await self._pointer.current()
        if run is None:
            return None
        answer = self._answers.find(run.id, query)
        if answer is None:
            answer = await self._ask(question, query, run)
            if answer is not None:
                self._answers.keep(run.id, query, answer)
        return answer

    async def _ask(self, question: Question, query: bytes, run: PublishedRun) -> Answer | None:
        selection = question.of(run)
        found = None if selection is None else await one_node(self._lines, selection)
        if selection is None or found is None:
            return None
        body = orjson.dumps(schemas.forecasts(selection, [found], None))
        tag = etag(run.id, PATH, query.decode("latin-1"), JSON).encode()
        # The first two describe a body, which a 304 has not.
        headers = [
            (b"content-length", str(len(body)).encode()),
            (b"content-type", JSON.encode()),
            (b"etag", tag),
            *((name.lower().encode(), value.encode()) for name, value in CACHED.items()),
        ]
        return Answer(tag, headers, body)


def _question(scope: Scope) -> Question | None:
    if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
        return None
    caller = caller_of(scope)
    if caller is None or caller.organizations is not None:
        return None
    if header(scope, b"accept") not in _ACCEPTED:
        return None
    return read_question(scope["query_string"])


def _is_known(tag: bytes, known: bytes) -> bool:
    tags = [each.strip().removeprefix(b"W/") for each in known.split(b",")]
    return tag in tags or tags == [b"*"]
