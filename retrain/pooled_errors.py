"""The errors that runs made in each month, pooled over the customers of whatever is watched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.store.past import ABSENT, PastRun
from forecasting.arrays import Floats, Ints
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month, months_from
from retrain.normal_scores import normal_scores
from retrain.scorecard import Came

LEADS = 3
"""A month is held against what was said of it one, two and three months before: when the world has moved,
the older ones do not know it yet."""
BUYER: Level = ("customer",)


@dataclass(frozen=True, eq=False)
class Detail:
    """A level of customers, and to which node of another level each of its nodes counts, shape (nodes,)."""

    number: int
    parent: Ints

    @property
    def parents(self) -> int:
        return int(self.parent.max()) + 1


def detail_of(hierarchy: Hierarchy, level: Level) -> Detail:
    """The level of fewest nodes that tells customers apart, each of whose nodes belongs to one of `level`."""
    own = hierarchy.codes[hierarchy.levels.index(level)]
    last = len(hierarchy.levels) - 1
    sizes = [part.stop - part.start for part in hierarchy.slices]
    for number in sorted(range(last), key=lambda each: sizes[each]):
        parent = np.zeros(sizes[number], np.int64)
        parent[hierarchy.codes[number]] = own
        belongs = (parent[hierarchy.codes[number]] == own).all()
        if BUYER[0] in hierarchy.levels[number] and belongs:
            return Detail(number, parent)
    parent = np.zeros(sizes[last], np.int64)
    parent[hierarchy.codes[last]] = own
    return Detail(last, parent)


def levels_to_read(hierarchy: Hierarchy, levels: Sequence[Level]) -> tuple[Level, ...]:
    """The levels at which earlier runs must be read back, to watch these and the customers."""
    needed = {*levels} & {*hierarchy.levels}
    needed |= {hierarchy.levels[detail_of(hierarchy, level).number] for level in needed}
    return tuple(level for level in hierarchy.levels if level in needed or level == BUYER)


@dataclass(frozen=True, eq=False)
class Errors:
    """What came, and by the month of its origin the run that spoke of it."""

    came: Came
    by_origin: Mapping[Month, PastRun]

    @cached_property
    def months(self) -> tuple[Month, ...]:
        """From the first month that some run spoke of to the newest."""
        panel = self.came.panel
        first = max(min((origin + 1 for origin in self.by_origin), default=panel.origin + 1), panel.first)
        return tuple(months_from(first, max(0, panel.origin - first + 1)))

    def pooled(self, detail: Detail) -> Floats:
        """Mean over the leads that were said of each month's pooled error, shape (parents, months), or NaN.

        Pooled are normal scores of the detail's nodes, each weighing as the root of what it was expected to
        buy: so a month that moves all of them a little stands out, and none of them alone does.
        """
        shape = (detail.parents, len(self.months))
        total, count = np.zeros(shape), np.zeros(shape)
        for at, month in enumerate(self.months):
            for past in self._spoke_of(month):
                pooled = self._pooled(past, month, detail)
                known = np.isfinite(pooled)
                total[known, at] += pooled[known]
                count[known, at] += 1
        mean: Floats = np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)
        return mean

    def led(self, month: Month, number: int) -> Floats:
        """What a level's nodes were expected to buy in a month, mean over the leads, shape (nodes,)."""
        hierarchy = self.came.panel.hierarchy
        part, level = hierarchy.slices[number], hierarchy.levels[number]
        led, count = np.zeros(part.stop - part.start), 0
        for past in self._spoke_of(month):
            if level in past.said:
                said = past.said[level]
                here = said.row != ABSENT
                led[said.row[here]] += said.mean[here, past.months.index(month)]
                count += 1
        return led / max(1, count)

    def _spoke_of(self, month: Month) -> list[PastRun]:
        found = [self.by_origin.get(month - lead) for lead in range(1, LEADS + 1)]
        return [past for past in found if past is not None and month in past.months]

    def _pooled(self, past: PastRun, month: Month, detail: Detail) -> Floats:
        hierarchy = self.came.panel.hierarchy
        said = past.said.get(hierarchy.levels[detail.number])
        if said is None or len(past.probabilities) < 2:
            return np.full(detail.parents, np.nan)
        place, here = past.months.index(month), said.row != ABSENT
        row, parent = said.row[here], detail.parent[said.row[here]]
        actual = self.came.nodes[hierarchy.slices[detail.number]][row, month - self.came.panel.first]
        scores = normal_scores(actual, past.probabilities, said.quantiles[:, here, place])
        weight = np.sqrt(said.mean[here, place])
        summed = np.bincount(parent, weight * scores, detail.parents)
        norm = np.sqrt(np.bincount(parent, np.square(weight), detail.parents))
        pooled: Floats = np.divide(summed, norm, out=np.full(detail.parents, np.nan), where=norm > 0)
        return pooled
