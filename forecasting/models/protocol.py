"""What every base model promises: fit a batch of series at once, then forecast it."""

from dataclasses import dataclass
from typing import Protocol

from forecasting.arrays import Floats, Ints
from forecasting.months import Month


@dataclass(frozen=True, eq=False)
class SeriesBatch:
    """Series that share a calendar.

    `values` has shape (series, months); `born`, shape (series,), is the position of each first month.
    """

    first: Month
    values: Floats
    born: Ints

    @property
    def n_months(self) -> int:
        return int(self.values.shape[1])


class Fitted(Protocol):
    """A model that has seen its history; "not fitted" cannot be written."""

    @property
    def residuals(self) -> Floats:
        """One-step errors inside the history, shape (series, months), zero where none exists."""
        ...

    def forecast(self, horizon: int) -> Floats:
        """Means for the months ahead, shape (series, horizon), in the history's unit."""
        ...


class Model(Protocol):
    """A way to forecast, before it has seen any history."""

    def fit(self, history: SeriesBatch) -> Fitted: ...
