"""`/sign-in` and `/sign-out`: from a key or token to a session, and out of it."""

import asyncio
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.access.callers import Callers
from app.access.rules import PAGES
from app.access.same_site import refuse_foreign
from app.access.sessions import COOKIE, Sessions
from app.denials import Unidentified
from app.errors import AppError, DatabaseUnavailable, IssuerUnavailable
from app.ui.policy import sign_in_policy
from app.ui.static_files import asset_url

_LONGEST = 32_768
_PATHS = frozenset(page.removeprefix("GET ") for page in PAGES)

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Tonnage</title>
<link rel="icon" href="{icon}">
<script src="{theme}"></script>
<link rel="stylesheet" href="{style}">
</head>
<body class="sign-in">
<main>
<h1 class="wordmark">Tonnage</h1>
<form method="post" action="/sign-in">
<input type="hidden" name="next" value="{next}">
<label for="key">API key{or_token}</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus
 spellcheck="false"{described}>
{error}<button type="submit">Sign in</button>
</form>
<p class="hint">Whoever runs this service makes keys: <code>tonnage keys create</code></p>
</main>
</body>
</html>
"""


def serve_sign_in(app: FastAPI, callers: Callers, sessions: Sessions) -> None:
    """Add the routes."""
    with_tokens = app.state.surroundings.issuer is not None

    async def show(request: Request) -> Response:
        return _page(_local(request.query_params.get("next")), with_tokens=with_tokens)

    async def sign_in(request: Request) -> Response:
        refuse_foreign(request.scope["headers"])
        form = _form(await request.body())
        following = _local(form.get("next"))
        credentials = form.get("key", "").strip()
        try:
            caller = await run_in_threadpool(callers.look_up, credentials, asyncio.get_running_loop().time())
        except (Unidentified, DatabaseUnavailable, IssuerUnavailable) as error:
            return _page(following, error, with_tokens=with_tokens)
        request.state.caller = caller  # who it was, for the audit trail and the log
        until = None if caller.key is not None else _end_of(credentials)
        answer = RedirectResponse(following, 303, headers=sign_in_policy())
        answer.set_cookie(COOKIE, sessions.begin(caller, until), **_flags(request))
        return answer

    async def sign_out(request: Request) -> Response:
        refuse_foreign(request.scope["headers"])
        answer = RedirectResponse("/sign-in", 303, headers=sign_in_policy())
        answer.delete_cookie(COOKIE, **_flags(request))
        return answer

    app.add_route("/sign-in", show, ["GET"], include_in_schema=False)
    app.add_route("/sign-in", sign_in, ["POST"], include_in_schema=False)
    app.add_route("/sign-out", sign_out, ["POST"], include_in_schema=False)


def _page(following: str, error: AppError | None = None, *, with_tokens: bool) -> Response:
    told = "" if error is None else f'<p id="error" role="alert">{escape(_sentence(error))}</p>\n'
    text = _PAGE.format(
        icon=asset_url("icon.svg"),
        theme=asset_url("theme.js"),
        style=asset_url("page.css"),
        next=escape(following),
        or_token=" or token" if with_tokens else "",
        described="" if error is None else ' aria-describedby="error" aria-invalid="true"',
        error=told,
    )
    unidentified = isinstance(error, Unidentified)
    status = 200 if error is None else 401 if unidentified else 503
    # A browser asks for a password by itself where a 401 names a scheme; this one names none of its own.
    headers = sign_in_policy() | ({"WWW-Authenticate": "Bearer"} if unidentified else {})
    return HTMLResponse(text, status, headers=headers)


def _sentence(error: AppError) -> str:
    detail = error.detail[:1].upper() + error.detail[1:]
    return f"{detail}." if isinstance(error, Unidentified) else f"{detail}; {error.remedy}."


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form; none of one that is larger than a key or token can be."""
    if len(body) > _LONGEST:
        return {}
    return {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}


def _local(text: str | None) -> str:
    """Where to go after signing in: a view of ours with its question, and nothing that leads elsewhere.

    >>> [_local(text) for text in ("/explorer?node=total", "//evil.example/", "https://evil.example/", None)]
    ['/explorer?node=total', '/', '/', '/']
    """
    if text is None or not text.isprintable() or "\\" in text:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    return text if not (parts.scheme or parts.netloc) and parts.path in _PATHS else "/"


def _end_of(token: str) -> int:
    """When a token that was found to hold ends, in seconds of 1970."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return int(claims["exp"])


def _flags(request: Request) -> dict[str, Any]:
    # A proxy with TLS in front asks in plain HTTP; the browser says what it was asked by.
    over_tls = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
    return {"path": "/", "httponly": True, "samesite": "strict", "secure": over_tls}
