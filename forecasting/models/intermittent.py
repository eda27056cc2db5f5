"""Intermittent demand learned across series: does an order come, and how large is it?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Bools, Floats, Ints
from forecasting.fallbacks import Fallbacks
from forecasting.models.features import (
    ORDER_SMOOTHING,
    Rows,
    column,
    common_unit,
    history_columns,
    history_of_rows,
    lead_columns,
)
from forecasting.models.protocol import SeriesBatch
from forecasting.models.regression import expit, gamma_log, linear, logistic
from forecasting.models.training_rows import sample_rows
from forecasting.models.two_part import FittedTwoPart, measure_spread

MODELLED = ""
NO_ORDER = "no order yet: zero"
POOLED_RATE = "too little history in the batch: pooled rate and size"

_FEW_ORDERS = 50


@dataclass(frozen=True, eq=False)
class Regressions:
    """Two regressions over all series; `values`, shape (series, months), are in common units."""

    values: Floats
    born: Ints
    calendar_month: int
    share: float
    shrinkage: float
    order_beta: Floats
    size_beta: Floats
    order_range: tuple[Floats, Floats]
    size_range: tuple[Floats, Floats]

    def parts(self, rows: Rows) -> tuple[Floats, Floats]:
        """Order probability and size in common units, each of shape (rows,)."""
        table = _Table.of(self.values, self.born, rows, self.calendar_month, self.share, self.shrinkage)
        # Beyond what training saw, a straight line knows nothing: stay at the edge.
        order = linear(np.clip(table.order_design(), *self.order_range), self.order_beta)
        size = linear(np.clip(table.size_design(), *self.size_range), self.size_beta)
        return expit(order), table.own_size * np.exp(size)


@dataclass(frozen=True)
class OrdersAndSizes:
    """The empirical two-part model: order probability and order size apart, both pooled over series.

    The probability is a logistic regression on recency-weighted, shrunk order rates and the run of
    empty months; the size a gamma regression around each series' own shrunk size; quantiles come from
    the empirical spread of sizes among orders of like expected size. After Croston (1972) and
    Willemain, Smart & Schwarz (2004), with the rates learned across series.
    """

    leads: int = 12
    least_age: int = 6
    rows: int = 200_000
    bins: int = 12
    pull: float = 5.0
    seed: int = 0

    def begin(self, history: SeriesBatch) -> Callable[[], FittedTwoPart]:
        """The regressions when they are asked for: they take no time worth sharing."""
        return lambda: self.fit(history)

    def fit(self, history: SeriesBatch) -> FittedTwoPart:
        values, unit = in_common_units(history.values, history.born)
        month = history.first.month - 1
        share = _order_share(values, history.born)
        shrinkage = _size_shrinkage(values, history.born)
        rows = sample_rows(values, history.born, self.leads, self.least_age, self.rows, self.seed)
        table = _Table.of(values, history.born, rows, month, share, shrinkage)
        answer = values[rows.series, rows.target]
        ordered = answer > 0

        order_x = table.order_design()
        order_beta = logistic(order_x, ordered.astype(np.float64), _rate_prior(order_x.shape[1]), self.pull)
        size_x = table.size_design()[ordered]
        own = table.own_size[ordered]
        size_beta = gamma_log(size_x, tame(answer[ordered] / own), self.pull)
        expected = own * np.exp(linear(size_x, size_beta))

        silent = (values <= 0).all(axis=1)
        rest = POOLED_RATE if ordered.sum() < _FEW_ORDERS else MODELLED
        model = Regressions(
            values,
            history.born,
            month,
            share,
            shrinkage,
            order_beta,
            size_beta,
            _range(order_x),
            _range(size_x),
        )
        spread = measure_spread(expected, expected * tame(answer[ordered] / expected), self.bins)
        return FittedTwoPart(model, values, unit, spread, _fallback(silent, rest))


def _fallback(silent: Bools, rest: str) -> Fallbacks:
    """`NO_ORDER` for the silent series, shape (series,), and `rest` for all others."""
    return Fallbacks.where(silent, NO_ORDER).also(Fallbacks.where(~silent, rest))


def in_common_units(values: Floats, born: Ints) -> tuple[Floats, float]:
    """Non-negative, finite history in units of the median order, and that unit.

    Returns count as no demand: a negative month is a correction of an earlier one, not a small order.
    """
    known = np.arange(values.shape[1])[None, :] >= born[:, None]
    clean = np.where(known & np.isfinite(values), np.maximum(values, 0.0), 0.0)
    unit = common_unit(clean)
    return clean / unit, unit


def tame(ratio: Floats) -> Floats:
    """Ratios of demand to expectation, cut at twice their 99.9th percentile: one absurd month is no law."""
    return np.minimum(ratio, 2.0 * np.quantile(ratio, 0.999)) if len(ratio) else ratio


@dataclass(frozen=True, eq=False)
class _Table:
    """Columns of the regressions for some rows; each field has shape (rows,)."""

    rates: tuple[Floats, Floats, Floats]
    run: Floats
    own_size: Floats
    recent_size: Floats
    spread: Floats
    season: Floats
    lead: Floats

    @classmethod
    def of(
        cls, values: Floats, born: Ints, rows: Rows, month: int, share: float, shrinkage: float
    ) -> "_Table":
        past = history_of_rows(values, born, rows)
        lead = lead_columns(values, born, rows.series, rows.origin, rows.lead, month)
        age, orders = column(past, "age"), column(past, "orders")
        rates = []
        for alpha in ORDER_SMOOTHING:
            weight = (1.0 - (1.0 - alpha) ** age) / alpha
            rates.append((column(past, f"order_rate_{alpha}") * weight + share) / (weight + 1.0))
        trust = orders / (orders + shrinkage)
        own = np.log(np.maximum(column(past, "size_long"), 1e-300)) * (orders > 0)
        recent = np.log(np.maximum(column(past, "size_recent"), 1e-300)) * (orders > 0)
        scatter = (orders * column(past, "size_cv2") + 1.0) / (orders + 2.0)
        ordered_last_year = lead[:, 5]
        return cls(
            (_logit(rates[0]), _logit(rates[1]), _logit(rates[2])),
            np.log1p(column(past, "run")),
            np.exp(trust * own),
            recent - own,
            np.log(scatter + 0.05),
            np.where(np.isnan(ordered_last_year), 0.0, ordered_last_year - rates[1]),
            lead[:, 0] / 12.0,
        )

    def order_design(self) -> Floats:
        """Shape (rows, columns); the second rate is column 2."""
        slow, rate, fast = self.rates
        size = np.log(self.own_size)
        columns = [np.ones_like(rate), slow, rate, fast, rate**2, self.run, slow * self.run, fast * self.run]
        columns += [
            self.lead,
            rate * self.lead,
            size,
            rate * size,
            self.recent_size,
            self.spread,
            self.season,
        ]
        return np.stack(columns, axis=1)

    def size_design(self) -> Floats:
        """Shape (rows, columns), around each series' own size."""
        slow, rate, _ = self.rates
        size = np.log(self.own_size)
        columns = [np.ones_like(rate), slow, rate, self.run, size, slow * size]
        columns += [self.recent_size, self.spread, self.lead]
        return np.stack(columns, axis=1)


