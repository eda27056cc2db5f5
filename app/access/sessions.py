"""Who has signed in at the page: a cookie that names them until a moment, and that nobody else can write.

It holds no secret of theirs. Of the holder of an API key it names the key, which is looked up again at every
question, so that a revoked key ends the session; of the holder of a token it tells what the token granted.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any

from app.access.caller import Caller, Role
from app.denials import SessionOver

COOKIE = "tonnage_session"
LASTS_SECONDS = 12 * 3600
"""A working day: then one signs in again."""


@dataclass(frozen=True)
class Session:
    """Who has signed in: the id of their API key, or the holder of a token; `until` in seconds of 1970."""

    who: str | Caller
    until: int


@dataclass(frozen=True)
class Sessions:
    """Writes and reads cookies with a secret; `now` tells the seconds since 1970.

    Processes that share the secret read each other's cookies.
    """

    secret: bytes
    now: Callable[[], float]

    def begin(self, caller: Caller, token_until: int | None = None) -> str:
        """The cookie of a caller who has shown a key, or a token that holds until a moment."""
        until = int(self.now()) + LASTS_SECONDS
        if token_until is not None:
            until = min(until, token_until)
        who = caller.key if caller.key is not None else _granted(caller)
        text = _encoded(json.dumps({"who": who, "until": until}).encode())
        return f"{text}.{self._signature(text)}"

    def read(self, cookie: str) -> Session:
        """The session of a cookie; raises `SessionOver`, whatever is wrong with it."""
        text, _, signature = cookie.partition(".")
        if not compare_digest(signature.encode(), self._signature(text).encode()):
            raise SessionOver
        facts = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if self.now() >= facts["until"]:
            raise SessionOver
        return Session(_who(facts["who"]), facts["until"])

    def _signature(self, text: str) -> str:
        return _encoded(digest(self.secret, f"{COOKIE} {text}".encode(), sha256))


def sent_cookie(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The session's cookie among a request's headers; of two the first, that of the nearer path.

    >>> sent_cookie([(b"cookie", b"a=1; tonnage_session=x.y"), (b"cookie", b"tonnage_session=z")])
    'x.y'
    """
    for name, value in headers:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, text = part.strip().partition("=")
                if key == COOKIE:
                    return text
    return None


def _granted(caller: Caller) -> dict[str, Any]:
    organizations = None if caller.organizations is None else sorted(caller.organizations)
    return {"name": caller.name, "role": caller.role.name, "organizations": organizations}


def _who(facts: str | dict[str, Any]) -> str | Caller:
    if isinstance(facts, str):
        return facts
    some = facts["organizations"]
    return Caller(facts["name"], Role[facts["role"]], None if some is None else frozenset(some))


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
