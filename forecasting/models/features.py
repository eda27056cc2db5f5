"""What a series' past says about its next months: the columns that the global models learn from."""

from dataclasses import dataclass

import numba as nb
import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.naive import SEASON

SMOOTHING = (0.05, 0.1, 0.2, 0.4)
WINDOWS = (3, 6, 12, 24)
ORDER_SMOOTHING = (0.03, 0.12, 0.35)
SIZE_SMOOTHING = (0.03, 0.3)

HISTORY_COLUMNS = (
    *("scale", "age", "orders", "run", "share"),
    *("size_long", "size_recent", "size_mean", "size_cv2", "largest", "last_size"),
    *(f"order_rate_{alpha}" for alpha in ORDER_SMOOTHING),
    *(f"level_{alpha}" for alpha in SMOOTHING),
    *(f"mean_{months}" for months in WINDOWS),
    *(f"orders_{months}" for months in WINDOWS),
    *("lag_1", "lag_2", "lag_3"),
)
LEAD_COLUMNS = ("lead", "month", "same_month", "around_same_month", "season", "same_month_ordered")

_AT = {name: position for position, name in enumerate(HISTORY_COLUMNS)}
_WIDTH = len(HISTORY_COLUMNS)
_SIZE = _AT["size_long"]
_RATE = _AT["order_rate_0.03"]
_LEVEL = _AT["level_0.05"]
_MEAN = _AT["mean_3"]
_ORDERS = _AT["orders_3"]
_LAG = _AT["lag_1"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Questions put to the history: `series`, `origin` and `lead`, each of shape (rows,).

    A row asks for the month `origin + lead` when months up to `origin` are known.
    """

    series: Ints
    origin: Ints
    lead: Ints

    @property
    def target(self) -> Ints:
        return self.origin + self.lead

    def __len__(self) -> int:
        return len(self.series)

    def starts(self) -> Ints:
        """Where neighbours begin that differ in their lead alone, and so share their history."""
        changes = (np.diff(self.series) != 0) | (np.diff(self.origin) != 0)
        return np.append(0, np.flatnonzero(changes) + 1) if len(self) else np.empty(0, dtype=np.int64)


def next_months(start: int, stop: int, last: int, horizon: int) -> Rows:
    """The rows of a forecast: every lead month of the series in [start, stop), series by series."""
    count = stop - start
    return Rows(
        np.repeat(np.arange(start, stop), horizon),
        np.full(count * horizon, last),
        np.tile(np.arange(1, horizon + 1), count),
    )


def common_unit(values: Floats) -> float:
    """The median order over all series, shape (series, months): what levels are compared with.

    With it, a history in kilograms gives the same columns as one in tonnes.
    """
    orders = values[values > 0]
    return float(np.median(orders)) if len(orders) else 1.0


def history_of_rows(values: Floats, born: Ints, rows: Rows) -> Floats:
    """`history_columns` of each row, computed once for neighbours that differ in their lead alone."""
    if not len(rows):
        return np.empty((0, _WIDTH))
    starts = rows.starts()
    once = history_columns(values, born, rows.series[starts], rows.origin[starts])
    return np.repeat(once, np.diff(starts, append=len(rows)), axis=0)


@nb.njit(parallel=True, cache=True)
def history_columns(values: Floats, born: Ints, series: Ints, origin: Ints) -> Floats:
    """`HISTORY_COLUMNS` of each row, shape (rows, columns), from the months up to its origin.

    `values`, shape (series, months), are in common units and not negative. Sizes, levels and means
    are in those units; `run` counts the months since the last order.
    """
    rows = len(series)
    out = np.empty((rows, _WIDTH))
    for row in nb.prange(rows):
        history_of(values[series[row]], born[series[row]], origin[row], out[row])
    return out


@nb.njit(cache=True)
def history_of(past: Floats, first: int, last: int, out: Floats) -> None:
    """`history_columns` of one row."""
    out[:] = 0.0
    age = last - first + 1
    orders = 0
    total = 0.0
    squares = 0.0
    largest = 0.0
    last_order = first - 1
    size_weight = np.zeros(len(SIZE_SMOOTHING))
    for month in range(first, last + 1):
        amount = past[month]
        ordered = 1.0 if amount > 0 else 0.0
        for k, alpha in enumerate(SMOOTHING):
            out[_LEVEL + k] += alpha * (amount - out[_LEVEL + k])
        for k, alpha in enumerate(ORDER_SMOOTHING):
            out[_RATE + k] += alpha * (ordered - out[_RATE + k])
        for k, months in enumerate(WINDOWS):
            if last - month < months:
                out[_MEAN + k] += amount
                out[_ORDERS + k] += ordered
        if amount > 0:
            orders += 1
            total += amount
            squares += amount * amount
            largest = max(largest, amount)
            last_order = month
            for k, alpha in enumerate(SIZE_SMOOTHING):
                size_weight[k] += alpha * (1.0 - size_weight[k])
                out[_SIZE + k] += alpha * (amount - out[_SIZE + k])
    # Smoothing began at zero: dividing by the weight gathered so far takes the bias of a short past away.
    for k, alpha in enumerate(SMOOTHING):
        out[_LEVEL + k] /= 1.0 - (1.0 - alpha) ** age
    for k, alpha in enumerate(ORDER_SMOOTHING):
        out[_RATE + k] /= 1.0 - (1.0 - alpha) ** age
    for k, months in enumerate(WINDOWS):
        out[_MEAN + k] /= min(months, age)
        out[_ORDERS + k] /= min(months, age)
    # A long dead series keeps a tenth of its old level as scale, so that nothing divides by almost zero.
    out[0] = max(out[_LEVEL + 1], 0.1 * total / age)
    out[1] = age
    out[2] = orders
    out[3] = last - last_order
    out[4] = orders / age
    if orders > 0:
        mean = total / orders
        for k in range(len(SIZE_SMOOTHING)):
            out[_SIZE + k] /= size_weight[k]
        out[_SIZE + 2] = mean
        # Squares of sizes far below the common unit vanish.
        out[_SIZE + 3] = max(squares / orders - mean * mean, 0.0) / max(mean * mean, 1e-300)
        out[_SIZE + 4] = largest
        out[_SIZE + 5] = past[last_order]
    for k in range(3):
        out[_LAG + k] = past[last - k] if last - k >= first else np.nan


@nb.njit(parallel=True, cache=True)
def lead_columns(
    values: Floats, born: Ints, series: Ints, origin: Ints, lead: Ints, calendar_month: int
) -> Floats:
    """`LEAD_COLUMNS` of each row, shape (rows, columns); NaN where no earlier year is known.

    `calendar_month` (0 to 11) is that of position 0. `season` is the mean, over up to three years, of
    the same month against the year that it ended.
    """
    rows = len(series)
    out = np.empty((rows, len(LEAD_COLUMNS)))
    for row in nb.prange(rows):
        lead_of(values[series[row]], born[series[row]], origin[row], lead[row], calendar_month, out[row])
    return out


@nb.njit(cache=True)
def lead_of(past: Floats, first: int, last: int, lead: int, calendar_month: int, out: Floats) -> None:
    """`lead_columns` of one row."""
    out[:] = np.nan
    target = last + lead
    out[0] = lead
    out[1] = (calendar_month + target) % SEASON
    same = target - SEASON
    while same > last:
        same -= SEASON
    if same < first:
        return
    out[2] = past[same]
    out[5] = 1.0 if past[same] > 0 else 0.0
    around = 0.0
    count = 0
    for month in range(max(same - 1, first), min(same + 1, last) + 1):
        around += past[month]
        count += 1
    out[3] = around / count
    seasons = 0.0
    years = 0
    while years < 3 and same - SEASON + 1 >= first:
        year = past[same - SEASON + 1 : same + 1].sum()
        seasons += SEASON * past[same] / year if year > 0 else 1.0
        years += 1
        same -= SEASON
    if years > 0:
        out[4] = seasons / years


def column(columns: Floats, name: str) -> Floats:
    """One named column of `history_columns`."""
    return columns[:, _AT[name]]
