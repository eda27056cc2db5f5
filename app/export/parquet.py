"""Forecasts as Parquet: typed columns, names by dictionary, months and origin as dates.

The columns are those of the CSV file. The run, its unit and where it comes from are in the file's metadata.
Names are as they are stored: nothing that reads Parquet runs them.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from app.export.blocks import Block, block_of, days_of
from app.export.columns import columns_of
from app.export.drain import Drain
from app.store.read import Reader
from app.store.row_text import Shape
from app.store.selected_nodes import NodeSlice
from app.store.selection import Selection
from forecasting.hierarchy import level_name

_EPOCH = dt.date(1970, 1, 1)
_TEXT = pa.dictionary(pa.int32(), pa.large_string())


def parquet_pieces(
    reader: Reader, selection: Selection, slices: Iterable[NodeSlice], shape: Shape
) -> Iterator[bytes]:
    """The file piece by piece: a row group for each slice, then the footer."""
    schema = _schema(selection, shape)
    drain = Drain()
    writer = pq.ParquetWriter(
        drain,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[field.name for field in schema if field.type != pa.float64()],
        store_schema=False,  # it would have readers make categories of names
    )
    writer.add_key_value_metadata(_metadata(selection))
    try:
        for nodes in slices:
            block = block_of(reader.numbers(selection, nodes.ids), shape)
            columns = _columns(selection, shape, nodes, block)
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=len(block.node))
            yield drain.taken()
        writer.close()
        yield drain.taken()
    finally:
        pa.default_memory_pool().release_unused()  # else it keeps what the largest file took


def _schema(selection: Selection, shape: Shape) -> pa.Schema:
    columns = columns_of(selection, shape)
    numbers = map(str, selection.months) if shape == "wide" else selection.measures
    types = dict.fromkeys(columns, _TEXT) | dict.fromkeys(numbers, pa.float64())
    types |= dict.fromkeys({"origin", "month"}.intersection(columns), pa.date32())
    return pa.schema(list(types.items()))


def _metadata(selection: Selection) -> dict[str, str]:
    run = selection.run
    return {
        "run": run.id,
        "origin": str(run.origin),
        "published_at": run.published_at.isoformat(),
        "snapshot": run.snapshot,
        "model": run.model,
        "unit": run.unit,
        "level": level_name(selection.level),
    }


def _columns(selection: Selection, shape: Shape, nodes: NodeSlice, block: Block) -> list[pa.Array]:
    """In the order of `columns_of`."""
    run = selection.run
    rows = len(block.node)
    none = np.zeros(rows, dtype=np.int32)

    def always(text: str) -> pa.Array:
        return _texts(none, [text])

    names = [_names(block, values) for values in nodes.names]
    before = [
        always(run.id),
        _dates(np.full(rows, (run.origin.first_day - _EPOCH).days)),
        always(level_name(selection.level)),
        *names,
    ]
    numbers = [_plain(pa.float64(), block.numbers[:, at], "f8") for at in range(block.numbers.shape[1])]
    if shape == "long":
        months = days_of([month.first_day for month in selection.months], _EPOCH)
        return [*before, _dates(months[block.step]), always(run.unit), *numbers]
    measure = _texts(block.step.astype(np.int32), selection.measures)
    return [*before, always(run.unit), measure, *numbers]


def _names(block: Block, values: Sequence[str | None]) -> pa.Array:
    """A level names a key of all of its nodes or of none."""
    if not values or values[0] is None:
        return pa.nulls(len(block.node), _TEXT)
    known: dict[str | None, int] = {}
    codes = np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int32)
    return _texts(codes[block.node], list(known))


def _texts(codes: NDArray[np.int32], values: Sequence[str | None]) -> pa.Array:
    # By way of Polars, for pyarrow loads pandas to look at a list.
    texts = pl.Series(values, dtype=pl.String).to_arrow(compat_level=pl.CompatLevel.oldest())
    return pa.DictionaryArray.from_arrays(_plain(pa.int32(), codes, "i4"), texts)


def _dates(days: NDArray[np.int64]) -> pa.Array:
    return _plain(pa.date32(), days, "i4")


def _plain(kind: pa.DataType, values: NDArray[np.generic], dtype: str) -> pa.Array:
    whole = np.ascontiguousarray(values, dtype=dtype)
    return pa.Array.from_buffers(kind, len(whole), [None, pa.py_buffer(whole)])
