"""What a browser may do on the page: a Content-Security-Policy as strict as Dash allows."""

from collections.abc import Sequence

_ONLY_US = (
    "default-src 'none'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)


def page_policy(script_hashes: Sequence[str]) -> dict[str, str]:
    """Headers of the page: scripts of ours by address, or inline with one of these hashes; nothing else runs.

    Inline styles are allowed, for the grid and Mantine write theirs into the page.
    """
    return _headers(
        f"script-src 'self' {' '.join(script_hashes)}".strip(), "style-src 'self' 'unsafe-inline'"
    )


def sign_in_policy() -> dict[str, str]:
    """Headers of the sign-in page, which needs no inline anything."""
    return _headers("script-src 'self'", "style-src 'self'")


def _headers(*more: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": "; ".join((*_ONLY_US, *more)),
        # Of our own pages a form must say where it comes from: see app.access.same_site.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
