"""What a watch found: a scope out of bounds, with its evidence in numbers and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasting.arrays import Bools, Floats, Ints
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from retrain.jumps import node_name

type Kind = Literal["errors", "data"]

MOST_NODES = 5
_TOLD = 3
_RANKED = 50
_PART = 0.1
"""A node that explains less of the difference than this is not named."""


@dataclass(frozen=True)
class Apart:
    """A node's part in what happened: what it bought in the months of the evidence, and what was expected."""

    node: str
    observed: float
    expected: float


@dataclass(frozen=True)
class Finding:
    """A scope that is out of bounds since `opened`.

    `measure` says what of it; `months` are those that speak, with the standardised error of each, and what
    came and what was expected, in `unit`; `nodes` explain most of the difference in tonnes, or whatever unit
    demand has (`tonnes`), the first most.
    """

    kind: Kind
    scope: str
    opened: Month
    statistic: float
    threshold: float
    measure: str
    chart: str
    months: tuple[Month, ...]
    errors: tuple[float, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    unit: str
    tonnes: str
    nodes: tuple[Apart, ...] = ()

    @property
    def words(self) -> str:
        """What happened, in a few sentences: the newest months one by one, then who explains most of it."""
        expected = "was usual" if self.kind == "data" else "were expected"
        months = [
            f"{_amount(came, self.unit)} in {month} where {_amount(led, self.unit)} {expected}"
            f"{_change(came, led)}"
            for month, came, led in list(zip(self.months, self.observed, self.expected, strict=True))[-_TOLD:]
        ]
        told = f"{self.scope}: {self.measure} of {', '.join(months)}."
        return " ".join([told, *(_part(each, self) for each in self.nodes)])

    def evidence(self) -> dict[str, object]:
        """Everything but what the event's own columns hold, as JSON's own types."""
        return {
            "words": self.words,
            "measure": self.measure,
            "chart": self.chart,
            "unit": self.unit,
            "months": [str(month) for month in self.months],
            "standardised": [round(error, 3) for error in self.errors],
            "observed": list(self.observed),
            "expected": list(self.expected),
            "nodes": [vars(each) for each in self.nodes],
        }


def node_at(hierarchy: Hierarchy, number: int, row: int) -> str:
    """The name of a node of a level, as people write it."""
    level, part = hierarchy.levels[number], hierarchy.slices[number]
    values = hierarchy.nodes[part].select(level).row(row) if level else ()
    return node_name((level, values))


def most_apart(nodes: Sequence[Apart]) -> tuple[Apart, ...]:
    """The few that explain most of a difference: they differ to its side, and by a part worth telling."""
    whole = sum(each.observed - each.expected for each in nodes)
    gross = sum(abs(each.observed - each.expected) for each in nodes)
    ranked = sorted(nodes, key=lambda each: (-abs(each.observed - each.expected), each.node))
    chosen = [
        each
        for each in ranked
        if (each.observed - each.expected) * whole > 0
        and abs(each.observed - each.expected) >= _PART * max(abs(whole), gross / 2)
    ]
    return tuple(chosen[:MOST_NODES])


def largest(apart: Floats, members: Bools) -> Ints:
    """The members that are furthest apart, the furthest first: enough to name the few that explain most."""
    found = np.flatnonzero(members)
    order: Ints = found[np.argsort(-np.abs(apart)[found], kind="stable")][:_RANKED]
    return order


def _amount(value: float, unit: str) -> str:
    return f"{value:,.3g} {unit}".rstrip() if abs(value) < 100 else f"{value:,.0f} {unit}".rstrip()


def _change(came: float, led: float) -> str:
    return f" ({came / led - 1:+.0%})" if led > 0 else ""


def _part(each: Apart, finding: Finding) -> str:
    came = "nothing" if each.observed == 0 else _amount(each.observed, finding.tonnes)
    led = "were bought a year before" if finding.kind == "data" else "were expected"
    return f"{each.node} bought {came} in all, where {_amount(each.expected, finding.tonnes)} {led}."
