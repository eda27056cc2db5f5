"""The public keys by which an issuer signs, read from where it publishes them (a JSON Web Key Set)."""

import json
from collections.abc import Callable, Mapping
from threading import Lock
from urllib.request import HTTPRedirectHandler, build_opener

import structlog
from jwt import PyJWK, PyJWKSet, PyJWTError

from app.errors import IssuerUnavailable

FRESH_SECONDS = 300.0
"""So old keys may be before they are read again: after that a key that was rotated out is good no more."""

AGAIN_SECONDS = 10.0
"""So long nothing is read after a reading, whatever tokens come: strangers cannot make us ask without end."""

LAST_SECONDS = 3600.0
"""So old keys may be while the issuer does not answer."""

_TIMEOUT = 5.0
_LARGEST = 1_000_000
_KINDS = ("RSA", "EC")

_log = structlog.get_logger()


class _Stay(HTTPRedirectHandler):
    """Follows nobody elsewhere: keys come from the named place or from nowhere."""

    def redirect_request(self, *_: object) -> None:
        return None


class SigningKeys:
    """An issuer's keys by id. `seconds` tells the time by a clock that never goes back."""

    def __init__(self, url: str, seconds: Callable[[], float]) -> None:
        self._url = url
        self._seconds = seconds
        self._opener = build_opener(_Stay)
        self._reading = Lock()
        self._keys: Mapping[str, PyJWK] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None

    def find(self, key_id: str) -> PyJWK | None:
        """The key with this id, if the issuer has it; raises `IssuerUnavailable`."""
        if self._is_to_be_read(key_id):
            # Who comes while somebody reads goes by what is there, and waits only where nothing is.
            waits = _TIMEOUT if self._read_at is None else 0
            if self._reading.acquire(timeout=waits):
                try:
                    if self._is_to_be_read(key_id):
                        self._read()
                finally:
                    self._reading.release()
        if self._read_at is None or self._seconds() - self._read_at > LAST_SECONDS:
            raise IssuerUnavailable(self._url)
        return self._keys.get(key_id)

    def _is_to_be_read(self, key_id: str) -> bool:
        now = self._seconds()
        if self._tried_at is not None and now - self._tried_at < AGAIN_SECONDS:
            return False
        return self._read_at is None or now - self._read_at >= FRESH_SECONDS or key_id not in self._keys

    def _read(self) -> None:
        self._tried_at = self._seconds()
        try:
            with self._opener.open(self._url, timeout=_TIMEOUT) as answer:
                self._keys = _keys(answer.read(_LARGEST))
        except (OSError, ValueError, TypeError, AttributeError, RecursionError, PyJWTError) as error:
            _log.warning("signing keys not read", url=self._url, why=str(error))
        else:
            self._read_at = self._seconds()


def _keys(document: bytes) -> dict[str, PyJWK]:
    """Keys that sign, by id: without one it cannot be said which is meant, and a shared secret is no key."""
    return {
        key.key_id: key
        for key in PyJWKSet.from_dict(json.loads(document)).keys
        if key.key_id and key.key_type in _KINDS and key.public_key_use in (None, "sig")
    }
