"""A made-up steel order book: seeded, so that everybody's demo has the same lines."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecasting.arrays import Floats, Ints
from forecasting.months import Month, months_from
from tonnage.steel import MATERIALS, ORGANIZATIONS, SEGMENTS, Segment

type Days = NDArray[np.datetime64]

FIRST = Month(2020, 11)
MONTHS = 72
LAST = FIRST + (MONTHS - 1)
CUSTOMERS = 120
ORDERS_AHEAD = 2  # requested months after LAST that are in the book already, as in any ERP

_SEED = 20201102
_LINES = 150_000
_PRICE_RISE = 41  # position of the month from which an announced price rise holds
_CANCELLED, _RETURNED = 0.02, 0.008
_LOST = 0.12


@dataclass(frozen=True)
class Customer:
    """A buyer: where it orders, how, and in which months it exists."""

    id: str
    name: str
    segment: Segment
    home: int
    contract: bool
    size: float
    born: int
    gone: int


def make_order_book(seed: int = _SEED, *, lost: float = _LOST) -> pl.DataFrame:
    """About 150,000 order lines in tonnes, sorted by order date; a share `lost` of old customers leaves.

    Columns: organization, customer, material, ordered, requested (dates), tonnes (negative for a
    return), cancelled.
    """
    random = np.random.default_rng(seed)
    customers = [_customer(random, number, lost) for number in range(CUSTOMERS)]
    owner, organization, material = _leaves(random, customers)
    rate = _rates(random, customers, owner, organization, material)
    lines = random.poisson(rate * (_LINES / rate.sum()))
    return _lines(random, customers, (owner, organization, material), lines)


def _customer(random: np.random.Generator, number: int, share_lost: float) -> Customer:
    segment = SEGMENTS[int(random.choice(len(SEGMENTS), p=[s.share for s in SEGMENTS]))]
    late, lost = random.random() < 0.15, random.random() < share_lost
    return Customer(
        id=f"K-{101 + number}",
        name=f"{segment.name.title()} {101 + number}",
        segment=segment,
        home=int(random.choice(len(ORGANIZATIONS), p=[0.38, 0.27, 0.2, 0.15])),
        contract=bool(random.random() < segment.contract),
        size=float(random.lognormal(0.0, 0.7)),
        born=int(random.integers(6, MONTHS - 8)) if late else 0,
        gone=int(random.integers(MONTHS // 2, MONTHS - 2)) if lost and not late else MONTHS + ORDERS_AHEAD,
    )


def _leaves(random: np.random.Generator, customers: list[Customer]) -> tuple[Ints, Ints, Ints]:
    """Who buys what from whom: three parallel arrays of positions."""
    rows: list[tuple[int, int, int]] = []
    for position, customer in enumerate(customers):
        liked = np.array([customer.segment.forms.get(m.form, 0.02) for m in MATERIALS])
        count = int(random.integers(4, 14))
        chosen = random.choice(len(MATERIALS), size=count, replace=False, p=liked / liked.sum())
        second = int(random.integers(len(ORGANIZATIONS)))
        for material in np.sort(chosen):
            elsewhere = random.random() < 0.15
            rows.append((position, second if elsewhere else customer.home, int(material)))
    owner, organization, material = np.array(rows, dtype=np.int64).T
    return owner, organization, material


def _rates(
    random: np.random.Generator, customers: list[Customer], owner: Ints, organization: Ints, material: Ints
) -> Floats:
    """Expected order lines, shape (leaves, months)."""
    total = MONTHS + ORDERS_AHEAD
    step = np.arange(total)
    calendar = (step + FIRST.month - 1) % 12
    cycle = 1.0 + 0.12 * np.sin(2 * np.pi * step / 44.0) + np.cumsum(random.normal(0, 0.008, total))
    # An announced price rise pulls orders forward; the months after pay them back.
    pull = np.ones(total)
    pull[_PRICE_RISE - 2 : _PRICE_RISE + 3] = [1.12, 1.3, 0.74, 0.82, 0.94]
    rate = np.empty((len(owner), total))
    for row, (who, where, what) in enumerate(zip(owner, organization, material, strict=True)):
        customer, grade = customers[who], MATERIALS[what]
        season = np.array(customer.segment.season)[calendar]
        growth = np.exp((customer.segment.growth + random.normal(0, 0.03)) * step / 12.0)
        alive = (step >= max(customer.born, grade.born)) & (step < min(customer.gone, grade.gone))
        weight = customer.size * random.gamma(1.2) * (2.0 if customer.contract else 0.6)
        shut = np.where(calendar == 7, ORGANIZATIONS[where].august, np.where(calendar == 11, 0.62, 1.0))
        rate[row] = weight * season * growth * alive * shut * cycle * pull
        if not customer.contract:  # spot buyers come and go: most months nothing, then a lot
            rate[row] *= np.where(random.random(total) < 0.4, 2.5, 0.0)
    booked = np.ones(total)
    booked[MONTHS:] = [0.55, 0.2]
    rate *= booked
    return rate


def _lines(
    random: np.random.Generator, customers: list[Customer], leaves: tuple[Ints, Ints, Ints], lines: Ints
) -> pl.DataFrame:
    leaf, month = np.nonzero(lines)
    repeats = lines[leaf, month]
    leaf, month = np.repeat(leaf, repeats), np.repeat(month, repeats)
    owner, organization, material = (column[leaf] for column in leaves)
    count = len(leaf)
    lot = np.array([m.lot for m in MATERIALS])[material]
    lots = 1 + random.poisson(np.array([0.5 if c.contract else 0.9 for c in customers])[owner])
    tonnes = np.round(lot * lots * random.uniform(0.9, 1.1, count), 3)
    returned = random.random(count) < _RETURNED
    tonnes = np.where(returned, -np.round(tonnes * 0.3, 3), tonnes)
    requested = _days(random, month)
    lead = np.array([m.lead_days for m in MATERIALS])[material] + random.integers(-5, 12, count)
    return pl.DataFrame(
        {
            "organization": np.array([o.id for o in ORGANIZATIONS])[organization],
            "customer": np.array([c.id for c in customers])[owner],
            "material": np.array([m.id for m in MATERIALS])[material],
            "ordered": requested - lead.astype("timedelta64[D]"),
            "requested": requested,
            "tonnes": tonnes,
            "cancelled": random.random(count) < _CANCELLED,
        }
    ).sort("ordered", "requested", "organization", "customer", "material", "tonnes")


def _days(random: np.random.Generator, month: Ints) -> Days:
    """A day in the first 28 of each month, given as a position after FIRST."""
    starts = np.array([step.first_day for step in months_from(FIRST, MONTHS + ORDERS_AHEAD)], "datetime64[D]")
    days: Days = starts[month] + random.integers(0, 28, len(month)).astype("timedelta64[D]")
    return days
