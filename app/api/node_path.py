"""A node as one segment of a URL."""

from collections.abc import Mapping
from urllib.parse import quote, unquote

from app.refusals import BadParameter
from forecasting.hierarchy import TOTAL


def node_path(where: Mapping[str, str]) -> str:
    """The values of a node's keys and attributes as a segment, before it is encoded for a URL as any is.

    >>> node_path({"organization": "NORD", "material": "HEB 200, S355"})
    'organization=NORD,material=HEB%20200%2C%20S355'
    >>> node_path({})
    'total'
    """
    return (
        ",".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in where.items()) or TOTAL
    )


def parse_node(segment: str) -> dict[str, str]:
    """The inverse of `node_path`; raises `BadParameter`.

    Only values that hold a comma, an equals sign, a slash or a percent sign need to be encoded within it.

    >>> parse_node("organization=NORD,material=HEB 200%2C S355")
    {'organization': 'NORD', 'material': 'HEB 200, S355'}
    """
    if segment == TOTAL:
        return {}
    where: dict[str, str] = {}
    for part in segment.split(","):
        name, equals, value = (unquote(piece, errors="surrogateescape") for piece in part.partition("="))
        text = name + value
        if not (name and equals and value) or name in where or "\0" in text or not _is_text(text):
            raise BadParameter(
                f"{segment!r} names no node",
                "write its keys and attributes, each once, as organization=NORD,customer=K-104, or total",
                field="node",
                value=segment,
            )
        where[name] = value
    return where


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
