"""A month is reviewed on a real database: twice writes once, and a crash in between loses nothing."""

import datetime as dt
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
from scipy.stats import norm

from app.store import tables
from app.store.drift_events import read_events
from app.store.engine import open_engine
from app.store.publish import publish
from app.store.reviews import ReviewTables
from app.store.scores import read_scores
from app.store.session import connected
from forecasting.arrays import Floats
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun
from retrain.drift_policy import DriftPolicy
from retrain.messages import Message
from retrain.review import Review, review_month

NOON = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)
FIRST = Month(2024, 1)
LEVELS = ((), ("organization",), ("customer",), ("organization", "customer"))
PROBABILITIES = (0.1, 0.5, 0.9)
CUSTOMERS, BIG, HORIZON = 12, 600.0, 4
POLICY = DriftPolicy()
LEFT = 20
"""Position of the first month in which K-00, a third of all, buys nothing."""


@pytest.fixture(scope="module")
def database(new_migrated: Callable[[], str]) -> Iterator[sa.Engine]:
    engine = open_engine(new_migrated())
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database: sa.Engine) -> sa.Engine:
    with database.begin() as connection:
        connection.exec_driver_sql(
            "set local session_replication_role = replica"
        )  # the audit trail guards itself
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
    return database


class Trade:
    """Twelve customers of two organizations over thirty months, and runs that know what is usual."""

    def __init__(self) -> None:
        names = [(f"O{at % 2}", f"K-{at:02d}") for at in range(CUSTOMERS)]
        schema = dict.fromkeys(("organization", "customer"), pl.String)
        self.hierarchy = Hierarchy.of(tuple(schema), LEVELS, pl.DataFrame(names, schema=schema, orient="row"))
        big = self.hierarchy.leaves["customer"].to_numpy() == "K-00"
        self.usual = np.where(big, BIG, 100.0)
        noise = 1 + 0.1 * np.random.default_rng(11).standard_normal((CUSTOMERS, 30))
        self.bought: Floats = self.usual[:, None] * noise
        self.bought[big, LEFT:26] = 0.0

    def panel(self, at: int) -> DemandPanel:
        born = np.zeros(CUSTOMERS, dtype=np.int64)
        return DemandPanel(self.hierarchy, FIRST, self.bought[:, : at + 1], born)

    def run(self, at: int, key: str = "a") -> ForecastRun:
        flat = np.ones((1, HORIZON))
        mean = self.hierarchy.aggregate(self.usual[:, None])
        spread = np.sqrt(self.hierarchy.aggregate(np.square(0.1 * self.usual)[:, None]))
        quantiles = np.stack([(mean + norm.ppf(each) * spread) * flat for each in PROBABILITIES])
        forecast = Forecast(self.hierarchy, FIRST + at + 1, mean * flat, PROBABILITIES, quantiles)
        return ForecastRun(f"{FIRST + at}-{key}", forecast, "s", "m", "t", "b")


def month(
    engine: sa.Engine,
    trade: Trade,
    at: int,
    key: str = "a",
    told: list[Message] | None = None,
    policy: DriftPolicy = POLICY,
) -> Review:
    """Publish a month and review it."""
    run = trade.run(at, key)
    publish(engine, run, NOON + dt.timedelta(days=30 * at))
    tell = (told if told is not None else []).append
    return review_month(run, trade.panel(at), store=ReviewTables(engine), policy=policy, tell=tell)


def stored(engine: sa.Engine) -> tuple[object, object]:
    with connected(engine) as connection:
        scores = connection.execute(sa.select(tables.score).order_by(*tables.score.primary_key)).all()
        events = connection.execute(sa.select(tables.drift_event)).all()
    return scores, events


def test_two_years_in_which_a_customer_leaves_and_comes_back(engine: sa.Engine) -> None:
    trade, told = Trade(), []
    reviews = [month(engine, trade, at, told=told) for at in range(10, LEFT + 1)]
    assert all(each.opened == () for each in reviews)
    seen = month(engine, trade, LEFT + 1, told=told)
    scopes = {each.scope for each in seen.opened}
    assert "customer K-00" in scopes
    assert seen.retrain
    (own,) = [each for each in seen.opened if each.scope == "customer K-00"]
    assert (own.kind, own.decision, own.opened) == ("errors", "retrain", FIRST + LEFT + 1)
    assert len(told) == 1
    assert "customer K-00" in told[0].subject

    # While it is open nothing is opened again for the same scope.
    later = [month(engine, trade, at, told=told) for at in range(LEFT + 2, 26)]
    assert all({each.scope for each in review.opened}.isdisjoint(scopes) for review in later)
    assert all("customer K-00" not in {each.scope for each in review.closed} for review in later)

    # It buys again from position 26 on: three calm months close it.
    back = [month(engine, trade, at) for at in range(26, 30)]
    closed = [each for review in back for each in review.closed if each.scope == "customer K-00"]
    assert [each.closed for each in closed] == [FIRST + 28]
    with connected(engine) as connection:
        assert "customer K-00" not in {each.scope for each in read_events(connection, only_open=True)}
        assert own.id in {each.id for each in read_events(connection)}


def test_a_review_that_is_repeated_writes_nothing_and_tells_nobody_again(engine: sa.Engine) -> None:
    trade, told = Trade(), []
    for at in range(10, LEFT + 1):
        month(engine, trade, at)
    first = month(engine, trade, LEFT + 1, told=told)
    before = stored(engine)
    again = month(engine, trade, LEFT + 1, told=told)
    assert stored(engine) == before
    assert len(told) == 1
    assert first.opened
    assert again.opened == ()
    # Whoever died before the retrain was asked for finds out again that it is wanted.
    assert first.retrain
    assert again.retrain


def test_one_drift_retrain_a_period(engine: sa.Engine) -> None:
    trade = Trade()
    for at in range(10, LEFT + 1):
        month(engine, trade, at)
    # A month of ten times as much, which the organization sees that has not lost its customer.
    trade.bought[:, LEFT + 1] *= 10
    asked = month(engine, trade, LEFT + 1, policy=DriftPolicy(levels=((),), customer_share=1.0))
    assert [(each.scope, each.decision) for each in asked.opened] == [("total", "retrain")]
    # The retrain publishes another run of the same month, and more is seen after it.
    more = month(engine, trade, LEFT + 1, key="b", policy=DriftPolicy(customer_share=1.0))
    assert {each.scope for each in more.opened} == {"organization O1"}
    assert {each.decision for each in more.opened} == {"notify"}
    assert not more.retrain


def test_every_earlier_run_is_scored_by_lead_and_months_in_between_too(engine: sa.Engine) -> None:
    trade = Trade()
    month(engine, trade, 10)
    month(engine, trade, 11)
    # Position 12 is skipped: 13 tells of both.
    month(engine, trade, 13)
    with connected(engine) as connection:
        scores = [each for each in read_scores(connection) if each.level == ()]
    assert [(each.month - FIRST, each.run_id, each.lead) for each in scores] == [
        (11, f"{FIRST + 10}-a", 1),
        (12, f"{FIRST + 10}-a", 2),
        (12, f"{FIRST + 11}-a", 1),
        (13, f"{FIRST + 10}-a", 3),
        (13, f"{FIRST + 11}-a", 2),
    ]
    came = trade.bought[:, 13].sum()
    assert scores[-1].actual == pytest.approx(came)
    assert scores[-1].absolute_error == pytest.approx(abs(trade.usual.sum() - came))


def test_the_first_month_has_nothing_to_review(engine: sa.Engine) -> None:
    found = month(engine, Trade(), 10)
    assert found == Review((), (), (), False)
