"""Why two runs say different things of the same months: tonnes of each node's change, by cause."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import polars as pl

from app.store.stored_forecast import NODE_NAMES, node_names
from forecasting.arrays import Floats
from forecasting.checksum import panel_checksum
from forecasting.forecast import Forecast
from forecasting.months import Month, months_from
from forecasting.panel import DemandPanel
from retrain.errors import NothingToCompare
from retrain.plan import Plan

type Cause = Literal["history", "actuals", "plan", "recipe", "code"]

CAUSES: tuple[Cause, ...] = get_args(Cause.__value__)
ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Causes sum up to the published difference within this share of the largest forecast that is involved."""


@dataclass(frozen=True, eq=False)
class Said:
    """Forecast means of nodes, shape (nodes, months); `nodes` has the columns `NODE_NAMES`."""

    nodes: pl.DataFrame
    first: Month
    mean: Floats

    @classmethod
    def by(cls, forecast: Forecast) -> "Said":
        """What a forecast says."""
        return cls(node_names(forecast.hierarchy), forecast.first, forecast.mean)


@dataclass(frozen=True, eq=False)
class Side:
    """One of the runs: how it was made, what was published, and its snapshot's panel for any plan."""

    plan: Plan
    said: Said
    panel: Callable[[Plan], DemandPanel]


@dataclass(frozen=True, eq=False)
class RunDiff:
    """What changed from one run to another, and why, in the runs' unit.

    `nodes` has the columns `NODE_NAMES`: those of either run at levels that both have. `before` and `after`
    have shape (nodes, months) and are zero where the run lacks the node; `causes` has shape
    (causes, nodes, months), in the order of `CAUSES`. At every level each cause adds up like a forecast.

    `history`: what the older run would have said, had its months been known as they are known now.
    `actuals`: the months between the two origins, and what began in them. `plan`: other keys, levels, horizon
    or quantiles. `recipe`: another recipe. `code`: what the code of now does not come to any more.
    """

    nodes: pl.DataFrame
    months: tuple[Month, ...]
    before: Floats
    after: Floats
    causes: Floats

    @property
    def change(self) -> Floats:
        return self.after - self.before


def explain(
    before: Side,
    after: Side,
    refit: Callable[[Plan, DemandPanel], Forecast],
    *,
    trusted: Collection[Side] = (),
) -> RunDiff:
    """Walk from one run to the other, one cause at a time; what each step moves is that cause's share.

    The steps are walked from the older origin to the newer: asked the other way round all signs turn, and
    nothing else. Runs of one origin are walked as they are asked for. Sides that are `trusted` were published
    by the very code of now, and are not fitted again. Raises `NothingToCompare`.
    """
    if after.said.first < before.said.first:
        back = explain(after, before, refit, trusted=trusted)
        return RunDiff(back.nodes, back.months, back.after, back.before, -back.causes)
    months, levels = _shared(before.said, after.said)
    known = {(side.plan.key, panel_checksum(side.panel(side.plan))): side.said for side in trusted}

    def forecast(plan: Plan, panel: DemandPanel) -> Said:
        key = (plan.key, panel_checksum(panel))
        if key not in known:
            known[key] = Said.by(refit(plan, panel))
        return known[key]

    old, new = before.plan, after.plan
    between = replace(new, recipe=old.recipe)
    now = after.panel(old)
    steps = [
        before.said,
        forecast(old, before.panel(old)),
        forecast(old, now.until(before.said.first - 1)),
        forecast(old, now),
        forecast(between, after.panel(between)),
        forecast(new, after.panel(new)),
        after.said,
    ]
    nodes = (
        pl.concat([step.nodes for step in steps])
        .filter(pl.col("level").is_in(levels))
        .unique(maintain_order=True)
    )
    published, again, history, actuals, plan, recipe, last = (_aligned(step, nodes, months) for step in steps)
    moved = [history - again, actuals - history, plan - actuals, recipe - plan]
    code = (again - published) + (last - recipe)
    return RunDiff(nodes, months, published, last, np.stack([*moved, code]))


def _shared(before: Said, after: Said) -> tuple[tuple[Month, ...], list[str]]:
    """The months that both forecast, and the levels that both have, in the order of the newer."""
    ours, theirs = (months_from(each.first, each.mean.shape[1]) for each in (before, after))
    months = tuple(month for month in theirs if month in ours)
    if not months:
        spans = [f"{each[0]} to {each[-1]}" for each in (ours, theirs)]
        raise NothingToCompare(f"one forecasts {spans[0]}, the other {spans[1]}: no month in common")
    has = set(before.nodes["level"])
    levels = [level for level in after.nodes["level"].unique(maintain_order=True) if level in has]
    if not levels:
        raise NothingToCompare("they have no level in common")
    return months, levels


def _aligned(said: Said, nodes: pl.DataFrame, months: tuple[Month, ...]) -> Floats:
    """The means of these nodes and months, zero where a node is not among those said."""
    at = said.nodes.with_row_index("at")
    row = nodes.join(at, on=list(NODE_NAMES), how="left", nulls_equal=True, maintain_order="left")["at"]
    there = row.is_not_null().to_numpy()
    start = months[0] - said.first
    mean = np.zeros((nodes.height, len(months)))
    mean[there] = said.mean[row.drop_nulls().to_numpy(), start : start + len(months)]
    return mean
