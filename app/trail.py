"""Entries of the audit trail that are written a moment after the answer: reads do not wait for them."""

import threading
from dataclasses import replace
from itertools import islice

import structlog
from sqlalchemy import Engine

from app.store.audit import Entry, record
from app.store.session import connected

MOST = 10_000
"""Entries that may wait; beyond, what would have to be noted is refused."""

_AT_ONCE = 1000
_GATHER_SECONDS = 0.5
_RETRY_SECONDS = 5.0
_log = structlog.get_logger("tonnage.audit")

type _Key = tuple[object, ...]


class Trail:
    """What is to be written, by a thread that begins with the first entry.

    Entries that say the same and come within half a second are one, with how many `times`. While the
    database is away they wait; `close` writes what is left and logs what it cannot write.
    """

    def __init__(self, engine: Engine, most: int = MOST) -> None:
        self._engine = engine
        self._most = most
        self._waiting: dict[_Key, tuple[Entry, int]] = {}
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def offer(self, entry: Entry) -> bool:
        """Whether the entry will be written; False means that too many wait already."""
        key = _key(entry)
        with self._changed:
            _, times = self._waiting.get(key, (entry, 0))
            if self._closing.is_set() or (not times and len(self._waiting) >= self._most):
                return False
            self._waiting[key] = (entry, times + 1)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="audit trail", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return True

    @property
    def waiting(self) -> int:
        """How many entries are still to be written."""
        return len(self._waiting)

    def settle(self, seconds: float) -> bool:
        """Wait until all that was offered is written, for so long at most; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, seconds)

    def close(self) -> None:
        """Write what waits, and take nothing more."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        for entry, times in self._waiting.values():
            _log.error("not written to the audit trail", times=times, **vars(entry))

    def _work(self) -> None:
        while self._await_entry():
            if len(self._waiting) < _AT_ONCE:
                self._closing.wait(_GATHER_SECONDS)
            last = self._closing.is_set()
            if not self._write_some():
                if last:
                    return
                self._closing.wait(_RETRY_SECONDS)

    def _await_entry(self) -> bool:
        """Whether there is something to write; False when there will be nothing more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            return bool(self._waiting)

    def _write_some(self) -> bool:
        with self._changed:
            some = dict(islice(self._waiting.items(), _AT_ONCE))
        try:
            with connected(self._engine) as connection:
                record(connection, *(_counted(entry, times) for entry, times in some.values()))
        except Exception as error:  # noqa: BLE001  # whatever it was, the entries are kept and tried again
            _log.warning("the audit trail waits", entries=len(self._waiting), why=str(error))
            return False
        with self._changed:
            for key, (entry, written) in some.items():
                times = self._waiting[key][1] - written
                if times:
                    self._waiting[key] = (entry, times)
                else:
                    del self._waiting[key]
            self._changed.notify_all()
        return True


def _counted(entry: Entry, times: int) -> Entry:
    return entry if times == 1 else replace(entry, details={**entry.details, "times": times})


def _key(entry: Entry) -> _Key:
    details = tuple(sorted(entry.details.items()))
    who = (entry.caller, entry.key, entry.address)
    return (*who, entry.action, entry.subject, entry.outcome, details)
