"""A published forecast: the numbers and where they come from."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from forecasting.errors import BadForecast
from forecasting.forecast import Forecast
from forecasting.months import Month

type Unit = Literal["t", "piece"]

_ID = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, eq=False)
class ForecastRun:
    """A forecast with its lineage; it never changes, so its id names these numbers for good.

    `id` is the origin month and the key of the model version, for example `2026-10-3f9c1a2b4d5e`.
    `because` is the sentence that says why this model was chosen.
    """

    id: str
    forecast: Forecast
    snapshot: str
    model: str
    unit: Unit
    because: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise BadForecast(f"{self.id!r} cannot be a run id; use letters, digits, '.', '_' and '-'")
        if self.unit not in get_args(Unit.__value__):
            raise BadForecast(f"unit {self.unit!r} is unknown; use 't' or 'piece'")

    @property
    def origin(self) -> Month:
        """The last month of history behind the run."""
        return self.forecast.origin
