"""The whole of the edge in the order in which a request meets it."""

from starlette.types import ASGIApp

from app.edge.access_line import AccessLine
from app.edge.body_limit import BodyLimit
from app.edge.compress import Compressed
from app.edge.draining import Draining, Farewell
from app.edge.head_limit import HeadLimit
from app.edge.limits import Limits
from app.edge.request_id import RequestId
from app.edge.security_headers import SecurityHeaders
from app.edge.traces import traced


def surround(app: ASGIApp, limits: Limits, draining: Draining) -> ASGIApp:
    """The application with its edge around it: read from the bottom, as a request comes in."""
    app = Compressed(app)
    app = BodyLimit(app, limits.body)
    app = HeadLimit(app, limits.url, limits.head)
    app = Farewell(app, draining)
    app = SecurityHeaders(app)
    app = AccessLine(app)
    app = traced(app)
    return RequestId(app)
