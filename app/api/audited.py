"""Notes in the audit trail who asks to change something, takes forecasts out, or looks at a customer."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qs

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import answer_to
from app.errors import TrailBehind
from app.export.form import MEDIA_TYPES
from app.store.audit import Detail, Entry
from app.trail import Trail

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
# Asks with a body, and changes nothing; what the page reads and changes it notes itself: see app.ui.asking.
_ASKED = frozenset({"/v1/predict", "/_dash-update-component", "/sign-out"})
_FILES = tuple(kind.encode() for kind in MEDIA_TYPES.values())
# Who reads the trail reads of people.
_ALWAYS = frozenset({"/v1/audit"})
_DENIED = (401, 403)
_NO_SUCH_METHOD = 405


class Audited:
    """ASGI middleware: hands entries to the trail as the answer begins.

    What a resource has written in its own transaction (`noted`) is not noted twice. Where the trail has no
    room, what would have to be noted is refused: a read that nobody could hold to account does not happen.
    """

    def __init__(self, app: ASGIApp, trail: Trail) -> None:
        self._app = app
        self._trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at how its answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        refused = False

        async def look(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and _is_to_be_noted(scope, message):
                refused = not self._trail.offer(_entry(scope, message["status"]))
                if refused:
                    await answer_to(TrailBehind())(scope, receive, send)
            if not refused:
                await send(message)

        try:
            await self._app(scope, receive, look)
        except Exception:
            # The answer is made further out.
            if _changes(scope):
                self._trail.offer(_entry(scope, 500))
            raise


def noted(request: Request, status: int, /, **details: Detail) -> Entry:
    """The entry for a resource to write in its own transaction, and not to be noted again."""
    request.state.noted = True
    return _entry(request.scope, status, details)


def _entry(scope: Scope, status: int, details: Mapping[str, Detail] | None = None) -> Entry:
    """Who asks what; of strangers not the words, which are theirs to choose and would fill the trail."""
    caller = scope["state"].get("caller")
    client = scope.get("client")
    question = scope.get("query_string", b"").decode("latin-1")
    path = scope["path"] + (f"?{question}" if question else "")
    return Entry(
        caller="" if caller is None else caller.name,
        key=None if caller is None else caller.key,
        address=None if client is None else client[0],
        action=f"{scope['method']} {_route(scope)}",
        subject=None if caller is None else path,
        outcome=str(status),
        details=details or {},
    )


def _is_to_be_noted(scope: Scope, start: Message) -> bool:
    route = _route(scope)
    if route is None or start["status"] == _NO_SUCH_METHOD:
        return False
    if scope["state"].get("noted") and start["status"] < 400:  # else it has been undone
        return False
    if _changes(scope):
        return True
    if scope["method"] != "GET" or not route.startswith("/v1/"):
        return False
    status = start["status"]
    if 200 <= status < 300 and status != 204:
        return _is_a_file(start) or _names_a_customer(route, scope.get("query_string", b""))
    return status in _DENIED and (
        _asks_for_a_file(scope) or _names_a_customer(route, scope.get("query_string", b""))
    )


def _route(scope: Scope) -> str | None:
    """The path as the service writes it, also of what the gate has refused; None for no question."""
    question = scope["state"].get("question")
    found = getattr(scope.get("route"), "path", None)
    return found if question is None else str(question).partition(" ")[2]


def _changes(scope: Scope) -> bool:
    """Whether a known resource is asked to change something."""
    route = _route(scope)
    return route is not None and scope["method"] not in _READS and route not in _ASKED


def _is_a_file(start: Message) -> bool:
    return any(
        name == b"content-type" and value.startswith(_FILES) for name, value in start.get("headers", ())
    )


@lru_cache(maxsize=1_024)
def _names_a_customer(route: str, question: bytes) -> bool:
    if route in _ALWAYS or "{node}" in route:
        return True
    if b"customer" not in question:
        return False
    asked = parse_qs(question.decode("latin-1"))
    return "customer" in asked or any(
        "customer" in level.replace(" ", "").split(",") for level in asked.get("level", ())
    )


def _asks_for_a_file(scope: Scope) -> bool:
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    accepted = Headers(scope=scope).get("accept", "").encode("latin-1")
    return asked.get("format", ["json"]) != ["json"] or any(kind in accepted for kind in _FILES)
