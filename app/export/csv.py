"""Forecasts as CSV text: the same bytes over REST and from the command line.

UTF-8, one line feed per line, quotes as in RFC 4180; with commas, decimal points and no byte order mark where
nothing else is asked for. A key that the node sums over is empty. Attributes that the level names have
columns after the keys. Numbers are written in full, so that they read back as the very doubles that are
stored. PostgreSQL writes the rows.
"""

from collections.abc import Iterable, Iterator, Sequence

from app.export.columns import columns_of
from app.export.form import Form
from app.store.cells import text_cell
from app.store.read import Reader
from app.store.selection import Selection

_BOM = b"\xef\xbb\xbf"


def csv_pieces(
    reader: Reader, selection: Selection, slices: Iterable[Sequence[int]], form: Form
) -> Iterator[bytes]:
    """The file piece by piece, its header first."""
    layout = form.layout
    names = (text_cell(name, layout.separator) for name in columns_of(selection, layout.shape))
    header = layout.separator.join(names) + "\n"
    yield (_BOM if form.bom else b"") + header.encode()
    for ids in slices:
        yield reader.csv_rows(selection, ids, layout)
