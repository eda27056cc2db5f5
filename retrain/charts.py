"""Control charts: when a series of standardised errors has left its bounds, and when it is back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

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
    past: dict[int, float] = {}
    found: list[Episode] = []
    charts = _Charts(rule)
    calm = 0
    for at, raw in enumerate(np.asarray(errors, np.float64)):
        if not np.isfinite(raw):
            continue
        error = _standardised(float(raw), past.values())
        if found and found[-1].closed is None:
            calm = calm + 1 if abs(error) <= CALM else 0
            if calm == CALM_MONTHS:
                found[-1] = replace(found[-1], closed=at)
                charts = _Charts(rule)
            continue
        if len(past) >= rule.warm_up:
            episode = charts.add(at, error)
            if episode is not None:
                found.append(episode)
                # The months that raised it are no example of what is usual.
                past = {month: each for month, each in past.items() if month < episode.since}
                calm = 0
                continue
        past[at] = float(np.clip(raw, -_WINSOR, _WINSOR))
    return tuple(found)


class _Charts:
    """The three charts, from their start."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._state = {"more": 0.0, "less": 0.0, "size": 0.0}
        self._since = dict.fromkeys(self._state, 0)

    def add(self, at: int, error: float) -> Episode | None:
        """The alarm that a month raises, if it does: which way errors went, or else that they grew."""
        rule = self._rule
        added = {
            "more": error - rule.slack,
            "less": -error - rule.slack,
            "size": error**2 - rule.square_slack,
        }
        limits = {"more": rule.most, "less": rule.most, "size": rule.square_most}
        for chart, amount in added.items():
            if self._state[chart] == 0.0:
                self._since[chart] = at
            self._state[chart] = max(0.0, self._state[chart] + amount)
        for chart, limit in limits.items():
            if self._state[chart] > limit:
                return Episode(self._since[chart], at, None, chart, self._state[chart], limit)
        return None


def _standardised(error: float, past: Collection[float]) -> float:
    """An error beside those before it, with a dozen standard ones believed beforehand."""
    known = _BELIEVED + len(past)
    centre = sum(past) / known
    variance = (_BELIEVED + sum((each - centre) ** 2 for each in past)) / known
    return (error - centre) / float(np.sqrt(max(1.0, variance)))
