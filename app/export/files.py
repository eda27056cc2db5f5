"""Forecasts as a file of any kind, piece by piece: over REST, from the command line, from the pages.

    file = forecast_file(reader, selection, form_of("parquet"))
    answer(file.pieces, file.media_type, file.name)

The reader must live until the last piece is taken.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO

from app.export.csv import csv_pieces
from app.export.excel import refuse_too_many, workbook
from app.export.form import Form, Kind
from app.store.nodes import Place
from app.store.read import Reader
from app.store.selected_nodes import NodeSlice
from app.store.selection import Selection
from forecasting.hierarchy import TOTAL

# An attribute may be called anything; a header and a file system may not hold everything.
_NOT_FOR_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]")

# How much is in memory at a time, in numbers of a slice; a Parquet row group is a slice.
_NUMBERS_AT_ONCE: dict[Kind, int] = {"csv": 50_000, "parquet": 250_000, "xlsx": 100_000}
_PIECE = 1 << 20


@dataclass(frozen=True)
class ForecastFile:
    """A file that is made as its pieces are taken."""

    name: str
    media_type: str
    pieces: Iterator[bytes]


def forecast_file(
    reader: Reader,
    selection: Selection,
    form: Form,
    *,
    after: Place | None = None,
    page: NodeSlice | None = None,
) -> ForecastFile:
    """The forecasts of a selection, of what follows a place in it, or of a page of its nodes, as a file.

    What is wrong with the question is said at once: `UnknownNode`, `ForeignLevel` and, of Excel,
    `NotForExcel`. What goes wrong later is raised from `pieces`, and the file
    is not whole. An Excel file is made before the first piece can be had.
    """
    shape = form.layout.shape
    numbers = len(selection.months) * (1 + len(selection.run.probabilities))
    size = max(1, _NUMBERS_AT_ONCE[form.kind] // numbers)
    paged = [page] if page is not None and page.ids else []  # a slice has nodes
    if form.kind == "csv":
        ids = reader.id_slices(selection, size, after) if page is None else [each.ids for each in paged]
        pieces = csv_pieces(reader, selection, ids, form)
    else:
        slices = reader.node_slices(selection, size, after) if page is None else paged
        if form.kind == "parquet":
            # Its library takes 40 MB, which a service that is not asked for Parquet does without.
            from app.export.parquet import parquet_pieces  # noqa: PLC0415

            pieces = parquet_pieces(reader, selection, slices, shape)
        else:
            if page is None:
                refuse_too_many(reader, selection, shape)
            pieces = _pieces_of(workbook(reader, selection, slices, shape))
    level = _NOT_FOR_FILE_NAMES.sub("_", "-".join(selection.level or (TOTAL,)))
    return ForecastFile(f"forecasts-{selection.run.id}-{level}.{form.kind}", form.media_type, pieces)


def _pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    with closing(file):
        while piece := file.read(_PIECE):
            yield piece
