"""What a browser that opens a view is told where a program would be told a problem.

These documents need no script and no style of ours: they stand where the page itself cannot be given.
"""

from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from app.access.rules import PAGES
from app.denials import Unidentified
from app.errors import AppError, DatabaseUnavailable

_ONCE_MORE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0">
<title>Tonnage</title>
</head>
</html>
"""
_AWAY = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="2">
<title>Tonnage</title>
</head>
<body>
<main>
<h1>Tonnage</h1>
<p role="status">The database does not answer; trying again.</p>
</main>
</body>
</html>
"""
_HEADERS = {"Referrer-Policy": "same-origin"}


def to_browser(scope: Scope, error: AppError | HTTPException) -> Response | None:
    """The document for a browser that opens a view, or where to go; None for every other question.

    Strangers are sent to sign in. Who follows a link from elsewhere has their cookie withheld by the browser
    (SameSite=Strict), so they are first made to ask once more from here. While the database is away the
    document asks again by itself, until it gets the view.
    """
    headers = Headers(scope=scope)
    if scope["state"].get("question") not in PAGES or scope["method"] != "GET" or "authorization" in headers:
        return None
    if isinstance(error, DatabaseUnavailable):
        return HTMLResponse(_AWAY, 503, headers=_HEADERS | {"Retry-After": "2"})
    if not isinstance(error, Unidentified):
        return None
    if headers.get("sec-fetch-site") == "cross-site":
        return HTMLResponse(_ONCE_MORE, headers=_HEADERS)
    query = scope["query_string"].decode("latin-1")
    asked = quote(scope["path"] + (f"?{query}" if query else ""), safe="")
    return RedirectResponse(f"/sign-in?next={asked}", 302)
