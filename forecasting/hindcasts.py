"""What would have been forecast at past origins, and how far from what came."""

from dataclasses import dataclass, replace

import numpy as np

from forecasting.arrays import Floats
from forecasting.blocks import blocks
from forecasting.calendar_effects import calendar_factors
from forecasting.combine import error_and_scale, relative_error, weigh
from forecasting.fallbacks import Fallbacks
from forecasting.members import ask_members
from forecasting.models.protocol import SeriesBatch
from forecasting.recipe import Recipe

MOST_ORIGINS = 96
_LEARNING_MONTHS = 36


@dataclass(frozen=True, eq=False)
class Hindcasts:
    """Forecasts at past origins and now, shape (series, origins + 1, horizon).

    `fallback` says of each series who answered in the place of a member.
    """

    forecasts: Floats
    fallback: Fallbacks

    @property
    def now(self) -> Floats:
        """The forecasts made at the end of history, shape (series, horizon)."""
        return self.forecasts[:, -1]


def count_origins(months: int, most: int = MOST_ORIGINS) -> int:
    """How many past origins to learn errors from: those with three years before them, at most `most`.

    Shorter history gives a few origins with less behind them: some errors are better than none.
    """
    return min(most, max(months - _LEARNING_MONTHS, min(months - 1, 12)))


def errors_of(values: Floats, forecasts: Floats) -> Floats:
    """Actual minus forecast, shape (series, origins, horizon), from history of shape (series, months)."""
    origins, horizon = forecasts.shape[1] - 1, forecasts.shape[2]
    padded = np.pad(values, ((0, 0), (0, horizon)), constant_values=np.nan)
    came = np.lib.stride_tricks.sliding_window_view(padded, horizon, axis=1)
    errors: Floats = came[:, values.shape[1] - origins : values.shape[1]] - forecasts[:, :-1]
    return errors


def hindcast(recipe: Recipe, history: SeriesBatch, origins: int, horizon: int) -> Hindcasts:
    """The recipe's members averaged over all series of a batch, weighted by their past errors.

    If the recipe says so they see months as long as a normal one, without the effects of working days
    and Easter, which are put back into what they forecast: into the past by what all other months teach.
    """
    level = np.abs(history.values).mean(axis=1)
    months = history.n_months
    calendar = np.ones((len(level), months + horizon))
    plain = history
    if recipe.calendar:
        calendar, unseen = calendar_factors(history, origins, horizon)
        plain = replace(history, values=history.values / calendar[:, :months])
        calendar[:, months - origins : months] = unseen
    ahead = np.lib.stride_tricks.sliding_window_view(calendar, horizon, axis=1)[:, -origins - 1 :]
    answers = ask_members(recipe, plain, origins, horizon)
    for made in answers.forecasts:
        np.maximum(made, 0.0, out=made)
        np.multiply(made, ahead, out=made)
    return Hindcasts(_average(list(answers.forecasts), history.values, level), answers.fallback)


def _average(forecasts: list[Floats], values: Floats, level: Floats) -> Floats:
    """The members' weighted mean at each origin, shape (series, origins + 1, horizon).

    Where slow members skip an origin the others stand alone. Weights come from the past origins that
    those averaged have in common, so that no member is judged by easier months than another.
    """
    if len(forecasts) == 1:
        return forecasts[0]
    given = np.array([np.isfinite(each[0, :, 0]) for each in forecasts])
    if given.all():
        found = [past_error(values, each, level) for each in forecasts]
        return add_up(forecasts, weigh(found, given.shape[1] - 1))
    average = np.zeros_like(forecasts[0])
    for there in np.unique(given, axis=1).T:
        those = [each for each, one in zip(forecasts, there, strict=True) if one]
        common = given[there].all(axis=0)
        found = []
        for each in those:
            errors = errors_of(values, each)
            errors[:, ~common[:-1]] = np.nan
            found.append(relative_error(errors, level))
        at = (given == there[:, None]).all(axis=0)
        for weight, each in zip(weigh(found, int(common[:-1].sum())), those, strict=True):
            average[:, at] += weight * each[:, at]
    return average


def past_error(values: Floats, forecasts: Floats, level: Floats) -> float:
    """The relative error of past forecasts, read block by block of series."""
    parts = [
        error_and_scale(errors_of(values[block], forecasts[block]), level[block])
        for block in blocks(len(values))
    ]
    total, scale = (sum(each) for each in zip(*parts, strict=True))
    return total / scale if scale > 0 else float("nan")


def add_up(forecasts: list[Floats], weights: Floats) -> Floats:
    """The weighted mean of arrays (series, …), which are used up: a million series have no room for more."""
    average = forecasts[0]
    average *= weights[0]
    for weight, each in zip(weights[1:], forecasts[1:], strict=True):
        np.multiply(each, weight, out=each)
        average += each
    return average
