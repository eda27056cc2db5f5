"""One gradient-boosted model over all series, for demand in two parts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from forecasting.arrays import Bools, Floats, Ints
from forecasting.fallbacks import Fallbacks
from forecasting.models.boosted_table import boosted_table
from forecasting.models.features import Rows
from forecasting.models.intermittent import (
    NO_ORDER,
    OrdersAndSizes,
    in_common_units,
    tame,
)
from forecasting.models.lightgbm_ import Columns, Trained, predict, train
from forecasting.models.protocol import SeriesBatch
from forecasting.models.training_rows import sample_rows
from forecasting.models.two_part import FittedTwoPart, measure_spread

TOO_FEW_ROWS = "too few past months to boost: pooled regressions"

_FEW_ORDERS = 1_000
_CHANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Trees:
    """A classifier of orders (none where practically every month has one) and a model of their sizes.

    `values`, shape (series, months), are in common units.
    """

    values: Floats
    born: Ints
    calendar_month: int
    leads: int
    categories: Ints
    orders: str | None
    sizes: str

    def parts(self, rows: Rows) -> tuple[Floats, Floats]:
        """Order probability and size in common units, each of shape (rows,)."""
        x, scale = boosted_table(
            self.values, self.born, rows, self.calendar_month, self.leads, self.categories
        )
        with ThreadPoolExecutor(1) as beside:
            chance = beside.submit(lambda: predict(self.orders, x) if self.orders else np.ones(len(rows)))
            size = predict(self.sizes, x) * scale
        return np.clip(chance.result(), _CHANCE, 1.0 - _CHANCE), size


@dataclass(frozen=True)
class Boosted:
    """A global LightGBM pair: does an order come, and how large is it, for all series and leads at once.

    Sizes are learned relative to each series' recent level and the lead month is a column, so two
    models replace one per quantile and lead; quantiles come from the spread of sizes around their
    expectation. Ke et al. (2017); pooling across series after Montero-Manso & Hyndman (2021). The two are
    trained side by side, each by one thread: threads that share a tree wait for each other.
    """

    leads: int = 12
    least_age: int = 6
    rows: int = 100_000
    rounds: int = 60
    leaves: int = 15
    learning_rate: float = 0.05
    bins: int = 16
    seed: int = 0

    def fit(self, history: SeriesBatch, categories: Ints | None = None) -> FittedTwoPart:
        """Fit; `categories`, shape (series, columns), are codes of what is known of each series.

        With too few orders to learn from, the regressions of `OrdersAndSizes` answer instead, and
        each row's `fallback` says so.
        """
        return self.begin(history, categories)()

    def begin(self, history: SeriesBatch, categories: Ints | None = None) -> Callable[[], FittedTwoPart]:
        """As `fit`, but the trees grow in threads of their own until the answer is asked for."""
        values, unit = in_common_units(history.values, history.born)
        month = history.first.month - 1
        codes = np.empty((len(values), 0), dtype=np.int64) if categories is None else categories
        rows = sample_rows(values, history.born, self.leads, self.least_age, self.rows, self.seed)
        answer = values[rows.series, rows.target]
        ordered = answer > 0
        if ordered.sum() < _FEW_ORDERS:
            return lambda: self._regressions(history)

        x, scale = boosted_table(values, history.born, rows, month, self.leads, codes)
        some, answer, scale = x[ordered], answer[ordered], scale[ordered]
        threads = ThreadPoolExecutor(2)
        growing = threads.submit(self._orders, x, ordered, codes.shape[1])
        sizing = threads.submit(self._train, "gamma", some, tame(answer / scale), codes.shape[1])
        threads.shutdown(wait=False)

        def finish() -> FittedTwoPart:
            sizes = sizing.result()
            expected = sizes.fitted * scale
            spread = measure_spread(expected, expected * tame(answer / expected), self.bins)
            model = Trees(values, history.born, month, self.leads, codes, growing.result(), sizes.trees)
            silent = (values <= 0).all(axis=1)
            return FittedTwoPart(model, values, unit, spread, Fallbacks.where(silent, NO_ORDER))

        return finish

    def _orders(self, x: Columns, ordered: Bools, categories: int) -> str | None:
        if ordered.mean() > 0.999:
            return None
        return self._train("binary", x, ordered.astype(np.float64), categories).trees

    def _regressions(self, history: SeriesBatch) -> FittedTwoPart:
        fitted = OrdersAndSizes(self.leads, self.least_age, self.rows, seed=self.seed).fit(history)
        modelled = fitted.fallback.codes == 0
        return replace(fitted, fallback=fitted.fallback.also(Fallbacks.where(modelled, TOO_FEW_ROWS)))

    def _train(self, objective: str, x: Columns, answer: Floats, categories: int) -> Trained:
        first = x.shape[1] - categories
        parameters: dict[str, str | float] = {
            "objective": objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 100 if len(x) > 20_000 else 20,
            "feature_fraction": 0.7,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "bin_construct_sample_cnt": 50_000,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "seed": self.seed,
            "verbosity": -1,
            "categorical_column": ",".join(map(str, range(first, x.shape[1]))),
        }
        return train(x, answer, parameters, self.rounds)
