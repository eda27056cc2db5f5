"""Why a forecast must not be shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecasting.arrays import Bools
from forecasting.forecast import Forecast
from forecasting.hierarchy import parse_level
from forecasting.panel import DemandPanel
from retrain.jumps import Bounds, Shown, jumps, last_year, node_name

MOST_INCOHERENCE = 1e-6
# A few nodes that are named stand for all that are alike.
_NAMED = 3


@dataclass(frozen=True)
class Guarded:
    """What a guard found; a run with reasons is shown only with somebody's own reason for it."""

    reasons: tuple[str, ...]
    accepted: str | None = None

    @property
    def shown(self) -> bool:
        return not self.reasons or self.accepted is not None


def guard(
    forecast: Forecast,
    panel: DemandPanel,
    horizon: int,
    previous: Shown | None,
    bounds: Bounds,
    *,
    accept: str | None = None,
) -> Guarded:
    """The reasons against showing a forecast, and the reason to show it all the same, where there is one.

    `accept` is kept only where there was something to accept; an empty one accepts nothing.
    """
    reasons = tuple(reasons_to_refuse(forecast, panel, horizon, previous, bounds))
    accepted = (accept or "").strip()
    return Guarded(reasons, accepted if reasons and accepted else None)


def reasons_to_refuse(
    forecast: Forecast,
    panel: DemandPanel | None = None,
    horizon: int | None = None,
    previous: Shown | None = None,
    bounds: Bounds | None = None,
) -> list[str]:
    """Every reason against showing a forecast; none when it may be shown.

    With the panel that it was made from, also the months and nodes that it lacks and jumps against the
    same months of the last year; with what was shown last, `previous`, jumps against that. `Forecast`
    refuses most of what is looked for here when it is made; whoever publishes looks again.
    """
    bounds = Bounds() if bounds is None else bounds
    reasons = [*_gaps(forecast, panel, horizon), *_impossible(forecast), *_incoherent(forecast)]
    if previous is not None:
        reasons += jumps(forecast, previous, bounds.against_run)
    if panel is not None:
        reasons += jumps(forecast, last_year(panel), bounds.against_year)
    return reasons


def _gaps(forecast: Forecast, panel: DemandPanel | None, horizon: int | None) -> Iterator[str]:
    if horizon is not None and forecast.horizon != horizon:
        yield f"it has {forecast.horizon} months ahead, {horizon} were asked for"
    if panel is None:
        return
    if forecast.origin != panel.origin:
        yield f"it begins in {forecast.first}, and history ends in {panel.origin}"
    if panel.hierarchy.levels == forecast.hierarchy.levels and panel.hierarchy.leaves.equals(
        forecast.hierarchy.leaves
    ):
        return
    ours, theirs = panel.hierarchy.nodes, forecast.hierarchy.nodes
    columns = [name for name in ours.columns if name in theirs.columns]
    missing = ours.join(theirs, on=columns, how="anti", nulls_equal=True, maintain_order="left")
    if missing.height:
        named = [_named(row) for row in missing.head(_NAMED).iter_rows(named=True)]
        others = missing.height - len(named)
        more = f" and {others:,} more" if others else ""
        yield f"it lacks {missing.height:,} of {ours.height:,} nodes of the history: {'; '.join(named)}{more}"


def _impossible(forecast: Forecast) -> Iterator[str]:
    """Values that no forecast may have, each kind told by its first cell."""
    quantiles = [f"the quantile {probability:g}" for probability in forecast.probabilities]
    # One slice after the other: a million nodes would not fit side by side.
    for name, values in zip(["the mean", *quantiles], [forecast.mean, *forecast.quantiles], strict=True):
        for what, wrong in (("not finite", ~np.isfinite(values)), ("negative", values < 0)):
            if wrong.any():
                row, lead = _first(wrong)
                place = _place(forecast, row, lead)
                yield f"{name} of {place} is {values[row, lead]:g}; {_count(wrong)} {what}"
    named = zip(quantiles, forecast.quantiles, strict=True)
    for (lower, low), (upper, high) in pairwise(named):
        crossed = high < low
        if crossed.any():
            row, lead = _first(crossed)
            yield (
                f"quantiles of {_place(forecast, row, lead)} are out of order: "
                f"{lower} is {low[row, lead]:,.6g}, {upper} is {high[row, lead]:,.6g}; "
                f"{_count(crossed)} out of order"
            )


def _first(wrong: Bools) -> tuple[int, int]:
    """Row and lead of the first cell."""
    row, lead = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    return int(row), int(lead)


def _incoherent(forecast: Forecast) -> Iterator[str]:
    mean = forecast.mean
    summed = forecast.hierarchy.aggregate(mean[forecast.hierarchy.slices[-1]])
    known = np.isfinite(mean) & np.isfinite(summed)
    gap = np.zeros(mean.shape)
    scale = np.maximum(np.abs(summed), np.abs(mean))
    np.divide(np.abs(mean - summed), scale, out=gap, where=known & (scale > 0))
    if gap.max() > MOST_INCOHERENCE:
        row, lead = (int(at) for at in np.unravel_index(np.argmax(gap), gap.shape))
        yield (
            f"leaves do not add up to their nodes: {_place(forecast, row, lead)} is {mean[row, lead]:,.6g}, "
            f"its leaves sum to {summed[row, lead]:,.6g}, a relative gap of {gap[row, lead]:.1e} "
            f"where {MOST_INCOHERENCE:.0e} is allowed"
        )


def _place(forecast: Forecast, row: int, lead: int) -> str:
    keys = forecast.hierarchy.nodes.row(row, named=True)
    return f"{_named(keys)} in {forecast.first + lead}"


def _named(row: Mapping[str, str | None]) -> str:
    """A node's level and keys as people write them, from its row in a table of nodes."""
    level = parse_level(str(row["level"]))
    return node_name((level, tuple(str(row[key]) for key in level)))


def _count(wrong: Bools) -> str:
    cells = int(wrong.sum())
    return f"{cells:,} value is" if cells == 1 else f"{cells:,} values are"
