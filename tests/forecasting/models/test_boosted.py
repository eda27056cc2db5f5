import numpy as np

from forecasting.models.boosted import TOO_FEW_ROWS, Boosted, Trees
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month


def test_two_fits_have_the_same_bytes(order_book: SeriesBatch) -> None:
    model = Boosted(rows=20_000, rounds=20)
    one, two = (model.fit(order_book).quantiles(12, (0.5, 0.9)) for _ in range(2))
    assert one.tobytes() == two.tobytes()


def test_too_few_rows_fall_back_and_say_so() -> None:
    values = np.tile([0.0, 2.0, 0.0], (3, 6))
    fitted = Boosted().fit(SeriesBatch(Month(2024, 1), values, np.zeros(3, dtype=np.int64)))
    assert fitted.fallback.reasons[0] != ""
    fitted = Boosted().fit(SeriesBatch(Month(2024, 1), np.tile(values, (4, 1)), np.zeros(12, dtype=np.int64)))
    assert fitted.fallback.reasons[0] == TOO_FEW_ROWS


def test_a_season_is_learned_without_a_classifier() -> None:
    rng = np.random.default_rng(2)
    season = 1 + 0.5 * np.sin(2 * np.pi * np.arange(72) / 12)
    values = 50 * season * rng.gamma(400, 1 / 400, (200, 72)) * rng.uniform(0.5, 2, (200, 1))
    past = SeriesBatch(Month(2018, 1), values[:, :60], np.zeros(200, dtype=np.int64))
    fitted = Boosted().fit(past)
    assert isinstance(fitted.model, Trees)
    assert fitted.model.orders is None
    error = np.abs(fitted.mean(12) - values[:, 60:]).sum() / values[:, 60:].sum()
    assert error < 0.1


def test_a_known_category_helps() -> None:
    rng = np.random.default_rng(4)
    kind = rng.integers(0, 2, 400)
    # Series of kind 1 stop ordering after month 30; only the category tells a young one's fate.
    values = (rng.random((400, 48)) < 0.5) * rng.gamma(2.0, 1.0, (400, 48))
    values[kind == 1, 30:] *= 0.2
    batch = SeriesBatch(Month(2020, 1), values, np.zeros(400, dtype=np.int64))
    fitted = Boosted(rows=50_000).fit(batch, kind[:, None])
    assert fitted.mean(6)[kind == 0].mean() > 3 * fitted.mean(6)[kind == 1].mean()
