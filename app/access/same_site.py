"""Whether our own page asks: browsers may send its cookie with what other pages make them ask too."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from app.denials import FromElsewhere


def refuse_foreign(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise `FromElsewhere` unless the browser says that a page of this very host asks.

    `Sec-Fetch-Site` is sent over TLS and on the machine itself, `Origin` everywhere.
    """
    sent = {name: value.decode("latin-1") for name, value in headers}
    site, origin = sent.get(b"sec-fetch-site"), sent.get(b"origin")
    if site is not None and site != "same-origin":
        raise FromElsewhere
    if origin is None and site is None:
        raise FromElsewhere
    if origin is not None and urlsplit(origin).netloc != sent.get(b"host"):
        raise FromElsewhere
