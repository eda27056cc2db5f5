"""Whether demand itself moved: each segment's newest months beside the same months of earlier years."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.hierarchy import Level
from forecasting.models.naive import SEASON
from forecasting.panel import DemandPanel
from retrain.charts import Episode, Rule
from retrain.drift import Watched, open_episode
from retrain.finding import Apart, Finding, largest, most_apart, node_at
from retrain.normal_scores import FARTHEST
from retrain.pooled_errors import detail_of

RULE = Rule(5.0, np.inf)
MATERIAL = 0.1
"""A difference of less than a tenth, mean of the months that raise it, is for nobody to act upon."""
_YEARS = 3
_TO_SCALE = 12
# Of logarithms: less than this is how numbers are rounded, not how demand differs.
_ROUNDING = 1e-9
# A month with next to nothing is as low as a month can be: its logarithm has no end.
_LEAST_SHARE = 0.02


def data_drift(panel: DemandPanel, levels: Sequence[Level], *, caution: float, unit: str) -> Watched:
    """Watch all that is measured of every node of `levels`; of several measures, the one furthest out tells.

    `caution` times as much is needed for an alarm as the rule says.
    """
    hierarchy = panel.hierarchy
    found: list[Finding] = []
    names: list[str] = []
    for level in [each for each in levels if each in hierarchy.levels]:
        number = hierarchy.levels.index(level)
        measured = measures(panel, level)
        errors = {name: np.clip(standardised(each), -FARTHEST, FARTHEST) for name, each in measured.items()}
        for row in range(hierarchy.slices[number].stop - hierarchy.slices[number].start):
            names.append(node_at(hierarchy, number, row))
            out = {
                name: episode
                for name, each in errors.items()
                if (episode := open_episode(each[row], RULE, caution)) is not None
                and _material(measured[name][row], episode)
            }
            if out:
                worst = max(out, key=lambda name: (out[name].statistic, name))
                place = _Place(number, row, worst, out[worst])
                found.append(_finding(panel, place, measured[worst], errors[worst][row], unit))
    return Watched(tuple(found), tuple(names))


def _material(measure: Floats, episode: Episode) -> bool:
    """Whether what raised an alarm differs from what was usual by a part that matters."""
    months = range(episode.since, episode.opened + 1)
    usual = np.array([expected(measure[None], at)[0] for at in months])
    came = measure[episode.since : episode.opened + 1]
    known = np.isfinite(usual) & np.isfinite(came)
    return bool(abs(came[known].sum() - usual[known].sum()) >= MATERIAL * usual[known].sum())


@dataclass(frozen=True)
class _Place:
    """A node of a level, what is out of bounds of it, and how."""

    number: int
    row: int
    measure: str
    episode: Episode


def _finding(panel: DemandPanel, place: _Place, measure: Floats, errors: Floats, unit: str) -> Finding:
    episode, number, row = place.episode, place.number, place.row
    at = [each for each in range(episode.since, episode.opened + 1) if np.isfinite(errors[each])]
    units = {"tonnes": unit, "order size": unit}
    return Finding(
        kind="data",
        scope=node_at(panel.hierarchy, number, row),
        opened=panel.first + episode.opened,
        statistic=episode.statistic,
        threshold=episode.threshold,
        measure={"tonnes": "demand", "customers": "number of customers"}.get(place.measure, place.measure),
        chart=episode.chart,
        months=tuple(panel.first + each for each in at),
        errors=tuple(errors[at].tolist()),
        observed=tuple(np.nan_to_num(measure[row, at]).tolist()),
        expected=tuple(float(expected(measure[[row]], each)[0]) for each in at),
        unit=units.get(place.measure, ""),
        tonnes=unit,
        nodes=_apart_from_last_year(panel, number, row, at),
    )


def _apart_from_last_year(panel: DemandPanel, number: int, row: int, at: Sequence[int]) -> tuple[Apart, ...]:
    """The customers that explain most of the difference to the same months of the last year."""
    hierarchy = panel.hierarchy
    detail = detail_of(hierarchy, hierarchy.levels[number])
    now, before = (
        _sums(panel.quantity[:, months], hierarchy.codes[detail.number], len(detail.parent)).sum(axis=1)
        for months in (list(at), [each - SEASON for each in at])
    )
    return most_apart(
        [
            Apart(node_at(hierarchy, detail.number, int(each)), float(now[each]), float(before[each]))
            for each in largest(now - before, detail.parent == row)
        ]
    )


def measures(panel: DemandPanel, level: Level) -> Mapping[str, Floats]:
    """What is watched of every node of a level, each of shape (nodes, months), above zero, NaN for nothing.

    Tonnes bought; how many customers bought (leaves, where customers are no key); what a leaf that bought
    took, as a geometric mean; and the sum of squared shares of customers (Herfindahl).
    """
    hierarchy = panel.hierarchy
    number = hierarchy.levels.index(level)
    segment = hierarchy.codes[number]
    segments = hierarchy.slices[number].stop - hierarchy.slices[number].start
    bought = np.clip(panel.quantity, 0, None)
    buys = bought > 0
    logs = np.log(bought, out=np.zeros(bought.shape), where=buys)
    leaves = _sums(buys.astype(np.float64), segment, segments)
    buyer, of_segment = _buyers(panel, segment)
    by_buyer = _sums(bought, buyer, len(of_segment))
    tonnes = _sums(bought, segment, segments)
    return {
        "tonnes": tonnes,
        "customers": _sums((by_buyer > 0).astype(np.float64), of_segment, segments),
        "order size": np.exp(_ratio(_sums(logs, segment, segments), leaves)),
        "concentration": _ratio(_sums(np.square(by_buyer), of_segment, segments), np.square(tonnes)),
    }


def standardised(measure: Floats) -> Floats:
    """How far each month is from the same months of earlier years, in standard deviations, shape as given.

    On logarithms: the median of the same month of up to three earlier years, each moved by the median
    difference of the last twelve months to those of its year, so that growth and season leave nothing. The
    scale is that of the months before. NaN where two years and a dozen months to scale by are not there yet.
    """
    apart = np.stack([_apart(row) for row in _logs(measure)])
    known = np.isfinite(apart)
    found = np.full(apart.shape, np.nan)
    for at in range(apart.shape[1]):
        for row in np.flatnonzero(known[:, at]):
            past = apart[row, :at][known[row, :at]]
            if len(past) < _TO_SCALE:
                continue
            spread = 1.4826 * float(np.median(np.abs(past)))
            usual = float(np.sqrt(np.mean(np.square(np.clip(past, -3 * spread, 3 * spread)))))
            if abs(apart[row, at]) <= _ROUNDING:
                found[row, at] = 0.0
            else:
                found[row, at] = apart[row, at] / max(usual, _ROUNDING)
    return found


def expected(measure: Floats, at: int) -> Floats:
    """What the same month of earlier years leads to expect in a month, shape (nodes,), as measured."""
    logs = _logs(measure)
    led: Floats = np.exp(logs[:, at] - np.array([_apart(row)[at] for row in logs]))
    return led


def _apart(logs: Floats) -> Floats:
    months = len(logs)
    apart = np.full(months, np.nan)
    for at in range(2 * SEASON, months):
        years = range(1, min(_YEARS, at // SEASON - 1) + 1)
        lately = np.arange(at - SEASON, at)
        led = [
            logs[at - SEASON * year] + np.median(logs[lately] - logs[lately - SEASON * year])
            for year in years
        ]
        apart[at] = logs[at] - np.median(led)
    return apart


def _logs(measure: Floats) -> Floats:
    """Logarithms, of next to nothing where nothing was bought; NaN throughout where nothing ever was."""
    positive = np.where(measure > 0, measure, np.nan)
    counts = np.isfinite(positive).sum(axis=1)
    usual = np.divide(
        np.nansum(positive, axis=1), counts, out=np.full(len(measure), np.nan), where=counts > 0
    )
    least = (_LEAST_SHARE * usual)[:, None]
    logs: Floats = np.log(np.where(np.isfinite(positive), np.maximum(positive, least), least))
    return logs


def _buyers(panel: DemandPanel, segment: Ints) -> tuple[Ints, Ints]:
    """For each leaf its customer within its segment, shape (leaves,), and the segment of each of these."""
    hierarchy = panel.hierarchy
    if "customer" in hierarchy.keys:
        codes = hierarchy.leaves["customer"].rank("dense").to_numpy().astype(np.int64) - 1
    else:
        codes = np.arange(hierarchy.n_leaves, dtype=np.int64)
    both = segment * (int(codes.max()) + 1) + codes
    distinct, buyer = np.unique(both, return_inverse=True)
    return buyer.astype(np.int64), distinct // (int(codes.max()) + 1)


def _sums(values: Floats, group: Ints, groups: int) -> Floats:
    summed = np.zeros((groups, values.shape[1]))
    np.add.at(summed, group, values)
    return summed


def _ratio(part: Floats, whole: Floats) -> Floats:
    quotient: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return quotient