def _logit(share: Floats) -> Floats:
    inside = np.clip(share, 1e-4, 1 - 1e-4)
    logit: Floats = np.log(inside / (1 - inside))
    return logit


def _rate_prior(width: int) -> Floats:
    """Knowing nothing else, the probability is the shrunk rate itself."""
    prior = np.zeros(width)
    prior[2] = 1.0
    return prior


def _order_share(values: Floats, born: Ints) -> float:
    """Share of months with an order among series that ever ordered: counts, so that order cannot matter."""
    alive = (values > 0).any(axis=1)
    months = int((values.shape[1] - born[alive]).sum())
    return int((values > 0).sum()) / months if months else 0.0


def _size_shrinkage(values: Floats, born: Ints) -> float:
    """How many orders a series needs before its own size weighs as much as the pooled one."""
    everyone = np.arange(len(values))
    last = np.full(len(values), values.shape[1] - 1)
    past = history_columns(values, born, everyone, last)
    orders = column(past, "orders")
    often = orders >= 2
    if often.sum() < 2:
        return 1.0
    n = orders[often]
    within = np.log1p(column(past, "size_cv2")[often] * n / (n - 1.0))
    logs = np.log(column(past, "size_mean")[often])
    # Sorting first makes these sums independent of the order of series.
    mean_within = float(np.sort(within).mean())
    between = float(np.sort(logs).var()) - float(np.sort(within / n).mean())
    return float(np.clip(mean_within / max(between, 1e-6), 0.1, 10.0))


def _range(design: Floats) -> tuple[Floats, Floats]:
    if not len(design):
        edge = np.full(design.shape[1], np.inf)
        return -edge, edge
    return design.min(axis=0), design.max(axis=0)
