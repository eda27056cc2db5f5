"""The grouped hierarchy: which leaves add up to which node."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy import sparse

from forecasting.arrays import Bools, Floats, Ints
from forecasting.errors import BadHierarchy

type Level = tuple[str, ...]

TOTAL = "total"


def level_name(level: Level) -> str:
    """How a level is written: its keys joined by commas, `total` for the top.

    >>> level_name(("organization", "customer"))
    'organization,customer'
    >>> level_name(())
    'total'
    """
    return ",".join(level) or TOTAL


def parse_level(text: str) -> Level:
    """The level that a text names; the inverse of `level_name`."""
    keys = tuple(part.strip() for part in text.split(","))
    if keys == (TOTAL,):
        return ()
    if not all(keys):
        raise BadHierarchy(f"level {text!r} names no key; write keys joined by commas, or {TOTAL!r}")
    return keys


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Grouped levels over keys; a node is a level with a value for each of its keys.

    It is grouped, not a tree: any set of keys can be a level, `()` is the total, and the last level
    tells every leaf apart. Nodes run level by level, each level sorted by its keys; the leaves are the
    nodes of the last level in the same order. See Hyndman & Athanasopoulos, *Forecasting: Principles
    and Practice*, 3rd ed., chapter 11.

    `leaves` is a table with one text column per key and one row per leaf.
    Build one with `Hierarchy.of`, which sorts the leaves; the constructor only checks.
    """

    keys: Level
    levels: tuple[Level, ...]
    leaves: pl.DataFrame

    def __post_init__(self) -> None:
        check_keys(self.keys)
        check_levels(self.keys, self.levels)
        if tuple(self.leaves.columns) != self.keys:
            raise BadHierarchy(f"leaves have columns {self.leaves.columns}, keys are {list(self.keys)}")
        if self.leaves.is_empty():
            raise BadHierarchy("a hierarchy needs at least one leaf")
        if any(kind != pl.String for kind in self.leaves.dtypes):
            raise BadHierarchy(f"leaf keys must be text, found {self.leaves.schema}")
        if self.leaves.null_count().sum_horizontal().item():
            raise BadHierarchy("a leaf has an empty key")
        last = self.levels[-1]
        if self.leaves.select(last or self.keys).unique().height != self.leaves.height or (
            not last and self.leaves.height > 1
        ):
            raise BadHierarchy(
                f"the last level, {level_name(last)!r}, does not tell all {self.leaves.height} leaves "
                f"apart; end the levels with {level_name(self.keys)!r}"
            )

    @classmethod
    def of(cls, keys: Sequence[str], levels: Sequence[Level], leaves: pl.DataFrame) -> "Hierarchy":
        """A hierarchy over the distinct rows of `leaves`, put in canonical order."""
        check_keys(tuple(keys))
        check_levels(tuple(keys), tuple(levels))
        last = list(levels[-1])
        distinct = leaves.select(keys).unique()
        return cls(tuple(keys), tuple(levels), distinct.sort(last + [k for k in keys if k not in last]))

    @property
    def n_leaves(self) -> int:
        return self.leaves.height

    @property
    def n_nodes(self) -> int:
        return int(self.slices[-1].stop)

    @cached_property
    def codes(self) -> tuple[Ints, ...]:
        """For each level, the position within that level of each leaf's node, shape (leaves,)."""
        return tuple(_codes(self.leaves, level) for level in self.levels)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """For each level, its rows among the nodes."""
        sizes = [int(codes.max()) + 1 for codes in self.codes]
        stops = np.cumsum(sizes).tolist()
        return tuple(slice(stop - size, stop) for size, stop in zip(sizes, stops, strict=True))

    @cached_property
    def summing(self) -> sparse.csr_array:
        """The summing matrix S, shape (nodes, leaves): 1 where a leaf counts towards a node."""
        rows = np.concatenate(
            [codes + part.start for codes, part in zip(self.codes, self.slices, strict=True)]
        )
        columns = np.tile(np.arange(self.n_leaves), len(self.levels))
        ones = np.ones(len(rows))
        return sparse.csr_array((ones, (rows, columns)), shape=(self.n_nodes, self.n_leaves))

    @cached_property
    def nodes(self) -> pl.DataFrame:
        """One row per node: `level`, then each key, null where the node sums over it."""
        parts = []
        for level in self.levels:
            part = self.leaves.select(level).unique().sort(level) if level else pl.DataFrame({"": [0]})
            parts.append(
                part.select(
                    pl.lit(level_name(level)).alias("level"),
                    *(
                        pl.col(key) if key in level else pl.lit(None, pl.String).alias(key)
                        for key in self.keys
                    ),
                )
            )
        return pl.concat(parts)

    def aggregate(self, leaves: Floats) -> Floats:
        """Sum leaves upward: (leaves, columns) to (nodes, columns), coherent by construction."""
        summed: Floats = self.summing @ leaves
        return summed

    def keep(self, leaves: Bools) -> "Hierarchy":
        """The same levels over some of the leaves, shape (leaves,)."""
        return Hierarchy(self.keys, self.levels, self.leaves.filter(leaves))


def _codes(leaves: pl.DataFrame, level: Level) -> Ints:
    if not level:
        return np.zeros(leaves.height, dtype=np.int64)
    distinct = leaves.select(level).unique().sort(level).with_row_index("code")
    codes = leaves.select(level).join(distinct, on=level, how="left", maintain_order="left")["code"]
    return codes.to_numpy().astype(np.int64)


def check_keys(keys: Level) -> None:
    """Raise `BadHierarchy` for keys that cannot be keys."""
    if not keys:
        raise BadHierarchy("a hierarchy needs at least one key, for example 'material'")
    if len(set(keys)) != len(keys):
        raise BadHierarchy(f"a key is named twice in {', '.join(keys)}; name each key once")
    for key in keys:
        if not key or key == TOTAL or "," in key or ";" in key:
            raise BadHierarchy(f"{key!r} cannot be a key; use a plain column name")


def check_levels(keys: Level, levels: tuple[Level, ...]) -> None:
    """Raise `BadHierarchy` for levels that do not fit the keys."""
    if not levels:
        raise BadHierarchy(f"a hierarchy needs at least one level, for example {level_name(keys)!r}")
    seen: set[frozenset[str]] = set()
    for level in levels:
        for key in level:
            if key not in keys:
                raise BadHierarchy(
                    f"level {level_name(level)!r} names {key!r}, which is not a key; "
                    f"keys are {', '.join(keys)}"
                )
        if len(set(level)) != len(level):
            raise BadHierarchy(f"level {level_name(level)!r} names a key twice")
        if frozenset(level) in seen:
            raise BadHierarchy(f"level {level_name(level)!r} is listed twice; list each level once")
        seen.add(frozenset(level))
