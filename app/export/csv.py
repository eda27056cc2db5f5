"""Forecasts as CSV text: the same bytes over REST and from the command line.

UTF-8, one line feed per line, quotes as in RFC 4180; with commas, decimal points and no byte order mark where
nothing else is asked for. A key that the node sums over is empty. Attributes that the level names have
columns after the keys. Numbers are written in full, so that they read back as the very doubles that are
stored. PostgreSQL writes the rows; what is written here, it would have written alike.
"""

from collections.abc import Iterable, Iterator, Sequence

from app.export.columns import columns_of
from app.export.form import Form
from app.store.formulas import as_text
from app.store.read import Reader
from app.store.selected_nodes import StoredNode
from app.store.selection import Selection

_BOM = b"\xef\xbb\xbf"
_MOST_DIGITS = 15  # before the point; PostgreSQL writes more as a power of ten


def csv_pieces(
    reader: Reader, selection: Selection, slices: Iterable[Sequence[StoredNode]], form: Form
) -> Iterator[bytes]:
    """The file piece by piece, its header first."""
    layout = form.layout
    names = (text_cell(name, layout.separator) for name in columns_of(selection, layout.shape))
    header = layout.separator.join(names) + "\n"
    yield (_BOM if form.bom else b"") + header.encode()
    for nodes in slices:
        yield reader.csv_rows(selection, nodes, layout)


def text_cell(text: str | None, separator: str = ",") -> str:
    """A text cell, quoted where it must be.

    A spreadsheet would run a cell that begins like a formula; an apostrophe before it makes it text.

    >>> [text_cell(text) for text in ("HEB 200", "a,b", "=1+1", "", None)]
    ['HEB 200', '"a,b"', "'=1+1", '""', '']
    """
    if text is None:
        return ""
    text = as_text(text)
    if text and {separator, '"', "\r", "\n"}.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def number_cell(number: float) -> str:
    """The shortest text that reads back as the same double, as PostgreSQL spells it.

    >>> [number_cell(number) for number in (2.0, 0.1, 1e-7, 1e15, 1234567890123456.0, 1e16)]
    ['2', '0.1', '1e-07', '1e+15', '1.234567890123456e+15', '1e+16']
    """
    text = repr(number).removesuffix(".0")
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, rest = digits.partition(".")
    if "e" in text or len(whole) <= _MOST_DIGITS:
        return text
    first, others = whole[0], (whole[1:] + rest).rstrip("0")
    return f"{sign}{first}{'.' if others else ''}{others}e+{len(whole) - 1}"
