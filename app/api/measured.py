"""What a monitoring system asks of the service itself: requests, how long they take, what is going on now."""

from collections.abc import Callable, Mapping
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Meters:
    """The service's own counters, one set for each application.

    `gauges` are looked at when somebody asks: their name, what they mean, and how to find them.
    """

    def __init__(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tonnage_http_requests",
            "Requests answered, by the route's template; those of no route are unmatched.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tonnage_http_request_seconds",
            "From the request to the last byte of its answer.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "tonnage_http_requests_in_flight", "Requests that are being answered.", registry=self.registry
        )
        for name, (what, value) in gauges.items():
            Gauge(f"tonnage_{name}", what, registry=self.registry).set_function(value)
        # To look up a metric by its labels takes longer than to count.
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def begin(self) -> float:
        """A request has come; the moment, for `end`."""
        self._in_flight.inc()
        return perf_counter()

    def end(self, began: float, method: str, route: str, status: int) -> None:
        """Its answer has been sent, or has been given up."""
        self._in_flight.dec()
        key = (method if method in _METHODS else "other", route, status)
        found = self._known.get(key)
        if found is None:
            found = self._requests.labels(*key), self._seconds.labels(*key[:2])
            self._known[key] = found
        found[0].inc()
        found[1].observe(perf_counter() - began)


class Measured:
    """ASGI middleware: counts every request; one that has no answer of the application's own is a 500."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at the status of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = self._meters.begin()

        async def look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, look)
        finally:
            route = _route(scope)
            self._meters.end(began, scope["method"], route, status)


def _route(scope: Scope) -> str:
    """The path as the service writes it, for questions too that the gate has refused."""
    question = scope.get("state", {}).get("question")
    return getattr(scope.get("route"), "path", None) or str(question or " unmatched").partition(" ")[2]
