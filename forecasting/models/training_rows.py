"""Which past months a global model learns from: a sample that does not depend on the order of series."""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import Bools, Floats, Ints
from forecasting.models.features import Rows

type Hashes = NDArray[np.uint64]

# No fraction that occurs in counts falls on a rounding edge of this step, so a change of unit cannot flip it.
_STEP = 999_983.719


def sample_rows(values: Floats, born: Ints, leads: int, least_age: int, cap: int, seed: int) -> Rows:
    """About `cap` rows whose answer is known, drawn by hash and sorted by content.

    `values`, shape (series, months), are in common units. A row needs `least_age` months up to its
    origin and one order among them. The draw follows what a series holds, not where it stands, so
    neither the order of series nor an added empty one changes it.
    """
    keys = series_keys(values, born, seed)
    counts = _eligible(values, born, leads, least_age)
    total = int(counts.sum())
    limit = np.uint64(min(1.0, cap / max(total, 1)) * (2**63))
    starts = np.concatenate([[0], np.cumsum(_draw_counts(values, born, keys, leads, least_age, limit))])
    series, origin, lead = _draw(values, born, keys, leads, least_age, limit, starts)
    order = np.lexsort((lead, origin, keys[series]))
    return Rows(series[order], origin[order], lead[order])


def typical_rows(values: Floats, born: Ints, count: int) -> Ints:
    """Places of up to `count` series, drawn by hash of their shape and sorted by it, shape (chosen,).

    Neither the order of series, nor an added empty one, nor the unit changes the choice.
    """
    keys, empty = _shape_keys(values, born)
    return np.flatnonzero(~empty)[np.argsort(keys[~empty], kind="stable")][:count]


@nb.njit(cache=True)
def _mix(state: np.uint64, word: np.uint64) -> np.uint64:
    # The finalizer of splitmix64 (Steele, Lea & Flood 2014).
    state = (state ^ word) + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@nb.njit(parallel=True, cache=True)
def series_keys(values: Floats, born: Ints, seed: int) -> Hashes:
    """A hash of what each series holds, shape (series,); equal series share it."""
    count = len(values)
    keys = np.empty(count, dtype=np.uint64)
    for i in nb.prange(count):
        largest = values[i].max()
        state = _mix(np.uint64(seed), np.uint64(born[i]))
        if largest > 0:
            state = _mix(state, np.uint64(np.int64(round(np.log(largest) * _STEP))))
            state = _mix_months(state, values[i, born[i] :], largest)
        keys[i] = state
    return keys


@nb.njit(parallel=True, cache=True)
def _shape_keys(values: Floats, born: Ints) -> tuple[Hashes, Bools]:
    """A hash of each series' shape whatever its unit, and whether it never had demand, both (series,)."""
    keys = np.zeros(len(values), dtype=np.uint64)
    empty = np.ones(len(values), dtype=np.bool_)
    for i in nb.prange(len(values)):
        largest = values[i].max()
        if largest > 0:
            empty[i] = False
            keys[i] = _mix_months(np.uint64(born[i]), values[i, born[i] :], largest)
    return keys, empty


@nb.njit(cache=True)
def _mix_months(state: np.uint64, past: Floats, largest: float) -> np.uint64:
    for value in past:
        state = _mix(state, np.uint64(np.int64(round(value / largest * _STEP))))
    return state


@nb.njit(cache=True)
def _first_origin(past: Floats, first: int, least_age: int) -> int:
    month = first
    while month < len(past) and past[month] <= 0:
        month += 1
    return max(month, first + least_age - 1)


@nb.njit(parallel=True, cache=True)
def _eligible(values: Floats, born: Ints, leads: int, least_age: int) -> Ints:
    count, months = values.shape
    out = np.zeros(count, dtype=np.int64)
    for i in nb.prange(count):
        for origin in range(_first_origin(values[i], born[i], least_age), months - 1):
            out[i] += min(leads, months - 1 - origin)
    return out


@nb.njit(cache=True)
def _drawn(key: np.uint64, origin: int, lead: int, limit: np.uint64) -> bool:
    return bool((_mix(key, np.uint64(origin * 4096 + lead)) >> np.uint64(1)) < limit)


@nb.njit(parallel=True, cache=True)
def _draw_counts(
    values: Floats, born: Ints, keys: Hashes, leads: int, least_age: int, limit: np.uint64
) -> Ints:
    count, months = values.shape
    out = np.zeros(count, dtype=np.int64)
    for i in nb.prange(count):
        for origin in range(_first_origin(values[i], born[i], least_age), months - 1):
            for lead in range(1, min(leads, months - 1 - origin) + 1):
                if _drawn(keys[i], origin, lead, limit):
                    out[i] += 1
    return out


@nb.njit(parallel=True, cache=True)
def _draw(
    values: Floats, born: Ints, keys: Hashes, leads: int, least_age: int, limit: np.uint64, starts: Ints
) -> tuple[Ints, Ints, Ints]:
    count, months = values.shape
    series = np.empty(starts[-1], dtype=np.int64)
    origins = np.empty(starts[-1], dtype=np.int64)
    leads_out = np.empty(starts[-1], dtype=np.int64)
    for i in nb.prange(count):
        at = starts[i]
        for origin in range(_first_origin(values[i], born[i], least_age), months - 1):
            for lead in range(1, min(leads, months - 1 - origin) + 1):
                if _drawn(keys[i], origin, lead, limit):
                    series[at] = i
                    origins[at] = origin
                    leads_out[at] = lead
                    at += 1
    return series, origins, leads_out
