import numpy as np
import pytest

from forecasting.models.protocol import SeriesBatch
from forecasting.models.training_rows import sample_rows, typical_rows


def content(values: np.ndarray, born: np.ndarray, cap: int = 3000) -> np.ndarray:
    rows = sample_rows(values, born, 12, 6, cap, 0)
    return np.stack([values[rows.series, rows.origin], values[rows.series, rows.target], rows.lead], axis=1)


def test_small_histories_give_every_row() -> None:
    values = np.array([[0, 0, 1.0, 0, 2, 0], [3.0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]])
    rows = sample_rows(values, np.zeros(3, dtype=np.int64), 2, 2, 10_000, 0)
    found = sorted(zip(rows.series.tolist(), rows.origin.tolist(), rows.lead.tolist(), strict=True))
    first = [(0, 2, 1), (0, 2, 2), (0, 3, 1), (0, 3, 2), (0, 4, 1)]
    second = [(1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 2, 2), (1, 3, 1), (1, 3, 2), (1, 4, 1)]
    assert found == first + second


def test_the_cap_holds_about(order_book: SeriesBatch) -> None:
    rows = sample_rows(order_book.values, order_book.born, 12, 6, 5000, 0)
    assert 4500 < len(rows) < 5500
    assert (rows.target < 48).all()


def test_order_and_unit_and_empty_series_are_immaterial(order_book: SeriesBatch) -> None:
    values, born = order_book.values, order_book.born
    rows = content(values, born)
    shuffled = np.random.default_rng(1).permutation(len(values))
    np.testing.assert_array_equal(content(values[shuffled], born[shuffled]), rows)
    np.testing.assert_array_equal(content(np.vstack([np.zeros((1, 48)), values]), np.append(0, born)), rows)


def test_the_seed_draws_other_rows(order_book: SeriesBatch) -> None:
    one, two = (sample_rows(order_book.values, order_book.born, 12, 6, 500, seed) for seed in (0, 1))
    assert one.series.tolist() != two.series.tolist()


@pytest.mark.parametrize("count", [20, 1000])
def test_typical_series_follow_from_their_shapes_alone(order_book: SeriesBatch, count: int) -> None:
    values, born = order_book.values, order_book.born
    rows = typical_rows(values, born, count)
    chosen = _shapes(values, rows)
    assert len(set(rows.tolist())) == len(rows) == min(count, (values.max(axis=1) > 0).sum())
    shuffled = np.random.default_rng(1).permutation(len(values))
    again = typical_rows(values[shuffled], born[shuffled], count)
    np.testing.assert_allclose(_shapes(values[shuffled], again), chosen, rtol=1e-12)
    assert typical_rows(1000 * values, born, count).tolist() == rows.tolist()
    more = typical_rows(np.vstack([np.zeros((2, 48)), values]), np.append([0, 0], born), count)
    assert (more - 2).tolist() == rows.tolist()


def _shapes(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.asarray(values[rows] / values[rows].max(axis=1, keepdims=True))


def test_no_series_is_typical_of_nothing() -> None:
    assert typical_rows(np.array([[0.0, 0.0], [-1.0, -2.0]]), np.array([0, 0]), 5).tolist() == []
