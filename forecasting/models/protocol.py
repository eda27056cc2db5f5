"""What every base model promises: for a batch of series, the forecasts it makes now and would have made."""

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


class Model(Protocol):
    """A way to forecast many series at once."""

    def hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> Floats:
        """Forecasts made at each of the last `origins` months before the end, and at the end.

        Shape (series, origins + 1, horizon), the last origin being the end of history. What is
        forecast at an origin uses no value after it, so that differences from what came are honest
        errors; combination, reconciliation and quantiles are all learned from those.
        """
        ...
