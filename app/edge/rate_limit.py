"""So many requests per second from one caller, and a handful more after a pause."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import answer_to
from app.errors import TooManyRequests

_CALLERS = 10_000
NEVER_COUNTED = frozenset({"/health/live", "/health/ready"})


class Buckets:
    """A bucket of tokens for each caller, filled evenly; the callers who were quiet longest are forgotten."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take a token; the seconds until there is one, 0 where there was.

        >>> buckets = Buckets(2.0, 1, clock=lambda: 0.0)
        >>> [buckets.take(caller) for caller in ("a", "a", "b")]
        [0.0, 0.5, 0.0]
        """
        now = self._clock()
        tokens, then = self._left.pop(caller, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        taken = tokens >= 1
        self._left[caller] = (tokens - 1 if taken else tokens, now)
        if len(self._left) > _CALLERS:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - tokens) / self._rate


class RateLimit:
    """Answers 429 to a caller whose bucket is empty.

    A caller is who the gate found, or an address where there is none. The buckets are this process's: behind
    a balancer the sum is what its processes allow.
    """

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"] not in NEVER_COUNTED:
            seconds = self._buckets.take(_who(scope))
            if seconds > 0:
                app = answer_to(TooManyRequests(math.ceil(seconds)))
        await app(scope, receive, send)


def _who(scope: Scope) -> str:
    caller = scope.get("state", {}).get("caller")
    if caller is not None:
        return f"caller {caller.name}"
    client = scope.get("client")
    return f"address {client[0]}" if client else "nobody"
