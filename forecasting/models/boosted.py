"""One gradient-boosted model over all series, for demand in two parts."""

from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import Floats, Ints
from forecasting.fallbacks import Fallbacks
from forecasting.models.features import (
    HISTORY_COLUMNS,
    LEAD_COLUMNS,
    Rows,
    column,
    history_of_rows,
    lead_columns,
)
from forecasting.models.intermittent import (
    NO_ORDER,
    OrdersAndSizes,
    in_common_units,
    tame,
)
from forecasting.models.protocol import SeriesBatch
from forecasting.models.training_rows import sample_rows
from forecasting.models.two_part import FittedTwoPart, measure_spread

TOO_FEW_ROWS = "too few past months to boost: pooled regressions"

_FEW_ORDERS = 1_000
_IN_COMMON_UNITS = ("scale", "size_long", "size_recent", "size_mean")
_RELATIVE = ("largest", "last_size", "level_", "mean_", "lag_")
_CHANCE = 1e-6

type Columns = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Trees:
    """A classifier of orders (none where practically every month has one) and a model of their sizes.

    `values`, shape (series, months), are in common units.
    """

    values: Floats
    born: Ints
    calendar_month: int
    leads: int
    threads: int
    categories: Ints
    orders: lgb.Booster | None
    sizes: lgb.Booster

    def parts(self, rows: Rows) -> tuple[Floats, Floats]:
        """Order probability and size in common units, each of shape (rows,)."""
        x, scale = _columns(self.values, self.born, rows, self.calendar_month, self.leads, self.categories)
        chance = np.ones(len(rows)) if self.orders is None else _answer(self.orders, x, self.threads)
        return np.clip(chance, _CHANCE, 1.0 - _CHANCE), _answer(self.sizes, x, self.threads) * scale


@dataclass(frozen=True)
class Boosted:
    """A global LightGBM pair: does an order come, and how large is it, for all series and leads at once.

    Sizes are learned relative to each series' recent level and the lead month is a column, so two
    models replace one per quantile and lead; quantiles come from the spread of sizes around their
    expectation. Ke et al. (2017); pooling across series after Montero-Manso & Hyndman (2021). More
    `threads` change the time and not the answer; on a busy machine one is the fastest.
    """

    leads: int = 12
    least_age: int = 6
    rows: int = 200_000
    rounds: int = 60
    leaves: int = 15
    learning_rate: float = 0.05
    bins: int = 16
    threads: int = 1
    seed: int = 0

    def fit(self, history: SeriesBatch, categories: Ints | None = None) -> FittedTwoPart:
        """Fit; `categories`, shape (series, columns), are codes of what is known of each series.

        With too few orders to learn from, the regressions of `OrdersAndSizes` answer instead, and
        each row's `fallback` says so.
        """
        values, unit = in_common_units(history.values, history.born)
        month = history.first.month - 1
        codes = np.empty((len(values), 0), dtype=np.int64) if categories is None else categories
        rows = sample_rows(values, history.born, self.leads, self.least_age, self.rows, self.seed)
        answer = values[rows.series, rows.target]
        ordered = answer > 0
        if ordered.sum() < _FEW_ORDERS:
            return self._regressions(history)

        x, scale = _columns(values, history.born, rows, month, self.leads, codes)
        orders = None
        if not ordered.mean() > 0.999:
            orders = self._train("binary", x, ordered.astype(np.float64), codes.shape[1])
        sizes = self._train("gamma", x[ordered], tame(answer[ordered] / scale[ordered]), codes.shape[1])
        expected = _answer(sizes, x[ordered], self.threads) * scale[ordered]
        seen = expected * tame(answer[ordered] / expected)
        silent = (values <= 0).all(axis=1)
        model = Trees(values, history.born, month, self.leads, self.threads, codes, orders, sizes)
        spread = measure_spread(expected, seen, self.bins)
        return FittedTwoPart(model, values, unit, spread, Fallbacks.where(silent, NO_ORDER))

    def _regressions(self, history: SeriesBatch) -> FittedTwoPart:
        fitted = OrdersAndSizes(self.leads, self.least_age, self.rows, seed=self.seed).fit(history)
        modelled = fitted.fallback.codes == 0
        return replace(fitted, fallback=fitted.fallback.also(Fallbacks.where(modelled, TOO_FEW_ROWS)))

    def _train(self, objective: str, x: Columns, answer: Floats, categories: int) -> lgb.Booster:
        first = x.shape[1] - categories
        parameters = {
            "objective": objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 100 if len(x) > 20_000 else 20,
            "feature_fraction": 0.7,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.threads,
            "seed": self.seed,
            "verbosity": -1,
        }
        names = list(range(first, x.shape[1]))
        data = lgb.Dataset(x, answer, categorical_feature=names, params={"max_bin": 63, "verbosity": -1})
        return lgb.train(parameters, data, num_boost_round=self.rounds)


def _answer(booster: lgb.Booster, x: Columns, threads: int) -> Floats:
    return np.asarray(booster.predict(x, num_threads=threads), dtype=np.float64)


def _columns(
    values: Floats, born: Ints, rows: Rows, month: int, leads: int, categories: Ints
) -> tuple[Columns, Floats]:
    """The table, shape (rows, columns), and the scale of each row in common units, shape (rows,)."""
    past = history_of_rows(values, born, rows)
    ahead = lead_columns(values, born, rows.series, rows.origin, rows.lead, month)
    scale = np.maximum(column(past, "scale"), 1e-300)
    for at, name in enumerate(HISTORY_COLUMNS):
        if name in _IN_COMMON_UNITS:
            past[:, at] = np.log(np.maximum(past[:, at], 1e-30))
        elif name.startswith(_RELATIVE):
            past[:, at] /= scale
    # A lead beyond those trained on is answered as the last of them.
    ahead[:, LEAD_COLUMNS.index("lead")] = np.minimum(ahead[:, LEAD_COLUMNS.index("lead")], leads)
    for name in ("same_month", "around_same_month"):
        ahead[:, LEAD_COLUMNS.index(name)] /= scale
    table = np.hstack([past, ahead, categories[rows.series]])
    # Four digits are all that a bin needs; the rest is noise of the unit, and must not move a split.
    return _rounded(table), scale


def _rounded(table: Floats) -> Columns:
    return (np.round(np.clip(table, -1e9, 1e9) * 10_007.3) / 10_007.3).astype(np.float32)
