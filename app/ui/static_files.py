"""Scripts and styles of the page, squeezed once, kept by browsers. They hold no data: strangers get them."""

import gzip
import mimetypes
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.api.asking import is_known

ASSETS = Path(__file__).with_name("assets")
_A_YEAR = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"
# Fonts and pictures are squeezed already.
_SQUEEZED = frozenset({".js", ".css", ".svg"})


def serve_assets(app: FastAPI) -> None:
    """Add the route of the files of `assets`."""

    async def asset(request: Request) -> Response:
        path = ASSETS / request.path_params["path"]
        if path not in _assets():
            raise HTTPException(404)
        return await file_answer(request, path, for_good="m" in request.query_params)

    app.add_route("/assets/{path:path}", asset, ["GET"], include_in_schema=False)


def asset_url(name: str) -> str:
    """Where browsers find a file of `assets`, under a name that changes with it."""
    return f"/assets/{name}?m={_Content.of(ASSETS / name).tag}"


class _Content:
    """A file as it is sent: plain and squeezed, and a word for what is in it."""

    def __init__(self, path: Path) -> None:
        self.plain = path.read_bytes()
        self.squeezed = gzip.compress(self.plain, 6, mtime=0) if path.suffix in _SQUEEZED else None
        self.tag = sha256(self.plain).hexdigest()[:16]

    @staticmethod
    @lru_cache(maxsize=256)
    def of(path: Path) -> "_Content":
        return _Content(path)


@lru_cache(maxsize=1)
def _assets() -> frozenset[Path]:
    return frozenset(path for path in ASSETS.rglob("*") if path.is_file())


async def file_answer(request: Request, path: Path, *, for_good: bool) -> Response:
    """A file; `for_good` where its address changes with it."""
    content = await run_in_threadpool(_Content.of, path)
    kept = _A_YEAR if for_good else _ASK_AGAIN
    headers = {"Cache-Control": kept, "ETag": f'"{content.tag}"', "Vary": "Accept-Encoding"}
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    body = content.plain
    if content.squeezed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = content.squeezed
    media_type = mimetypes.types_map.get(path.suffix, "application/octet-stream")
    return Response(body, headers=headers, media_type=media_type)
