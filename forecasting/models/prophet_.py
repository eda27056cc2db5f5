"""Prophet with a yearly season; only workers import this."""

import logging

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types

from forecasting.arrays import Floats
from forecasting.months import Month, months_from

# Both libraries set up their loggers when imported and talk through them at every fit.
for _name in ("prophet", "prophet.plot", "cmdstanpy"):
    logging.getLogger(_name).disabled = True

from prophet import Prophet  # noqa: E402  # after its loggers are silent: it speaks while it is imported

_SEED = 1


def forecast(values: Floats, first: Month, horizon: int) -> Floats:
    """The trend with changepoints and yearly season of Taylor & Letham (2018), shape (horizon,)."""
    days = pd.to_datetime([month.first_day for month in months_from(first, len(values) + horizon)])
    model = Prophet(
        yearly_seasonality=True, weekly_seasonality=False, daily_seasonality=False, uncertainty_samples=0
    )
    model.fit(pd.DataFrame({"ds": days[: len(values)], "y": values}), seed=_SEED)
    ahead = model.predict(pd.DataFrame({"ds": days[len(values) :]}))
    return np.asarray(ahead["yhat"], dtype=np.float64)
