"""Forecasts of history that a caller brings along: what the service asks of the process that makes them."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class PredictQuestion:
    """A history as CSV, its columns, and what is to be answered, as CSV or as JSON."""

    history: bytes
    keys: tuple[str, ...]
    month: str
    quantity: str
    levels: tuple[str, ...] | None
    horizon: int
    probabilities: tuple[float, ...]
    recipe: str | None
    csv: bool


class Predictor(Protocol):
    """Answers one question after the other, each in a process of its own that keeps nothing.

    Raises `BadHistory`, `PredictorBusy`, `PredictorStarting`, `PredictionTooLong` and `PredictorLost`.
    """

    def __call__(self, question: PredictQuestion) -> bytes: ...

    @property
    def waiting(self) -> int:
        """How many questions wait for their turn."""
        ...

    @property
    def busy(self) -> int:
        """How many are being answered."""
        ...
