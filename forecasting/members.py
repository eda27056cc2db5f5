"""What each member of a recipe forecasts for one level, and who answered where a member could not."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Bools, Floats, Ints
from forecasting.fallbacks import ARITHMETIC, NO_NUMBER, Fallbacks
from forecasting.models.autoregression import Autoregression
from forecasting.models.in_workers import PROPHET, STATSMODELS, InWorkers
from forecasting.models.naive import Naive
from forecasting.models.protocol import Model, SeriesBatch
from forecasting.models.shared_season import SharedSeason
from forecasting.models.smoothing import Smoothing
from forecasting.models.theta import Theta
from forecasting.recipe import Member, Recipe, SlowMember

_FAST: dict[Member, Model] = {
    "smoothing": Smoothing("raw"),
    "log_smoothing": Smoothing("log"),
    "shared_season": SharedSeason(),
    "autoregression": Autoregression(),
    "theta": Theta(),
    "seasonal_naive": Naive(),
}
_SLOW: dict[SlowMember, str] = {"statsmodels": STATSMODELS, "prophet": PROPHET}


@dataclass(frozen=True, eq=False)
class Answers:
    """One forecast per member, each of shape (series, origins + 1, horizon).

    They are numbers, but at the origins that a slow member skips: there all its forecasts are NaN.
    `fallback` says of each series who answered in the place of a member.
    """

    forecasts: tuple[Floats, ...]
    fallback: Fallbacks


@dataclass(frozen=True, eq=False)
class _Answer:
    """What one member said at the `origins` that it was asked for.

    `sound`, shape (series,), tells whose forecasts are all numbers; `failure` says what the others are.
    """

    member: str
    forecasts: Floats
    origins: Ints
    sound: Bools
    failure: str = NO_NUMBER


def ask_members(recipe: Recipe, history: SeriesBatch, origins: int, horizon: int) -> Answers:
    """Ask the recipe's members, and where series are few the slow ones too.

    A series that a member fails on is answered by the first fast member that does not, or else by the
    seasonal naive.
    """
    fast = [_ask_fast(member, history, origins, horizon) for member in recipe.members]
    slow, fallback = [], Fallbacks.none(len(history.values))
    if len(history.values) <= recipe.slow_nodes:
        for member in recipe.slow_members:
            found = InWorkers(_SLOW[member], recipe.slow_seconds).labelled_hindcast(history, origins, horizon)
            sound = np.isfinite(found.forecasts[:, found.origins]).all(axis=(1, 2))
            slow.append(_Answer(member, found.forecasts, found.origins, sound))
            fallback = fallback.also(Fallbacks.of(found.fallback))
    answers = [*fast, *slow]
    if not all(answer.sound.all() for answer in answers):
        others = [*fast, _ask_fast("seasonal_naive", history, origins, horizon)]
        for answer in answers:
            fallback = fallback.also(_stand_in(answer, others))
    return Answers(tuple(answer.forecasts for answer in answers), fallback)


def _ask_fast(member: Member, history: SeriesBatch, origins: int, horizon: int) -> _Answer:
    everywhere = np.arange(origins + 1)
    try:
        with np.errstate(all="ignore"):  # what comes of it is looked at below
            forecasts = _FAST[member].hindcast(history, origins, horizon)
    except ARITHMETIC as error:
        nothing = np.full((len(history.values), origins + 1, horizon), np.nan)
        return _Answer(member, nothing, everywhere, np.zeros(len(nothing), dtype=np.bool_), str(error))
    return _Answer(member, forecasts, everywhere, np.isfinite(forecasts).all(axis=(1, 2)))


def _stand_in(answer: _Answer, others: list[_Answer]) -> Fallbacks:
    """Put others' forecasts where an answer is none, and say whose."""
    fallback, waiting = Fallbacks.none(len(answer.sound)), ~answer.sound
    for other in others:
        rows = waiting & other.sound
        if rows.any():
            cells = np.ix_(rows, answer.origins)
            answer.forecasts[cells] = other.forecasts[cells]
            reason = f"{answer.member} failed: {answer.failure}: {other.member}"
            fallback = fallback.also(Fallbacks.where(rows, reason))
            waiting &= ~rows
    return fallback
