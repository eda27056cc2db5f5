"""A level of a published run as a model of its own: the only code that its readers need.

MLflow copies this file beside the numbers and loads it by itself, so it imports nothing of the house.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd  # type: ignore[import-untyped]  # it ships no types

NODES, NUMBERS = "nodes.json", "numbers.npy"
MONTH = "month"
_NAMED_AT_MOST = 5


class LevelModel:
    """Answers for the nodes of one level what was published for them.

    `nodes` holds the values of `keys` of each node, `numbers` has shape (columns, nodes, months), in the
    unit of the run; `columns` are the mean and the quantiles.
    """

    def __init__(
        self,
        keys: Sequence[str],
        nodes: Sequence[Sequence[str]],
        months: Sequence[str],
        columns: Sequence[str],
        numbers: npt.NDArray[np.float64],
    ) -> None:
        self.columns = list(columns)
        self.numbers = numbers
        self._nodes = _Rows(keys, nodes)
        self._months = _Rows([MONTH], [[month] for month in months])

    def predict(self, asked: pd.DataFrame) -> pd.DataFrame:
        """The rows that were asked for, in their order: key columns, month, mean and quantiles.

        Each row of `asked` names keys of the level and perhaps a month; what it leaves open, by a column
        that is not there or a missing value, is answered in full. A table without rows asks for everything.
        """
        nodes: list[int] = []
        months: list[int] = []
        unknown: list[str] = []
        for row in self._said(asked):
            of_node, of_month = self._nodes.find(row), self._months.find(row)
            if not of_node:
                unknown.append(self._nodes.told(row))
            if not of_month:
                first, last = self._months.rows[0][0], self._months.rows[-1][0]
                unknown.append(f"{self._months.told(row)} (there are {first} to {last})")
            nodes += [node for node in of_node for _ in of_month]
            months += of_month * len(of_node)
        if unknown:
            more = f" and {len(unknown) - _NAMED_AT_MOST} more" if len(unknown) > _NAMED_AT_MOST else ""
            raise ValueError(f"there is no forecast for {'; '.join(unknown[:_NAMED_AT_MOST])}{more}")
        texts = self._nodes.columns(nodes) | self._months.columns(months)
        return pd.DataFrame(texts | dict(zip(self.columns, self.numbers[:, nodes, months], strict=True)))

    def _said(self, asked: pd.DataFrame) -> list[dict[str, str]]:
        """What each row says; a table without rows is one row that says nothing."""
        if not len(asked):
            return [{}]
        known = (*self._nodes.names, MONTH)
        names = [name for name in known if name in asked.columns]
        if not names:
            raise ValueError(f"no column says what is asked for; there are {', '.join(known)}")
        rows = zip(*(asked[name].tolist() for name in names), strict=True)
        return [
            {name: str(value) for name, value in zip(names, row, strict=True) if not pd.isna(value)}
            for row in rows
        ]


class _Rows:
    """Rows of texts, found by any of their columns."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.names = list(names)
        self.rows = rows
        self._found: dict[tuple[int, ...], Mapping[tuple[str, ...], list[int]]] = {}

    def find(self, said: Mapping[str, str]) -> list[int]:
        """Positions of the rows that have what is said of them; all where nothing is."""
        places = tuple(at for at, name in enumerate(self.names) if name in said)
        if places not in self._found:
            positions = defaultdict(list)
            for at, row in enumerate(self.rows):
                positions[tuple(row[place] for place in places)].append(at)
            self._found[places] = positions
        return self._found[places].get(tuple(said[self.names[place]] for place in places), [])

    def columns(self, positions: Sequence[int]) -> dict[str, list[str]]:
        return {name: [self.rows[row][at] for row in positions] for at, name in enumerate(self.names)}

    def told(self, said: Mapping[str, str]) -> str:
        return ", ".join(f"{name} = {said[name]!r}" for name in self.names if name in said)


def _load_pyfunc(folder: str) -> LevelModel:
    """The model whose files are in a folder; MLflow calls it by this name."""
    described = json.loads((Path(folder) / NODES).read_text(encoding="utf-8"))
    numbers = np.load(Path(folder) / NUMBERS, allow_pickle=False)
    return LevelModel(
        described["keys"], described["nodes"], described["months"], described["columns"], numbers
    )
