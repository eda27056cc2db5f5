"""Who holds the credentials that came with a request."""

from hashlib import sha256
from hmac import compare_digest
from typing import Protocol

from sqlalchemy import Engine

from app.access.caller import Caller, Role
from app.access.key import Key, read_key
from app.denials import KeyOver, UnknownKey
from app.store.api_keys import ApiKey, find_key, note_use

MEMORY_SECONDS = 5.0
"""So long a caller is known by heart: after that a key that is good no more is refused by every replica."""

_MOST = 10_000


class Issuer(Protocol):
    """Somebody else who has signed what callers hold."""

    def caller(self, token: str) -> Caller:
        """Who holds the token; raises `BadToken` for one that does not hold."""
        ...


class Callers:
    """Knows callers by API key, and by token where there is an issuer.

    What was checked is remembered for a while, under its hash. `at` is in seconds, by a clock that never
    goes back.
    """

    def __init__(self, engine: Engine, issuer: Issuer | None) -> None:
        self._engine = engine
        self._issuer = issuer
        self._checked: dict[bytes, tuple[Caller, float]] = {}

    def remembered(self, credentials: str, at: float) -> Caller | None:
        """Who holds these credentials, if they were checked lately; waits for nothing."""
        found = self._checked.get(_digest(credentials))
        return found[0] if found is not None and at < found[1] else None

    def look_up(self, credentials: str, at: float) -> Caller:
        """Who holds these credentials; raises `Unidentified`. Asks the database or the issuer."""
        key = read_key(credentials)
        if key is not None:
            caller = self._holder(key)
        elif self._issuer is not None:
            caller = self._issuer.caller(credentials)
        else:
            raise UnknownKey
        if len(self._checked) >= _MOST:
            self._checked.clear()
        self._checked[_digest(credentials)] = caller, at + MEMORY_SECONDS
        return caller

    def holder(self, key_id: str) -> Caller:
        """Who holds the key of this id, by now, having shown it before; raises `Unidentified`."""
        found = find_key(self._engine, key_id)
        if found is None:
            raise UnknownKey
        return self._of(found)

    def _holder(self, key: Key) -> Caller:
        found = find_key(self._engine, key.id)
        if found is None or not compare_digest(found.secret_hash, key.secret_hash):
            raise UnknownKey
        return self._of(found)

    def _of(self, found: ApiKey) -> Caller:
        if found.revoked_at is not None:
            raise KeyOver(found.name, f"was revoked on {found.revoked_at:%Y-%m-%d}")
        if found.expired:
            raise KeyOver(found.name, f"expired on {found.expires_at:%Y-%m-%d}")
        if found.use_unnoted:
            note_use(self._engine, found.id)
        return Caller(found.name, Role[found.role.upper()], found.organizations, found.id)


def _digest(credentials: str) -> bytes:
    return sha256(credentials.encode()).digest()
