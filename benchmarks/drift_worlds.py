"""Made-up order books in which nothing happens, or one thing does: what drift is calibrated on."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from forecasting.arrays import Floats, Ints
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel

FIRST = Month(2020, 1)
HISTORY, PLAYED, BEFORE = 48, 24, 12
"""Months before the first run, months played, and how many of these pass before anything happens."""
EVENTS = ("customer leaves", "price shock", "level x 1.3", "slow drift")
KEYS = ("organization", "customer")
LEVELS = ((), ("organization",), ("customer",), KEYS)


@dataclass(frozen=True)
class World:
    """A seeded order book: the rate of orders of each leaf and month, and the mean tonnes of an order.

    `spot` multiplies the rate, shape (leaves, months): one, but for spot buyers nothing or two. `big` are the
    leaves of the customer that may leave.
    """

    hierarchy: Hierarchy
    rate: Floats
    lot: Floats
    spot: Floats
    big: Ints
    seed: int

    def panel(self, event: str) -> DemandPanel:
        """The whole order book, in which `event` happens `BEFORE` months into the play; empty: nothing."""
        quantity = self._draw(self.rate, 0)
        if event:
            start = HISTORY + BEFORE
            quantity[:, start:] = self._draw(self._with(event), 1 + EVENTS.index(event))[:, start:]
        return DemandPanel(self.hierarchy, FIRST, quantity, np.zeros(len(quantity), dtype=np.int64))

    def _with(self, event: str) -> Floats:
        rate, random = self.rate.copy(), np.random.default_rng([self.seed, 77, EVENTS.index(event)])
        after = np.arange(rate.shape[1]) - (HISTORY + BEFORE)
        if event == "customer leaves":
            rate[np.ix_(self.big, after >= 0)] = 0.0
        elif event == "price shock":
            # Orders are pulled forward before the price rises, and are missing afterwards.
            shock = 1 + np.array([0.3, -0.25, -0.18, -0.08]) * random.uniform(0.8, 1.3)
            rate[:, (after >= 0) & (after < len(shock))] *= shock
        elif event == "level x 1.3":
            rate[:, after >= 0] *= 1.3
        else:
            rate *= np.exp(0.02 * np.clip(after + 1, 0, None))
        return rate

    def _draw(self, rate: Floats, stream: int) -> Floats:
        random = np.random.default_rng([self.seed, 99, stream])
        orders = random.poisson(rate * self.spot)
        # A sum of so many gamma lots, each with a coefficient of variation of one half.
        sizes = random.gamma(4.0 * np.maximum(orders, 1)) / 4.0 * self.lot[:, None]
        drawn: Floats = np.where(orders > 0, sizes, 0.0)
        return drawn


def make_world(seed: int) -> World:
    """Four organizations, 60 customers, one of which buys 10 to 20 % of all tonnes."""
    random = np.random.default_rng([seed, 2026])
    months, customers = HISTORY + PLAYED, 60
    home = random.choice(4, customers, p=[0.38, 0.27, 0.2, 0.15])
    size = random.lognormal(0.0, 0.9, customers)
    share = random.uniform(0.1, 0.2)
    size[0] = share / (1 - share) * size[1:].sum()
    contract = random.random(customers) < 0.5
    contract[0] = random.random() < 0.8
    second = random.random(customers) < 0.25
    second[0] = False
    owner = np.concatenate([np.arange(customers), np.flatnonzero(second)])
    where = np.concatenate([home, (home[second] + 1) % 4])
    part = np.concatenate([np.where(second, 0.7, 1.0), np.full(int(second.sum()), 0.3)])

    calendar = (np.arange(months) + FIRST.month - 1) % 12
    kinds = random.integers(0, 3, customers)
    seasons = np.exp(np.stack([_season(random, strength) for strength in (0.05, 0.15, 0.3)]))
    growth = np.exp(random.normal(0.01, 0.05, customers)[:, None] * np.arange(months) / 12)
    # The whole trade breathes: a slow cycle, and months that are good or bad for all.
    cycle = np.cumsum(random.normal(0, 0.01, months)) + random.standard_t(5, months) * 0.015
    level = (size[:, None] * seasons[kinds][:, calendar] * growth)[owner] * part[:, None] * np.exp(cycle)
    # Contract buyers order many times in a month, spot buyers in some months, then a lot.
    often = np.where(contract[owner], random.uniform(6, 30, len(owner)), random.uniform(0.8, 5, len(owner)))
    rate = level / size[owner, None] * often[:, None]
    spot = np.where(contract[owner, None], 1.0, np.where(random.random(rate.shape) < 0.5, 2.0, 0.0))
    lot = 100 * size[owner] / often
    table = pl.DataFrame(
        {"organization": [f"O{at}" for at in where], "customer": [f"K-{at:03d}" for at in owner]}
    )
    order = np.lexsort((owner, where))
    hierarchy = Hierarchy.of(KEYS, LEVELS, table)
    big = np.flatnonzero(owner[order] == 0)
    return World(hierarchy, rate[order], lot[order], spot[order], big, seed)


def _season(random: np.random.Generator, strength: float) -> Floats:
    turn = 2 * np.pi * np.arange(12) / 12
    season: Floats = strength * np.sin(turn + random.uniform(0, 6)) + random.normal(0, strength / 3, 12)
    return season - season.mean()
