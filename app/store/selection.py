"""What is asked of a run, checked against what it holds."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.refusals import BadParameter, KeyOutsideLevel, OutsideRun, UnknownKey, UnknownLevel, UnknownQuantile
from app.store.keys import KEYS, attributes_of
from forecasting.forecast import quantile_name
from forecasting.hierarchy import TOTAL, Level, level_name
from forecasting.months import Month, months_from

type Sort = Literal["nodes", "mean", "-mean"]
"""Serving order; or by the sum of the means over the months asked for, ascending or descending."""


@dataclass(frozen=True)
class PublishedRun:
    """A run as it is stored: everything but its numbers. `levels` run from the top down."""

    id: str
    origin: Month
    published_at: dt.datetime
    snapshot: str
    model: str
    unit: str
    because: str
    horizon: int
    levels: tuple[Level, ...]
    probabilities: tuple[float, ...]

    @property
    def attributes(self) -> Level:
        """The attributes that levels of the run name, sorted."""
        return attributes_of(name for level in self.levels for name in level)

    @property
    def first(self) -> Month:
        """The first month forecast."""
        return self.origin + 1

    @property
    def last(self) -> Month:
        """The last month forecast."""
        return self.origin + self.horizon


@dataclass(frozen=True)
class Selection:
    """Nodes of one level of a run, and which of their months and quantiles, in which order.

    `where` holds the values that a key or attribute may have, sorted, for some of those that the level
    names. Nodes that sort alike are in serving order. With a scope only nodes of these organizations are
    told of, with a search only those that have it in one of their values, whatever its case. Build one with
    `select_from`, which checks it against the run.
    """

    run: PublishedRun
    level: Level
    where: Mapping[str, tuple[str, ...]]
    first: Month
    last: Month
    probabilities: tuple[float, ...]
    sort: Sort = "nodes"
    scope: frozenset[str] | None = None
    search: str | None = None

    @property
    def attributes(self) -> Level:
        """The attributes that the level names, in the order of every answer."""
        return attributes_of(self.level)

    @property
    def measures(self) -> list[str]:
        """The mean and the quantiles asked for."""
        return ["mean", *map(quantile_name, self.probabilities)]

    @property
    def months(self) -> list[Month]:
        """The months asked for, in order."""
        return months_from(self.first, self.last - self.first + 1)


def select_from(
    run: PublishedRun,
    *,
    level: str = TOTAL,
    where: Mapping[str, str | Sequence[str]],
    first: Month | None = None,
    last: Month | None = None,
    probabilities: Sequence[float] | None = None,
    sort: Sort = "nodes",
    search: str | None = None,
) -> Selection:
    """What is asked of a run: a value or several for each filter; months and quantiles not named are all.

    Months that reach beyond the run on one side are cut to it, so that a fixed window keeps working
    as runs move on; a window wholly outside is an error.
    """
    keys = find_level(run, level)
    values = filters_of(run, where)
    for key in values:
        if key not in keys:
            naming = [level_name(other) for other in run.levels if set(where) <= set(other)]
            raise KeyOutsideLevel(key, values[key][0], level_name(keys), naming)
    first, last = _window(run, first, last)
    held = check_probabilities(run, probabilities)
    return Selection(run, keys, values, first, last, held, sort, search=search)


def filters_of(run: PublishedRun, where: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The values of each filter, each once and sorted; raises `UnknownKey` for what the run does not have.

    A filter without any value is none.
    """
    known = (*KEYS, *run.attributes)
    values = {
        key: (some,) if isinstance(some, str) else tuple(sorted(set(some))) for key, some in where.items()
    }
    for key, some in values.items():
        if key not in known:
            raise UnknownKey(key, ", ".join(some), known)
    return {key: some for key, some in values.items() if some}


def find_level(run: PublishedRun, text: str) -> Level:
    """The level of the run that a text names, in any order; raises `UnknownLevel`."""
    asked = () if text == TOTAL else tuple(part.strip() for part in text.split(","))
    for level in run.levels:
        if len(asked) == len(level) and set(asked) == set(level):
            return level
    raise UnknownLevel(text, [level_name(level) for level in run.levels])


def _window(run: PublishedRun, first: Month | None, last: Month | None) -> tuple[Month, Month]:
    if first is not None and last is not None and first > last:
        raise BadParameter(
            f"from {first} is after to {last}", "ask from the earlier month", field="from", value=str(first)
        )
    if first is not None and first > run.last:
        raise OutsideRun("from", str(first), str(run.first), str(run.last))
    if last is not None and last < run.first:
        raise OutsideRun("to", str(last), str(run.first), str(run.last))
    return max(first or run.first, run.first), min(last or run.last, run.last)


def check_probabilities(run: PublishedRun, asked: Sequence[float] | None) -> tuple[float, ...]:
    """Those asked for, or all of the run; raises `UnknownQuantile`."""
    if asked is None:
        return run.probabilities
    for probability in asked:
        if probability not in run.probabilities:
            raise UnknownQuantile(probability, run.probabilities)
    return tuple(asked)
