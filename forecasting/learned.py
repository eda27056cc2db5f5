"""What a model that learns across series says of one level, whatever happens to it."""

import numpy as np

from forecasting.fallbacks import Fallbacks
from forecasting.models.boosted import Boosted
from forecasting.models.intermittent import OrdersAndSizes
from forecasting.models.lightgbm_ import LightGBMFailed
from forecasting.models.protocol import SeriesBatch
from forecasting.models.two_part import TwoPart, own_parts

# What arithmetic can do to a fit. A compiled loop that ran in threads tells it as a SystemError.
_FAILURES = (ArithmeticError, SystemError, np.linalg.LinAlgError, LightGBMFailed)
_NO_NUMBER = "its forecast is not a number"


def learn(
    model: Boosted | OrdersAndSizes, history: SeriesBatch, horizon: int
) -> tuple[TwoPart | None, Fallbacks]:
    """The predictive distribution of the months ahead, and of each series why it is not the model's.

    Without any distribution, the members stand alone. Where only some series have none, each of them is
    forecast by how often it ordered and by its mean order.
    """
    name = "boosted" if isinstance(model, Boosted) else "orders and sizes"
    everyone = np.ones(len(history.values), dtype=np.bool_)
    try:
        with np.errstate(all="ignore"):  # what comes of it is looked at below
            fitted = model.fit(history)
            found = fitted.predict(horizon)
            sound = np.isfinite(found.mean()).all(axis=1)
    except _FAILURES as error:
        return None, Fallbacks.where(everyone, f"{name} failed: {_reason(error)}: the members alone")
    if not sound.any():
        return None, Fallbacks.where(everyone, f"{name} failed: {_NO_NUMBER}: the members alone")
    reasons = Fallbacks.where(~sound, f"{name} failed: {_NO_NUMBER}: own rate and mean order")
    return own_parts(found, ~sound, history.values, history.born), fitted.fallback.also(reasons)


def _reason(error: BaseException) -> str:
    """The first line of what went wrong, without the place in somebody's source."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].partition(" at /")[0]
