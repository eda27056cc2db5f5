"""How long a source may take to answer the door: connections are tried again, a half-read result never is."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ingestion.errors import SourceUnreachable


@dataclass(frozen=True, slots=True)
class Patience:
    """The pauses in seconds between attempts to connect, each after an attempt that found nobody."""

    pauses: tuple[float, ...] = (0.5, 2.0, 5.0)
    sleep: Callable[[float], None] = time.sleep


PATIENT = Patience()


def connected[Connection](connect: Callable[[], Connection], patience: Patience) -> Connection:
    """What `connect` gives, trying again while it raises `SourceUnreachable`; a refusal is final."""
    for pause in patience.pauses:
        try:
            return connect()
        except SourceUnreachable:
            patience.sleep(pause)
    return connect()
