"""What names and numbers come to as a hash: equal to the last bit, or not."""

import hashlib
import json

import numpy as np
import polars as pl

from forecasting.arrays import Floats, Ints
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, level_name
from forecasting.panel import DemandPanel


def forecast_checksum(forecast: Forecast) -> str:
    """SHA-256, in hexadecimal, over which nodes and months are forecast, the means and the quantiles."""
    digest = _Digest("forecast", forecast.hierarchy, str(forecast.first), *map(repr, forecast.probabilities))
    digest.numbers(forecast.mean)
    # One slice after the other: a million nodes would not fit side by side.
    for quantile in forecast.quantiles:
        digest.numbers(quantile)
    return digest.hexadecimal


def panel_checksum(panel: DemandPanel) -> str:
    """SHA-256, in hexadecimal, over which leaves and months there are, their births and their demand."""
    digest = _Digest("panel", panel.hierarchy, str(panel.first))
    digest.numbers(panel.born)
    digest.numbers(panel.quantity)
    return digest.hexadecimal


class _Digest:
    """A hash that is fed piece by piece, each told with its size, so that no two contents run together."""

    def __init__(self, kind: str, hierarchy: Hierarchy, *facts: str) -> None:
        self._hash = hashlib.sha256()
        levels = [level_name(level) for level in hierarchy.levels]
        self._hash.update(json.dumps([kind, hierarchy.keys, levels, facts]).encode())
        # Leaves are in canonical order, and with the levels they say which nodes there are.
        for key in hierarchy.keys:
            names = hierarchy.leaves[key]
            self.numbers(names.str.len_bytes().cast(pl.Int64).to_numpy())
            self._hash.update("".join(names).encode())

    def numbers(self, values: Floats | Ints) -> None:
        """Take in an array: its shape, then its values as little-endian numbers of eight bytes."""
        kind = "<f8" if values.dtype.kind == "f" else "<i8"
        self._hash.update(f"{kind}{values.shape}".encode())
        self._hash.update(np.ascontiguousarray(values, dtype=kind))

    @property
    def hexadecimal(self) -> str:
        return self._hash.hexdigest()
