"""LightGBM by its C interface.

Its Python package imports scikit-learn, pandas and scipy.stats first, which takes longer than training does.
"""

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import Floats

type Columns = NDArray[np.float32]

# Codes of the C interface: kinds of numbers, the order of a table, what to predict.
_FLOAT32, _ROW_BY_ROW, _ANSWER, _ALL_ROUNDS = 0, 1, 0, -1
_TEXT_ROOM = 1 << 20


class LightGBMFailed(Exception):
    """LightGBM refused a table or its parameters; the message is its own."""


@dataclass(frozen=True, eq=False)
class Trained:
    """Trees as LightGBM writes them, and what they answer to the rows they learned from, shape (rows,)."""

    trees: str
    fitted: Floats


def train(x: Columns, answer: Floats, parameters: Mapping[str, str | float], rounds: int) -> Trained:
    """Boosted trees from a table (rows, columns) and answers (rows,)."""
    settings = _settings(parameters)
    with np.errstate(over="ignore"):  # LightGBM refuses what does not fit, and says so
        label = np.ascontiguousarray(answer, dtype=np.float32)
    with _handle("LGBM_DatasetFree") as data, _handle("LGBM_BoosterFree") as booster:
        _call("LGBM_DatasetCreateFromMat", *_table(x), settings, None, ctypes.byref(data))
        _call("LGBM_DatasetSetField", data, b"label", _pointer(label), ctypes.c_int(len(label)), _FLOAT32)
        _call("LGBM_BoosterCreate", data, settings, ctypes.byref(booster))
        finished = ctypes.c_int(0)
        for _ in range(rounds):
            _call("LGBM_BoosterUpdateOneIter", booster, ctypes.byref(finished))
            if finished.value:
                break
        fitted, count = np.empty(len(x)), ctypes.c_int64(0)
        _call("LGBM_BoosterGetPredict", booster, ctypes.c_int(0), ctypes.byref(count), _pointer(fitted))
        return Trained(_text(booster), fitted)


def predict(trees: str, x: Columns) -> Floats:
    """What trees answer to a table (rows, columns), shape (rows,), by one thread."""
    answer = np.empty(len(x))
    if not len(x):
        return answer
    with _handle("LGBM_BoosterFree") as booster:
        rounds, count = ctypes.c_int(0), ctypes.c_int64(0)
        _call("LGBM_BoosterLoadModelFromString", trees.encode(), ctypes.byref(rounds), ctypes.byref(booster))
        wanted = ctypes.c_int(_ANSWER), ctypes.c_int(0), ctypes.c_int(_ALL_ROUNDS), b"num_threads=1"
        _call(
            "LGBM_BoosterPredictForMat", booster, *_table(x), *wanted, ctypes.byref(count), _pointer(answer)
        )
    return answer


def _text(booster: ctypes.c_void_p) -> str:
    room = _TEXT_ROOM
    while True:
        buffer, size = ctypes.create_string_buffer(room), ctypes.c_int64(0)
        place = (ctypes.c_int(0), ctypes.c_int(_ALL_ROUNDS), ctypes.c_int(0), ctypes.c_int64(room))
        _call("LGBM_BoosterSaveModelToString", booster, *place, ctypes.byref(size), buffer)
        if size.value <= room:
            return buffer.value.decode()
        room = size.value


def _table(x: Columns) -> tuple[object, ...]:
    sizes = ctypes.c_int32(x.shape[0]), ctypes.c_int32(x.shape[1])
    return _pointer(np.ascontiguousarray(x)), ctypes.c_int(_FLOAT32), *sizes, ctypes.c_int(_ROW_BY_ROW)


def _pointer(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def _settings(parameters: Mapping[str, str | float]) -> bytes:
    return " ".join(f"{name}={value}" for name, value in parameters.items()).encode()


@contextmanager
def _handle(free: str) -> Iterator[ctypes.c_void_p]:
    handle = ctypes.c_void_p()
    try:
        yield handle
    finally:
        if handle.value is not None:
            _call(free, handle)


def _call(name: str, *arguments: object) -> None:
    library = _library()
    if getattr(library, name)(*arguments) != 0:
        raise LightGBMFailed(library.LGBM_GetLastError().decode())


@cache
def _library() -> ctypes.CDLL:
    package = find_spec("lightgbm")
    assert package is not None
    assert package.origin is not None
    (path,) = (Path(package.origin).parent / "lib").glob("lib_lightgbm.*")
    library = ctypes.CDLL(str(path))
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library
