"""What answers a route of the page."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

type Answer = Callable[[Request], Awaitable[Response]]
