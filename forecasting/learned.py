"""What a model that learns across series says of one level, whatever happens to it."""

from collections.abc import Callable

import numpy as np

from forecasting.fallbacks import ARITHMETIC, NO_NUMBER, Fallbacks
from forecasting.models.boosted import Boosted
from forecasting.models.intermittent import OrdersAndSizes
from forecasting.models.lightgbm_ import LightGBMFailed
from forecasting.models.protocol import SeriesBatch
from forecasting.models.two_part import FittedTwoPart, TwoPart, own_parts

_FAILURES = (*ARITHMETIC, LightGBMFailed)


type Finish = Callable[[int], tuple[TwoPart | None, Fallbacks]]
"""From a horizon to the distribution of the months ahead, and of each series why it is not the model's.

Without any distribution, the members stand alone. Where only some series have none, each of them is
forecast by how often it ordered and by its mean order.
"""


def begin_learning(model: Boosted | OrdersAndSizes, history: SeriesBatch) -> Finish:
    """Begin to learn across series; the answer waits until the model has learned."""
    try:
        with np.errstate(all="ignore"):  # what comes of it is looked at when it is finished
            fitted = model.begin(history)
    except _FAILURES as error:
        failure = _nothing(model, history, _reason(error))
        return lambda horizon: failure
    return lambda horizon: _finish(model, fitted, history, horizon)


def _finish(
    model: Boosted | OrdersAndSizes, fitted: Callable[[], FittedTwoPart], history: SeriesBatch, horizon: int
) -> tuple[TwoPart | None, Fallbacks]:
    try:
        with np.errstate(all="ignore"):  # what comes of it is looked at below
            learned = fitted()
            found = learned.predict(horizon)
            sound = np.isfinite(found.mean()).all(axis=1)
    except _FAILURES as error:
        return _nothing(model, history, _reason(error))
    if not sound.any():
        return _nothing(model, history, NO_NUMBER)
    reasons = Fallbacks.where(~sound, f"{_name(model)} failed: {NO_NUMBER}: own rate and mean order")
    return own_parts(found, ~sound, history.values, history.born), learned.fallback.also(reasons)


def _nothing(
    model: Boosted | OrdersAndSizes, history: SeriesBatch, failure: str
) -> tuple[TwoPart | None, Fallbacks]:
    everyone = np.ones(len(history.values), dtype=np.bool_)
    return None, Fallbacks.where(everyone, f"{_name(model)} failed: {failure}: the members alone")


def _name(model: Boosted | OrdersAndSizes) -> str:
    return "boosted" if isinstance(model, Boosted) else "orders and sizes"


def _reason(error: BaseException) -> str:
    """The first line of what went wrong, without the place in somebody's source."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].partition(" at /")[0]
