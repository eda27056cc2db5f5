"""Whether forecasts have begun to err in another way than they used to."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.store.past import PastRun
from forecasting.arrays import Bools, Floats
from forecasting.hierarchy import Level
from forecasting.months import Month
from retrain.charts import Episode, Rule, episodes
from retrain.finding import Apart, Finding, largest, most_apart, node_at
from retrain.pooled_errors import BUYER, LEADS, Detail, Errors, detail_of
from retrain.scorecard import Came

POOLED = Rule(4.0, 14.0)
OWN = Rule(3.5, 14.0)
_EVIDENCE = 6


@dataclass(frozen=True)
class Watched:
    """What is out of bounds, and the names of all scopes that were looked at."""

    findings: tuple[Finding, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Scope:
    """A watched node, the series of its errors, and which nodes of its detail count to it."""

    number: int
    row: int
    errors: Floats
    rule: Rule
    detail: int
    members: Bools


def error_drift(
    came: Came,
    past: Sequence[PastRun],
    levels: Sequence[Level],
    *,
    share: float,
    caution: float,
    unit: str,
    also: Collection[str] = (),
) -> Watched:
    """Watch every node of `levels` by its customers' pooled errors, and large customers by their own.

    Large is who bought `share` of all tonnes in the year before the newest months, or is named in `also`. Of
    several runs from one origin the last of `past` counts. `caution` times as much is needed for an alarm as
    the rules say.
    """
    errors = Errors(came, {each.origin: each for each in past})
    found: list[Finding] = []
    names: list[str] = []
    for scope in _scopes(errors, levels, share, also):
        names.append(node_at(came.panel.hierarchy, scope.number, scope.row))
        episode = open_episode(scope.errors, scope.rule, caution)
        if episode is not None:
            found.append(_finding(errors, scope, episode, unit))
    return Watched(tuple(found), tuple(names))


def open_episode(series: Floats, rule: Rule, caution: float) -> Episode | None:
    """The time out of bounds that lasts at the end of a series, if one does."""
    careful = replace(rule, most=caution * rule.most, square_most=caution * rule.square_most)
    found = episodes(series, careful)
    return found[-1] if found and found[-1].closed is None else None


def _scopes(errors: Errors, levels: Sequence[Level], share: float, also: Collection[str]) -> Iterator[_Scope]:
    hierarchy = errors.came.panel.hierarchy
    for level in [each for each in levels if each in hierarchy.levels]:
        number, detail = hierarchy.levels.index(level), detail_of(hierarchy, level)
        for row, series in enumerate(errors.pooled(detail)):
            yield _Scope(number, row, series, POOLED, detail.number, detail.parent == row)
    if BUYER in hierarchy.levels:
        number = hierarchy.levels.index(BUYER)
        own = np.arange(hierarchy.slices[number].stop - hierarchy.slices[number].start)
        series = errors.pooled(Detail(number, own))
        for row in _large(errors.came, number, share, also):
            yield _Scope(number, row, series[row], OWN, number, own == row)


def _large(came: Came, number: int, share: float, also: Collection[str]) -> list[int]:
    hierarchy = came.panel.hierarchy
    until = max(1, came.panel.n_months - LEADS)
    year = came.nodes[hierarchy.slices[number], max(0, until - 12) : until].sum(axis=1)
    large = set(np.flatnonzero((year >= share * year.sum()) & (year > 0)).tolist())
    names = {node_at(hierarchy, number, row): row for row in range(len(year))} if also else {}
    return sorted(large | {names[name] for name in also if name in names})


def _finding(errors: Errors, scope: _Scope, episode: Episode, unit: str) -> Finding:
    came, hierarchy = errors.came, errors.came.panel.hierarchy
    spoke = range(max(episode.since, episode.opened - _EVIDENCE + 1), episode.opened + 1)
    told = [at for at in spoke if np.isfinite(scope.errors[at])]
    months = tuple(errors.months[at] for at in told)
    row = hierarchy.slices[scope.number].start + scope.row
    return Finding(
        kind="errors",
        scope=node_at(hierarchy, scope.number, scope.row),
        opened=errors.months[episode.opened],
        statistic=episode.statistic,
        threshold=episode.threshold,
        measure="demand",
        chart=episode.chart,
        months=months,
        errors=tuple(float(scope.errors[at]) for at in told),
        observed=tuple(float(came.nodes[row, month - came.panel.first]) for month in months),
        expected=tuple(float(errors.led(month, scope.number)[scope.row]) for month in months),
        unit=unit,
        tonnes=unit,
        nodes=() if scope.detail == scope.number else _apart(errors, scope, months),
    )


def _apart(errors: Errors, scope: _Scope, months: Sequence[Month]) -> tuple[Apart, ...]:
    """Who explains most of the difference of all those months together."""
    came, hierarchy = errors.came, errors.came.panel.hierarchy
    at = [month - came.panel.first for month in months]
    observed = came.nodes[hierarchy.slices[scope.detail]][:, at].sum(axis=1)
    expected = np.sum([errors.led(month, scope.detail) for month in months], axis=0)
    return most_apart(
        [
            Apart(node_at(hierarchy, scope.detail, int(row)), float(observed[row]), float(expected[row]))
            for row in largest(observed - expected, scope.members)
        ]
    )
