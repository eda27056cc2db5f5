"""What is asked of a run, checked against what it holds."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.refusals import BadParameter, KeyOutsideLevel, OutsideRun, UnknownKey, UnknownLevel, UnknownQuantile
from app.store.keys import KEYS, attributes_of
from forecasting.hierarchy import TOTAL, Level, level_name
from forecasting.months import Month, months_from


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
    """Nodes of one level of a run, and which of their months and quantiles.

    `where` holds the value that a key or attribute must have, for some of those that the level names.
    Build one with `select_from`, which checks it against the run.
    """

    run: PublishedRun
    level: Level
    where: Mapping[str, str]
    first: Month
    last: Month
    probabilities: tuple[float, ...]

    @property
    def attributes(self) -> Level:
        """The attributes that the level names, in the order of every answer."""
        return attributes_of(self.level)

    @property
    def months(self) -> list[Month]:
        """The months asked for, in order."""
        return months_from(self.first, self.last - self.first + 1)


def select_from(
    run: PublishedRun,
    *,
    level: str = TOTAL,
    where: Mapping[str, str],
    first: Month | None = None,
    last: Month | None = None,
    probabilities: Sequence[float] | None = None,
) -> Selection:
    """What is asked of a run; months and quantiles not named are all that it holds.

    Months that reach beyond the run on one side are cut to it, so that a fixed window keeps working
    as runs move on; a window wholly outside is an error.
    """
    keys = _level(run, level)
    known = (*KEYS, *run.attributes)
    for key, value in where.items():
        if key not in known:
            raise UnknownKey(key, value, known)
        if key not in keys:
            naming = [level_name(other) for other in run.levels if set(where) <= set(other)]
            raise KeyOutsideLevel(key, value, level_name(keys), naming)
    first, last = _window(run, first, last)
    return Selection(run, keys, dict(where), first, last, _probabilities(run, probabilities))


def _level(run: PublishedRun, text: str) -> Level:
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


def _probabilities(run: PublishedRun, asked: Sequence[float] | None) -> tuple[float, ...]:
    if asked is None:
        return run.probabilities
    for probability in asked:
        if probability not in run.probabilities:
            raise UnknownQuantile(probability, run.probabilities)
    return tuple(asked)
