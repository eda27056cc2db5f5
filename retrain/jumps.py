"""How far the top of a forecast may be from what was said before, and from the last year."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, Level, level_name
from forecasting.months import Month, months_from
from forecasting.panel import DemandPanel
from retrain.errors import BadPlan
from retrain.plan import section

LARGEST_BOUND = 100.0
# Of the total's mean month: what moves by less is too small to hold a run back.
MATERIAL = 0.01

type Node = tuple[Level, tuple[str, ...]]
"""A level and the values of its keys: `(("organization",), ("NORD",))`; `((), ())` is the total."""
type Shown = Mapping[Node, Mapping[Month, float]]
"""What nodes were said to buy, or bought, in each month, in the panel's unit."""


@dataclass(frozen=True)
class Bound:
    """How large a difference may be, as a share of the lesser value; with what, by which setting."""

    most: float
    against: str
    setting: str


@dataclass(frozen=True)
class Bounds:
    """The bounds in `[guard]`: 0.5 allows half as much again, and two thirds; 1.0 twice as much, and half."""

    max_jump_run: float = 0.5
    max_jump_year: float = 1.0

    @property
    def against_run(self) -> Bound:
        return Bound(self.max_jump_run, "in the last published run", "guard.max_jump_run")

    @property
    def against_year(self) -> Bound:
        return Bound(self.max_jump_year, "a year before", "guard.max_jump_year")


def parse_bounds(document: Mapping[str, object]) -> Bounds:
    """The bounds in `[guard]` of a configuration; raises `BadPlan`."""
    settings = section(document, "guard", {"max_jump_run", "max_jump_year"})
    return Bounds(**{name: _bound(f"guard.{name}", value) for name, value in settings.items()})


def _bound(setting: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= LARGEST_BOUND:
        raise BadPlan(
            setting,
            value,
            f"write a share above 0 and up to {LARGEST_BOUND:g}, for example 0.5 for half as much again",
        )
    return float(value)


def node_name(node: Node) -> str:
    """A node as people write it.

    >>> node_name((("organization", "material"), ("NORD", "COIL")))
    'organization,material NORD, COIL'
    >>> node_name(((), ()))
    'total'
    """
    level, values = node
    return " ".join([level_name(level), ", ".join(values)]).rstrip()


def shown_by(forecast: Forecast) -> Shown:
    """What a forecast says of the top nodes, as the guard of the next run wants it."""
    months = months_from(forecast.first, forecast.horizon)
    return {
        node: dict(zip(months, forecast.mean[row].tolist(), strict=True))
        for node, row in _top_nodes(forecast.hierarchy)
    }


def last_year(panel: DemandPanel) -> Shown:
    """What top nodes bought in the last twelve months of history, as if said of the same months to come.

    Of the months before its birth a node says nothing.
    """
    first = max(0, panel.n_months - 12)
    bought, born = panel.hierarchy.aggregate(panel.quantity[:, first:]), panel.node_born
    return {
        node: {
            panel.first + (at + 12): float(bought[row, at - first])
            for at in range(max(first, int(born[row])), panel.n_months)
        }
        for node, row in _top_nodes(panel.hierarchy)
    }


def jumps(forecast: Forecast, before: Shown, bound: Bound) -> Iterator[str]:
    """A sentence for each top node that is too far from before in some month, about the month of most tonnes.

    Jumps are measured by the lesser of both values, so that a fall is
    as bad as the rise that undoes it; those below `MATERIAL` of the total's mean month do not count.
    """
    now = shown_by(forecast)
    months = months_from(forecast.first, forecast.horizon)
    floor = MATERIAL * float(forecast.mean[forecast.hierarchy.slices[-1]].sum(axis=0).mean())
    tops = top_levels(forecast.hierarchy)
    for node in [*now, *(node for node in before if node not in now and node[0] in tops)]:
        pairs = [(m, now.get(node, {}).get(m, 0.0), before.get(node, {}).get(m)) for m in months]
        apart = [
            (abs(new - old), month, new, old)
            for month, new, old in pairs
            if old is not None and _too_far(new, old, bound.most, floor)
        ]
        if apart:
            _, month, new, old = max(apart, key=lambda each: each[0])
            yield (
                f"{node_name(node)} in {month} is {new:,.1f}, {bound.against} {old:,.1f}: "
                f"more than {1 + bound.most:g} times apart ({bound.setting} = {bound.most:g})"
                f"{_others(len(apart) - 1)}"
            )


def _others(months: int) -> str:
    if months == 0:
        return ""
    return ", and so is 1 other month" if months == 1 else f", and so are {months} other months"


def _too_far(new: float, old: float, most: float, floor: float) -> bool:
    gap = abs(new - old)
    return gap > floor and gap > most * max(0.0, min(new, old))


def top_levels(hierarchy: Hierarchy) -> tuple[Level, ...]:
    """The total, or, where there is none, the first level: below it single orders make jumps of any size."""
    return ((),) if () in hierarchy.levels else hierarchy.levels[:1]


def _top_nodes(hierarchy: Hierarchy) -> Iterator[tuple[Node, int]]:
    """Each top node with its row."""
    for level in top_levels(hierarchy):
        part = hierarchy.slices[hierarchy.levels.index(level)]
        values = hierarchy.nodes[part].select(level).rows() if level else [()]
        for at, keys in enumerate(values):
            yield (level, keys), part.start + at
