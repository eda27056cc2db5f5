"""A made-up trade whose forecasts are right until something happens: what is seen, and who is named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from app.store.past import PastRun, as_past
from forecasting.arrays import Floats
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.drift import Watched, error_drift
from retrain.pooled_errors import LEADS, detail_of, levels_to_read
from retrain.scorecard import what_came

PROBABILITIES = (0.05, 0.1, 0.5, 0.9, 0.95)
LEVELS = ((), ("organization",), ("customer",), ("organization", "customer"))
FIRST, MONTHS = Month(2024, 1), 24
WATCHED = ((), ("organization",))


@dataclass(frozen=True)
class Trade:
    """Customers with a mean and a spread; runs know both, and nothing of what happens."""

    hierarchy: Hierarchy
    mean: Floats
    quantity: Floats

    def panel(self) -> DemandPanel:
        born = np.zeros(len(self.quantity), dtype=np.int64)
        return DemandPanel(self.hierarchy, FIRST, self.quantity, born)

    def runs(self) -> list[PastRun]:
        nodes = self.hierarchy.aggregate(self.mean[:, None])
        spread = np.sqrt(self.hierarchy.aggregate(np.square(0.2 * self.mean)[:, None]))
        flat = np.ones((1, LEADS))
        quantiles = np.stack([(nodes + norm.ppf(each) * spread) * flat for each in PROBABILITIES])
        return [
            as_past(
                Forecast(self.hierarchy, FIRST + at + 1, nodes * flat, PROBABILITIES, quantiles),
                self.hierarchy,
                f"run-{at}",
            )
            for at in range(MONTHS - LEADS)
        ]

    def watched(self, share: float = 0.05, also: Sequence[str] = ()) -> Watched:
        came = what_came(self.panel())
        return error_drift(came, self.runs(), WATCHED, share=share, caution=1.0, unit="t", also=also)


def trade(happens: Floats | None = None, seed: int = 7) -> Trade:
    """Forty customers of two organizations; K-000 buys a seventh. The last months are `happens`
    times the mean, without any noise."""
    random = np.random.default_rng(seed)
    names = [(f"O{at % 2}", f"K-{at:03d}") for at in range(40)]
    table = pl.DataFrame(names, schema=dict.fromkeys(("organization", "customer"), pl.String), orient="row")
    hierarchy = Hierarchy.of(("organization", "customer"), LEVELS, table)
    mean = np.where(hierarchy.leaves["customer"].to_numpy() == "K-000", 650.0, 100.0)
    quantity = np.clip(mean[:, None] * (1 + 0.2 * random.standard_normal((40, MONTHS))), 0, None)
    if happens is not None:
        quantity[:, MONTHS - happens.shape[1] :] = mean[:, None] * happens
    return Trade(hierarchy, mean, quantity)


def test_nothing_happens() -> None:
    found = trade().watched()
    assert found.findings == ()
    assert found.scopes == ("total", "organization O0", "organization O1", "customer K-000")


def test_a_customer_leaves_and_is_named() -> None:
    happens = np.ones((40, 2))
    happens[0] = 0.0
    found = {each.scope: each for each in trade(happens).watched().findings}
    own = found["customer K-000"]
    assert (own.opened, own.chart, own.months[-2:]) == (FIRST + 23, "less", (FIRST + 22, FIRST + 23))
    assert own.observed[-2:] == (0.0, 0.0)
    assert own.expected[-2:] == pytest.approx((650.0, 650.0))
    assert own.words.startswith("customer K-000: demand of ")
    assert own.words.endswith(
        "0 t in 2025-11 where 650 t were expected (-100%), 0 t in 2025-12 where 650 t were expected (-100%)."
    )


def test_one_month_without_orders_is_no_drift() -> None:
    happens = np.ones((40, 2))
    happens[0, 0] = 0.0
    assert trade(happens).watched().findings == ()


def test_all_customers_take_an_eighth_more() -> None:
    found = {each.scope: each for each in trade(np.full((40, 2), 1.12)).watched().findings}
    total = found["total"]
    assert (total.chart, total.opened) == ("more", FIRST + 23)
    # Nobody alone explains it: no customer is named that has less than a tenth of it.
    assert {each.node for each in total.nodes} <= {"customer K-000"}


def test_a_swing_up_and_down_is_seen_though_it_cancels() -> None:
    happens = np.column_stack([np.full(40, 1.12), np.full(40, 0.88)])
    found = {each.scope: each for each in trade(happens).watched().findings}
    assert found["total"].chart == "size"
    assert found["total"].observed[-2] > found["total"].expected[-2]
    assert found["total"].observed[-1] < found["total"].expected[-1]


def test_a_customer_that_buys_little_by_now_is_watched_while_its_event_is_open() -> None:
    still = trade().watched(share=0.5, also=["customer K-000", "customer K-999"])
    assert still.scopes[-1] == "customer K-000"
    assert "customer K-000" not in trade().watched(share=0.5).scopes


def test_scale_does_not_matter_and_neither_does_a_leaf_that_never_buys() -> None:
    happens = np.full((40, 2), 0.8)
    before = trade(happens)
    found = before.watched().findings
    assert found
    thousand = replace(before, mean=1000 * before.mean, quantity=1000 * before.quantity).watched().findings
    assert [(each.scope, each.chart, each.opened) for each in thousand] == [
        (each.scope, each.chart, each.opened) for each in found
    ]
    assert [each.statistic for each in thousand] == pytest.approx([each.statistic for each in found])

    leaves = before.hierarchy.leaves
    nobody = pl.DataFrame([("O1", "K-999")], schema=leaves.schema, orient="row")
    wider = Hierarchy.of(("organization", "customer"), LEVELS, pl.concat([leaves, nobody]))
    order = wider.leaves["customer"].to_numpy() != "K-999"
    mean, quantity = np.zeros(41), np.zeros((41, MONTHS))
    mean[order], quantity[order] = before.mean, before.quantity
    assert Trade(wider, mean, quantity).watched().findings == found


def test_of_several_runs_from_one_origin_the_last_counts() -> None:
    made = trade()
    came = what_came(made.panel())
    runs = made.runs()
    # Runs that were replaced said half as much.
    wrong = [
        replace(
            run,
            said={
                level: replace(s, mean=s.mean / 2, quantiles=s.quantiles / 2) for level, s in run.said.items()
            },
        )
        for run in runs
    ]
    facts = {"share": 0.05, "caution": 1.0, "unit": "t"}
    assert error_drift(came, [*wrong[-4:], *runs], WATCHED, **facts).findings == ()
    assert error_drift(came, [*runs, *wrong[-4:]], WATCHED, **facts).findings != ()


def test_without_runs_or_quantiles_there_is_nothing_to_see() -> None:
    made = trade()
    came = what_came(made.panel())
    bare = [
        replace(
            run,
            probabilities=(),
            said={level: replace(s, quantiles=s.quantiles[:0]) for level, s in run.said.items()},
        )
        for run in made.runs()
    ]
    for past in ([], bare):
        found = error_drift(came, past, WATCHED, share=0.05, caution=1.0, unit="t")
        assert found.findings == ()
        assert len(found.scopes) == 4


def test_the_detail_of_a_level_tells_customers_apart() -> None:
    names = ("organization", "customer", "material")
    table = pl.DataFrame(
        [("O1", "K1", "M1"), ("O1", "K2", "M1"), ("O2", "K1", "M2")],
        schema=dict.fromkeys(names, pl.String),
        orient="row",
    )
    levels = [(), ("organization",), ("customer",), ("material",), ("organization", "customer"), names]
    hierarchy = Hierarchy.of(names, levels, table)
    assert detail_of(hierarchy, ()).number == 2
    assert detail_of(hierarchy, ("organization",)).number == 4
    assert detail_of(hierarchy, ("organization",)).parent.tolist() == [0, 0, 1]
    # A customer buys both materials elsewhere, so that only leaves belong to one each.
    assert detail_of(hierarchy, ("material",)).number in {4, 5}
    assert levels_to_read(hierarchy, [(), ("nothing",)]) == ((), ("customer",))
