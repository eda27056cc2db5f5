"""The parts that the command line's pages share: a page, its sections, tables, and numbers as people read
them. A page needs nothing else: no script, no font, no request."""

import math
import re
from collections.abc import Sequence
from html import escape

from tonnage.page_style import STYLE

LONGEST_NAME = 40
_SHORT = 16
_LONGEST_TITLE = 200
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def page(title: str, body: str) -> str:
    """The whole page as HTML; `title` is text, `body` is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def section(title: str, note: str, body: str) -> str:
    """A heading, what to know about the figures, and the figures; `note` and `body` are HTML."""
    return f"<section><h2>{title}</h2><p>{note}</p>{body}</section>"


def table(label: str, heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """Cells are HTML; the first `words` columns hold words, the others numbers."""
    kinds = ["" if at < words else ' class="number"' for at, _ in enumerate(heads)]
    top = "".join(
        f'<th scope="col"{kind}>{escape(head)}</th>' for kind, head in zip(kinds, heads, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return scroller(label, f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>")


def scroller(label: str, body: str) -> str:
    """What may be wider than the page, in a frame of its own that the keyboard reaches."""
    return f'<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0">{body}</div>'


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Names with their values, side by side; both are text."""
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(fact)}</dd></div>" for name, fact in pairs)
    return f"<dl>{cells}</dl>"


def folded(summary: str, body: str) -> str:
    """HTML that shows itself when its summary is chosen."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def name(text: str | None) -> str:
    """A text from the data as HTML: escaped, shortened, its direction kept to itself."""
    if text is None:
        return '<span class="none">empty</span>'
    plain = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text[: _LONGEST_TITLE + 1])
    if len(plain) <= LONGEST_NAME:
        kind = ' class="short"' if len(plain) <= _SHORT else ""
        return f"<bdi{kind}>{escape(plain)}</bdi>"
    whole = plain if len(plain) <= _LONGEST_TITLE else plain[: _LONGEST_TITLE - 1] + "…"
    return f'<bdi title="{escape(whole)}">{escape(plain[: LONGEST_NAME - 1])}…</bdi>'


def counted(count: int, noun: str) -> str:
    """So many of something, the noun in its number: 1 line, 2 lines."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(share: float, *, signed: bool = False) -> str:
    """A share as people read it, a dash where it is undefined."""
    if not math.isfinite(share):
        return "–"
    return f"{share:+.1%}" if signed else f"{share:.1%}"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent; a dash where the whole is nothing, and never zero for what is there."""
    if whole <= 0:
        return "–"
    text = f"{part / whole:.1%}"
    if part and text in {"0.0%", "-0.0%"}:
        return "<0.1%" if part > 0 else ">-0.1%"
    return text


def number(value: float, digits: int = 3) -> str:
    """A number as people read it, a dash where it is undefined."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"
