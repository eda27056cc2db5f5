import numpy as np
import pytest

from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month


@pytest.fixture(scope="session")
def order_book() -> SeriesBatch:
    """400 series of 48 months: rates from rare to monthly, sizes from small to large, some born late."""
    rng = np.random.default_rng(7)
    rate = rng.beta(0.8, 1.6, 400)
    size = np.exp(rng.normal(2.0, 1.0, 400))
    ordered = rng.random((400, 48)) < rate[:, None]
    values = np.where(ordered, size[:, None] * rng.gamma(2.0, 0.5, (400, 48)), 0.0)
    born = np.where(rng.random(400) < 0.2, rng.integers(0, 40, 400), 0)
    values[np.arange(48)[None, :] < born[:, None]] = 0.0
    return SeriesBatch(Month(2020, 3), values, born)


@pytest.fixture(scope="session")
def odd_series() -> SeriesBatch:
    """Constant, empty, one-point, negative, huge, dying, and born in the last month."""
    values = np.zeros((8, 30))
    values[0] = 3.0
    values[2, 14] = 2.0
    values[3] = -1.0
    values[4] = 1e12 * (np.arange(30) % 3 == 0)
    values[5, :10] = 5.0
    values[6, -1] = 4.0
    values[7] = np.where(np.arange(30) % 2 == 0, -2.0, 6.0)
    born = np.zeros(8, dtype=np.int64)
    born[6] = 29
    return SeriesBatch(Month(2024, 1), values, born)
