"""Why another model than the recipe's answered, node by node."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import Bools, Ints

# What arithmetic can do to a model. A compiled loop that ran in threads tells it as a SystemError.
ARITHMETIC = (ArithmeticError, SystemError, np.linalg.LinAlgError)
NO_NUMBER = "its forecast is not a number"


@dataclass(frozen=True, eq=False)
class Fallbacks:
    """A reason per node, empty where nothing happened.

    `texts` are the distinct reasons, the first one empty; `codes`, shape (nodes,), are their places. A
    million nodes have few reasons: four megabytes instead of a million texts.
    """

    texts: tuple[str, ...]
    codes: NDArray[np.int32]

    @classmethod
    def none(cls, count: int) -> "Fallbacks":
        return cls(("",), np.zeros(count, dtype=np.int32))

    @classmethod
    def of(cls, reasons: Sequence[str]) -> "Fallbacks":
        return _among(reasons, np.arange(len(reasons)))

    @classmethod
    def where(cls, chosen: Bools, reason: str) -> "Fallbacks":
        """One reason for the chosen nodes, shape (nodes,)."""
        return _among(("", reason), chosen.astype(np.int64))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def reasons(self) -> list[str]:
        """One text per node."""
        return [self.texts[code] for code in self.codes]

    def also(self, other: "Fallbacks") -> "Fallbacks":
        """The reasons of both, with a semicolon between where a node has two."""
        if len(other.texts) == 1:
            return self
        if len(self.texts) == 1:
            return other
        pairs, codes = np.unique(
            self.codes.astype(np.int64) * len(other.texts) + other.codes, return_inverse=True
        )
        texts = [
            "; ".join(
                filter(None, (self.texts[pair // len(other.texts)], other.texts[pair % len(other.texts)]))
            )
            for pair in pairs
        ]
        return _among(texts, codes)

    def spread_out(self, rows: Ints | Bools, count: int, elsewhere: str = "") -> "Fallbacks":
        """These reasons at `rows` of `count` nodes, and another one at all others."""
        codes = np.full(count, len(self.texts))
        codes[rows] = self.codes
        return _among((*self.texts, elsewhere), codes)


def joined(parts: Sequence[Fallbacks]) -> Fallbacks:
    """The nodes of all parts, one part after the other."""
    starts = np.cumsum([0, *(len(part.texts) for part in parts)])
    codes = np.concatenate([part.codes + start for part, start in zip(parts, starts[:-1], strict=True)])
    return _among([text for part in parts for text in part.texts], codes)


def _among(texts: Sequence[str], codes: Ints) -> Fallbacks:
    """From texts that may repeat themselves to distinct ones."""
    distinct = ("", *dict.fromkeys(text for text in texts if text))
    place = {text: at for at, text in enumerate(distinct)}
    return Fallbacks(distinct, np.array([place[text] for text in texts], dtype=np.int32)[codes])
