"""What every base model promises: for a batch of series, the forecasts it makes now and would have made."""

from dataclasses import dataclass
from typing import Protocol

from forecasting.arrays import Floats, Ints
from forecasting.months import Month


@dataclass(frozen=True, eq=False)
class Shared:
    """What the rest of a hierarchy tells the series of one level.

    `seasons_then` and `seasons_now`, shape (series, 12), are logarithms by month since the first, read from
    what each series is part of up to the first past origin and up to the end; `coefficients`, shape
    (origins + 1, horizon, columns), say how months follow from the year before, as known at each origin.
    """

    seasons_then: Floats
    seasons_now: Floats
    coefficients: Floats


@dataclass(frozen=True, eq=False)
class SeriesBatch:
    """Series that share a calendar, and what they share with the rest of their hierarchy, if they have one.

    `values` has shape (series, months); `born`, shape (series,), is the position of each first month.
    """

    first: Month
    values: Floats
    born: Ints
    shared: Shared | None = None

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
