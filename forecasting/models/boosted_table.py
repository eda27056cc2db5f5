"""The table that the boosted model reads: what the past says about each row, free of the unit."""

import numba as nb
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.features import HISTORY_COLUMNS, LEAD_COLUMNS, Rows, history_of, lead_of
from forecasting.models.lightgbm_ import Columns

_LEVELS = ("scale", "size_long", "size_recent", "size_mean")
_RELATIVE = ("largest", "last_size", "level_", "mean_", "lag_")
# How a column loses its unit: not at all, by the logarithm of common units, or by the row's scale.
_AS_IT_IS, _LOGARITHM, _SCALED = 0, 1, 2
_WAYS = tuple(
    _LOGARITHM if name in _LEVELS else _SCALED if name.startswith(_RELATIVE) else _AS_IT_IS
    for name in HISTORY_COLUMNS
)
_WIDTH = len(HISTORY_COLUMNS)
_SCALE = HISTORY_COLUMNS.index("scale")
_LEAD, _SAME, _AROUND = (LEAD_COLUMNS.index(name) for name in ("lead", "same_month", "around_same_month"))


def boosted_table(
    values: Floats, born: Ints, rows: Rows, month: int, leads: int, categories: Ints
) -> tuple[Columns, Floats]:
    """Shape (rows, columns), and the scale of each row in common units, shape (rows,)."""
    width = _WIDTH + len(LEAD_COLUMNS)
    table = np.empty((len(rows), width + categories.shape[1]), dtype=np.float32)
    table[:, width:] = categories[rows.series]
    starts = np.append(rows.starts(), len(rows))
    return table, _fill(values, born, rows.series, rows.origin, rows.lead, starts, month, leads, table)


@nb.njit(parallel=True, cache=True)
def _fill(
    values: Floats,
    born: Ints,
    series: Ints,
    origin: Ints,
    lead: Ints,
    starts: Ints,
    month: int,
    leads: int,
    table: Columns,
) -> Floats:
    scales = np.empty(len(series))
    for group in nb.prange(len(starts) - 1):
        first = starts[group]
        past, birth, last = values[series[first]], born[series[first]], origin[first]
        seen = np.empty(_WIDTH)
        history_of(past, birth, last, seen)
        scale = max(seen[_SCALE], 1e-300)
        for at in range(_WIDTH):
            if _WAYS[at] == _LOGARITHM:
                seen[at] = np.log(max(seen[at], 1e-30))
            elif _WAYS[at] == _SCALED:
                seen[at] /= scale
            seen[at] = _rounded(seen[at])
        ahead = np.empty(len(LEAD_COLUMNS))
        for row in range(first, starts[group + 1]):
            lead_of(past, birth, last, lead[row], month, ahead)
            # A lead beyond those trained on is answered as the last of them.
            ahead[_LEAD] = min(lead[row], leads)
            ahead[_SAME] /= scale
            ahead[_AROUND] /= scale
            for at in range(_WIDTH):
                table[row, at] = seen[at]
            for at in range(len(LEAD_COLUMNS)):
                table[row, _WIDTH + at] = _rounded(ahead[at])
            scales[row] = scale
    return scales


@nb.njit(cache=True)
def _rounded(value: float) -> float:
    """Four digits are all that a bin needs; the rest is noise of the unit, and must not move a split."""
    if np.isnan(value):
        return value
    return float(np.rint(min(max(value, -1e9), 1e9) * 10_007.3) / 10_007.3)
