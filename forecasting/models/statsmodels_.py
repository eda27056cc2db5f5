"""Exponential smoothing by maximum likelihood, from statsmodels; only workers import this."""

import numpy as np
from statsmodels.tsa.exponential_smoothing.ets import ETSModel  # type: ignore[import-untyped]  # no types

from forecasting.arrays import Floats
from forecasting.models.naive import SEASON
from forecasting.months import Month


def forecast(values: Floats, first: Month, horizon: int) -> Floats:
    """ETS(A,Ad,A) of Hyndman, Koehler, Ord & Snyder (2008), shape (horizon,); no season below two years."""
    del first
    # The optimiser stops by absolute steps; on one scale the unit of the series cannot matter.
    scale = np.abs(values).mean() or 1.0
    seasonal = len(values) >= 2 * SEASON
    model = ETSModel(
        values / scale,
        error="add",
        trend="add",
        damped_trend=True,
        seasonal="add" if seasonal else None,
        seasonal_periods=SEASON if seasonal else None,
    )
    ahead: Floats = scale * np.asarray(model.fit(disp=False).forecast(horizon))
    return ahead
