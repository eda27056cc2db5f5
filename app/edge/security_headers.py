"""Headers that keep a browser from doing with an answer what nobody meant."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.edge.headers import add_missing

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # What is not said to be cacheable is not.
    (b"cache-control", b"no-store"),
)
OVER_TLS = (*ALWAYS, (b"strict-transport-security", b"max-age=31536000; includeSubDomains"))


class SecurityHeaders:
    """Gives every answer the headers that its resource did not set; HSTS only where TLS ends before us."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = OVER_TLS if scope.get("scheme") == "https" else ALWAYS

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_missing(message, headers)
            await send(message)

        await self._app(scope, receive, send_safe)
