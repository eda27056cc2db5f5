"""A claim while it is worked on: renewed by a thread, and given up when it is lost."""

import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from app.errors import AppError, LeaseLost
from app.store.leases import Claim, Terms, renew, tell
from tonnage.progress import log

BEATS = 4
"""How often a lease is renewed before it would run out."""


class Heartbeat(AbstractContextManager["Heartbeat"]):
    """Renews the lease of a claim, on a connection of its own, for as long as the block lasts."""

    def __init__(self, engine: Engine, claim: Claim, terms: Terms) -> None:
        self._engine = engine
        self._claim = claim
        self._lease = terms.lease
        self._over = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """Renew no more: the work is done, or the transaction that ends it is about to commit."""
        self._over.set()

    @property
    def stopped(self) -> bool:
        return self._over.is_set()

    def check(self) -> None:
        """Raise `LeaseLost` if it is known to be lost; asks nobody."""
        if self._lost.is_set():
            raise LeaseLost(self._claim.worker, self._claim.attempt)

    def stage(self, stage: str, progress: float) -> None:
        """Tell what is being done, from 0 to 1; raises `LeaseLost`."""
        if self._over.is_set():
            return
        self.check()
        tell(self._engine, self._claim, stage, progress)

    def _beat(self) -> None:
        every = self._lease.total_seconds() / BEATS
        while not self._over.wait(every):
            try:
                renew(self._engine, self._claim, self._lease)
            except LeaseLost:
                # The end of the work and this beat may have passed each other.
                if not self._over.is_set():
                    self._lost.set()
                return
            except AppError as error:
                log.warning("heartbeat missed", worker=self._claim.worker, error=str(error))
