"""The one door: nobody comes past it unknown, or with a question that no rule allows them."""

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.caller import Caller
from app.access.callers import Callers
from app.access.rules import ASKED_BY_THE_PAGE, OPEN, check
from app.access.same_site import refuse_foreign
from app.access.sessions import Sessions, sent_cookie
from app.api.problems import answer_to
from app.api.to_browsers import to_browser
from app.denials import NoCredentials
from app.errors import AppError

_LONGEST = 16_384
_LOOKING = frozenset({"GET", "HEAD"})


class Questions:
    """Tells which question a request asks, as the router will: the first route that matches has it.

    A question is a method and a path as the service writes it, as in GET /v1/runs/{id}; a mount's path ends
    in /*, and HEAD is the question of GET.
    """

    def __init__(self, app: FastAPI) -> None:
        self._routes: list[tuple[re.Pattern[str], frozenset[str] | None, str]] = []
        for route in iter_route_contexts(app.routes):
            mounted = route.methods is None
            methods = None if route.methods is None else frozenset(route.methods)
            self._routes.append(
                (route.path_regex, methods, f"{route.path}/*" if mounted else str(route.path))
            )
        self._plain: dict[tuple[str, str], str] = {}
        for _, methods, path in self._routes:
            for method in methods or ():
                if "{" not in path:
                    self._plain[method, path] = self._walk(method, path)

    def asked(self, method: str, path: str) -> str:
        """The question; raises `HTTPException`, 404 or 405, where there is none."""
        return self._plain.get((method, path)) or self._walk(method, path)

    def _walk(self, method: str, path: str) -> str:
        allowed: set[str] = set()
        for pattern, methods, template in self._routes:
            if pattern.match(path):
                if methods is None or method in methods:
                    return f"{'GET' if method == 'HEAD' else method} {template}"
                allowed |= methods
        if allowed:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
        raise HTTPException(404)


class Gate:
    """ASGI: finds out who is asking and whether they may, before anything else of a request is read.

    It passes on only what it has recognised: a path that the router would read in another way is refused.
    """

    def __init__(self, app: ASGIApp, callers: Callers, sessions: Sessions | None = None) -> None:
        self._app = app
        self._callers = callers
        self._sessions = sessions
        self._questions: Questions | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or pass the request on with its caller in the state."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            await self._check(scope)
        except (AppError, HTTPException) as error:
            await (to_browser(scope, error) or answer_to(error))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        if self._questions is None:
            self._questions = Questions(scope["app"])
        method, path = scope["method"], scope["path"]
        state = scope.setdefault("state", {})
        # For whoever notes refusals: which question it was, where it was one.
        with suppress(HTTPException):
            state["question"] = self._questions.asked(method, path)
        if state.get("question") in OPEN:
            return
        caller = await self._caller(scope)
        state["caller"] = caller
        check(caller, self._questions.asked(method, path))

    async def _caller(self, scope: Scope) -> Caller:
        if self._sessions is not None and not _shows_credentials(scope):
            cookie = sent_cookie(scope["headers"])
            if cookie is not None:
                return await self._signed_in(scope, cookie, self._sessions)
        credentials = _credentials(scope["headers"])
        at = asyncio.get_running_loop().time()
        known = self._callers.remembered(credentials, at)
        if known is not None:
            return known
        return await run_in_threadpool(self._callers.look_up, credentials, at)

    async def _signed_in(self, scope: Scope, cookie: str, sessions: Sessions) -> Caller:
        """Who has signed in at the page, for what it asks; a key is looked up anew each time."""
        session = sessions.read(cookie)
        if scope["method"] not in _LOOKING:
            if scope["state"].get("question") not in ASKED_BY_THE_PAGE:
                raise NoCredentials
            refuse_foreign(scope["headers"])
        if isinstance(session.who, Caller):
            return session.who
        return await run_in_threadpool(self._callers.holder, session.who)


def _shows_credentials(scope: Scope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])


def _credentials(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """What follows Bearer in the one header that may say it."""
    sent = [value for name, value in headers if name == b"authorization"]
    if len(sent) != 1:
        raise NoCredentials
    scheme, _, credentials = sent[0].decode("latin-1").partition(" ")
    credentials = credentials.strip()
    if scheme.lower() != "bearer" or not 0 < len(credentials) <= _LONGEST:
        raise NoCredentials
    return credentials
