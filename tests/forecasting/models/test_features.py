import numpy as np

from forecasting.models.features import (
    HISTORY_COLUMNS,
    column,
    common_unit,
    history_columns,
    lead_columns,
    next_months,
)
from forecasting.models.protocol import SeriesBatch

PAST = np.array([[9.0, 0, 2, 0, 4, 0, 0]])  # the first month lies before the series was born


def at(origin: int) -> dict[str, float]:
    row = history_columns(PAST, np.array([1]), np.array([0]), np.array([origin]))
    return {name: float(column(row, name)[0]) for name in HISTORY_COLUMNS}


def test_history_columns_by_hand() -> None:
    seen = at(5)
    assert seen["age"] == 5
    assert seen["orders"] == 2
    assert seen["run"] == 1
    assert seen["share"] == 0.4
    assert (seen["lag_1"], seen["lag_2"], seen["lag_3"]) == (0, 4, 0)
    assert seen["mean_3"] == 4 / 3
    assert seen["mean_24"] == 6 / 5
    assert seen["orders_3"] == 1 / 3
    assert (seen["size_mean"], seen["size_cv2"], seen["largest"], seen["last_size"]) == (3, 1 / 9, 4, 4)
    np.testing.assert_allclose(seen["size_recent"], (0.3 * 4 + 0.7 * 0.3 * 2) / (0.3 + 0.7 * 0.3))
    weights = 0.1 * 0.9 ** np.arange(5)
    np.testing.assert_allclose(seen["level_0.1"], (weights[1] * 4 + weights[3] * 2) / weights.sum())


def test_nothing_after_the_origin_is_seen(order_book: SeriesBatch) -> None:
    changed = order_book.values.copy()
    changed[:, 31:] = 1e6
    series, origin, lead = np.arange(400), np.full(400, 30), np.full(400, 7)
    born = np.minimum(order_book.born, 30)
    for values in (order_book.values, changed):
        first = history_columns(order_book.values, born, series, origin)
        np.testing.assert_array_equal(history_columns(values, born, series, origin), first)
        ahead = lead_columns(order_book.values, born, series, origin, lead, 2)
        np.testing.assert_array_equal(lead_columns(values, born, series, origin, lead, 2), ahead)


def test_lead_columns_by_hand() -> None:
    values = np.arange(1.0, 31.0)[None, :]
    rows = next_months(0, 1, 29, 14)
    ahead = lead_columns(values, np.array([0]), rows.series, rows.origin, rows.lead, 4)
    assert ahead[0, :4].tolist() == [1, (4 + 30) % 12, 19, 19]
    # Lead 14 asks for month 43; the same month a year before is unknown, so the year before that.
    assert ahead[13, 2] == values[0, 43 - 24]
    np.testing.assert_allclose(ahead[0, 4], 12 * 19 / values[0, 7:19].sum())


def test_a_month_without_an_earlier_year_is_missing() -> None:
    ahead = lead_columns(PAST, np.array([1]), np.array([0]), np.array([6]), np.array([1]), 0)
    assert np.isnan(ahead[0, 2:]).all()


def test_the_common_unit_is_the_median_order() -> None:
    assert common_unit(np.array([[0, 2.0, 8.0], [0, 0, 4.0]])) == 4
    assert common_unit(np.zeros((2, 2))) == 1
