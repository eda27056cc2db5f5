"""Rows of forecasts and of history in PostgreSQL's binary COPY format: exact numbers, no text in between.

The format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import datetime as dt
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import Floats, Ints

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_EPOCH = dt.date(2000, 1, 1)
_FLOAT8 = 701  # the type's number in pg_type


def history_rows(run_id: str, node_ids: Ints, quantity: Floats) -> bytes:
    """The COPY stream of (run_id, node_id, quantity), one row per node; `quantity` is (nodes, months)."""
    key = run_id.encode()
    array = _array_type(quantity.shape[1])
    rows = np.zeros(
        len(node_ids),
        dtype=[
            ("fields", ">i2"),
            ("run_id_size", ">i4"),
            ("run_id", f"S{len(key)}"),
            ("node_id_size", ">i4"),
            ("node_id", ">i8"),
            ("array_size", ">i4"),
            ("array", array),
        ],
    )
    rows["fields"] = 3
    rows["run_id_size"], rows["run_id"] = len(key), key
    rows["node_id_size"], rows["node_id"] = 8, node_ids
    rows["array_size"] = array.itemsize
    _fill(rows["array"], quantity)
    return _HEADER + rows.tobytes() + _TRAILER


def forecast_rows(
    run_id: str, node_ids: Ints, months: Sequence[dt.date], mean: Floats, quantiles: Floats
) -> bytes:
    """The COPY stream of (run_id, node_id, month, mean, quantiles), one row per node and month.

    `mean` has shape (nodes, horizon), `quantiles` (levels, nodes, horizon).
    """
    nodes, horizon = mean.shape
    key = run_id.encode()
    rows = np.zeros((nodes, horizon), dtype=_row_type(len(key), len(quantiles)))
    rows["fields"] = 5
    rows["run_id_size"], rows["run_id"] = len(key), key
    rows["node_id_size"], rows["node_id"] = 8, node_ids[:, None]
    rows["month_size"], rows["month"] = 4, [(month - _EPOCH).days for month in months]
    rows["mean_size"], rows["mean"] = 8, mean
    rows["array_size"] = rows.dtype["array"].itemsize
    _fill(rows["array"], np.moveaxis(quantiles, 0, -1))
    return _HEADER + rows.tobytes() + _TRAILER


def read_forecast_rows(stream: bytes, run_id: str, n_quantiles: int) -> tuple[Ints, Floats, Floats]:
    """What `forecast_rows` wrote of a run: node ids and means, shape (rows,), quantiles, (levels, rows)."""
    rows = _rows(stream, run_id, n_quantiles)
    return rows["node_id"].astype(np.int64), rows["mean"].astype(np.float64), _quantiles(rows, n_quantiles)


def forecast_arrays(stream: bytes, run_id: str, nodes: int, quantiles: int) -> tuple[Floats, Floats] | None:
    """Means (nodes, horizon) and quantiles (levels, nodes, horizon) of a COPY stream: what was written.

    Rows are sorted by node and month. None where nodes have other months or rows are of another form.
    """
    kind = _row_type(len(run_id.encode()), quantiles)
    size = len(stream) - len(_HEADER) - len(_TRAILER)
    if size % kind.itemsize or (nodes and size // kind.itemsize % nodes):
        return None
    rows = _rows(stream, run_id, quantiles)
    month = rows["month"].reshape(nodes, -1)
    node = rows["node_id"].reshape(nodes, -1)
    if (
        (rows["array_size"] != rows.dtype["array"].itemsize).any()
        or (month != month[:1]).any()
        or (node != node[:, :1]).any()
    ):
        return None
    mean = rows["mean"].reshape(nodes, -1).astype(np.float64)
    return mean, _quantiles(rows, quantiles).reshape(quantiles, *mean.shape)


def _rows(stream: bytes, run_id: str, n_quantiles: int) -> NDArray[np.void]:
    kind = _row_type(len(run_id.encode()), n_quantiles)
    count = (len(stream) - len(_HEADER) - len(_TRAILER)) // kind.itemsize
    return np.frombuffer(stream, kind, count, len(_HEADER))


def _quantiles(rows: NDArray[np.void], n_quantiles: int) -> Floats:
    """Shape (levels, rows)."""
    quantiles = np.empty((n_quantiles, len(rows)))
    if n_quantiles:
        quantiles[:] = rows["array"]["items"]["value"].T
    return quantiles


def _row_type(run_id_size: int, n_quantiles: int) -> np.dtype[np.void]:
    """One row; every row of a run has the same size, so the whole stream is one array."""
    return np.dtype(
        [
            ("fields", ">i2"),
            ("run_id_size", ">i4"),
            ("run_id", f"S{run_id_size}"),
            ("node_id_size", ">i4"),
            ("node_id", ">i8"),
            ("month_size", ">i4"),
            ("month", ">i4"),
            ("mean_size", ">i4"),
            ("mean", ">f8"),
            ("array_size", ">i4"),
            ("array", _array_type(n_quantiles)),
        ]
    )


def _array_type(length: int) -> np.dtype[np.void]:
    """An array of that many numbers; one without any has no dimension."""
    array: list[tuple[str, str] | tuple[str, np.dtype[np.void], tuple[int]]] = [
        ("dimensions", ">i4"),
        ("has_null", ">i4"),
        ("oid", ">i4"),
    ]
    if length:
        item = np.dtype([("size", ">i4"), ("value", ">f8")])
        array += [("length", ">i4"), ("lower_bound", ">i4"), ("items", item, (length,))]
    return np.dtype(array)


def _fill(array: NDArray[np.void], values: Floats) -> None:
    """Fill arrays of `_array_type` with values, whose last axis runs along each array."""
    length = values.shape[-1]
    array["oid"] = _FLOAT8
    if length:
        array["dimensions"] = 1
        array["length"] = length
        array["lower_bound"] = 1
        array["items"]["size"] = 8
        array["items"]["value"] = values
