"""Control charts: when a series of standardised errors has left its bounds, and when it is back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats

# So many months of exactly standard errors are believed beforehand: of few months a scale is a guess.
_BELIEVED = 12
_WINSOR = 3.0
CALM, CALM_MONTHS = 2.0, 3
"""Errors are back in bounds after three months within two standard deviations."""


@dataclass(frozen=True)
class Rule:
    """How much it takes to raise an alarm, found by simulation (benchmarks/drift.py).

    A month adds to the two-sided chart what its error exceeds `slack` by, in standard deviations, and to
    the chart of sizes what its square exceeds `square_slack` by; above `most` or `square_most` there is an
    alarm. The first `warm_up` months only teach.
    """

    most: float
    square_most: float
    slack: float = 1.0
    square_slack: float = 4.0
    warm_up: int = 6


@dataclass(frozen=True)
class Episode:
    """A time out of bounds: positions in the series; `closed` is None while it lasts.

    `since` is the first month that adds to the alarm in `opened`. `chart` is more, less or size.
    """

    since: int
    opened: int
    closed: int | None
    chart: str
    statistic: float
    threshold: float


def episodes(errors: Sequence[float] | Floats, rule: Rule) -> tuple[Episode, ...]:
    """Every time out of bounds of a series of about standard errors, shape (months,); NaN is no news.

    Each month is first centred and widened, never narrowed, by what the months before it were like, but
    for those out of bounds: an error that was always there is no drift, and neither is a forecast that is
    always too sure of itself. Then two-sided CUSUM (Page 1954), with a third chart of squares (Hawkins 1981)
    for a world that swings both ways. All charts start anew once the errors are back in bounds.
    """
    past: list[float] = []
    found: list[Episode] = []
    state, start = {"more": 0.0, "less": 0.0, "size": 0.0}, dict.fromkeys(("more", "less", "size"), 0)
    calm = 0
    for at, raw in enumerate(np.asarray(errors, np.float64)):
        if not np.isfinite(raw):
            continue
        error = _standardised(float(raw), past)
        if found and found[-1].closed is None:
            calm = calm + 1 if abs(error) <= CALM else 0
            if calm == CALM_MONTHS:
                found[-1] = Episode(**{**vars(found[-1]), "closed": at})
                state = dict.fromkeys(state, 0.0)
            continue
        warm = len(past) >= rule.warm_up
        past.append(float(np.clip(raw, -_WINSOR, _WINSOR)))
        if not warm:
            continue
        added = {
            "more": error - rule.slack,
            "less": -error - rule.slack,
            "size": error**2 - rule.square_slack,
        }
        for chart, amount in added.items():
            start[chart] = at if state[chart] == 0.0 else start[chart]
            state[chart] = max(0.0, state[chart] + amount)
        limits = {"more": rule.most, "less": rule.most, "size": rule.square_most}
        # The chart furthest beyond its limit tells what happened.
        chart = max(state, key=lambda each: state[each] / limits[each])
        if state[chart] > limits[chart]:
            found.append(Episode(start[chart], at, None, chart, state[chart], limits[chart]))
            calm = 0
    return tuple(found)


def _standardised(error: float, past: Sequence[float]) -> float:
    """An error beside those before it, with a dozen standard ones believed beforehand."""
    known = _BELIEVED + len(past)
    centre = sum(past) / known
    variance = (_BELIEVED + sum((each - centre) ** 2 for each in past)) / known
    return (error - centre) / float(np.sqrt(max(1.0, variance)))
