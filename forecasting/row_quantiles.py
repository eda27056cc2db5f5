"""Quantiles of each row of a table with gaps, in one compiled pass."""

import numba as nb
import numpy as np

from forecasting.arrays import Floats


@nb.njit(parallel=True, cache=True)
def row_quantiles(values: Floats, probabilities: Floats) -> Floats:
    """Shape (rows, probabilities), from (rows, columns) without its NaN; NaN where a row has no value.

    Between two values it interpolates in a straight line: type 7 of Hyndman & Fan (1996), as numpy does.
    """
    out = np.full((len(values), len(probabilities)), np.nan)
    for row in nb.prange(len(values)):
        seen = values[row][~np.isnan(values[row])]
        seen.sort()
        for k in range(len(probabilities) if len(seen) else 0):
            place = probabilities[k] * (len(seen) - 1)
            low = min(int(place), max(len(seen) - 2, 0))
            high = min(low + 1, len(seen) - 1)
            part = place - low
            step = seen[high] - seen[low]
            # From the nearer end, so that no rounding puts an answer beyond it.
            out[row, k] = seen[low] + step * part if part < 0.5 else seen[high] - step * (1.0 - part)
    return out
