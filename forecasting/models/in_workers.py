"""Slow models, fitted to one series at a time in worker processes, with a named fallback."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats, Ints
from forecasting.models.naive import SEASON
from forecasting.models.protocol import SeriesBatch
from forecasting.models.smoothing import Smoothing
from forecasting.models.worker_pool import Fit, WorkerPool

STATSMODELS = "forecasting.models.statsmodels_"
PROPHET = "forecasting.models.prophet_"

_MONTHS_NEEDED = 2


@dataclass(frozen=True, eq=False)
class SlowHindcast:
    """What a slow model forecasts, shape (series, origins + 1, horizon), and where it could not.

    `origins` are those that it was fitted at, the last one being the end; all others are NaN. `fallback`,
    one text per series, says why the forecast at the end is `Smoothing`'s; else it is empty.
    """

    forecasts: Floats
    origins: Ints
    fallback: tuple[str, ...]


@dataclass(frozen=True)
class InWorkers:
    """A model that takes seconds per series, kept out of the process that waits for it.

    `module` names a Python module with `forecast(values, first, horizon)`, shape (horizon,); only workers
    import it. To fit anew each month would take hours, so there are forecasts at the end and at every
    twelfth origin before it; **all other origins are NaN**, and whoever learns from errors skips them. A
    fit that takes longer than `seconds` is killed and one that fails fails alone: `Smoothing` forecasts
    in its place.
    """

    module: str
    seconds: float = 20.0
    workers: int = 2

    @property
    def name(self) -> str:
        return self.module.rpartition(".")[2].rstrip("_")

    def hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> Floats:
        """See `Model.hindcast`; NaN at the origins between."""
        return self.labelled_hindcast(history, origins, horizon).forecasts

    def labelled_hindcast(self, history: SeriesBatch, origins: int, horizon: int) -> SlowHindcast:
        """Like `hindcast`, with the reason of each fallback.

        A series that cannot be fitted at the end is not tried at earlier origins; one that cannot be
        fitted at an earlier origin only, mostly because it was young, takes `Smoothing` there, unlabelled.
        """
        visited = list(range(origins, -1, -SEASON))
        forecasts = np.full((len(history.values), origins + 1, horizon), np.nan)
        forecasts[:, visited] = Smoothing().hindcast(history, origins, horizon)[:, visited]
        old = history.n_months - history.born >= _MONTHS_NEEDED
        fallback = ["" if one else f"{self.name} needs {_MONTHS_NEEDED} months: smoothing" for one in old]
        with WorkerPool(self.module, self.seconds, self.workers) as pool:
            for fit, answer in pool.run(_fits(history, range(len(fallback)), [0], horizon)):
                if isinstance(answer, str):
                    fallback[fit.series] = f"{self.name} {answer}: smoothing"
                else:
                    forecasts[fit.series, -1] = answer
            fitted = [series for series, reason in enumerate(fallback) if not reason]
            for fit, answer in pool.run(_fits(history, fitted, [origins - k for k in visited[1:]], horizon)):
                if not isinstance(answer, str):
                    forecasts[fit.series, origins - fit.back] = answer
        return SlowHindcast(forecasts, np.array(visited), tuple(fallback))


def _fits(history: SeriesBatch, series: Iterable[int], back: Iterable[int], horizon: int) -> Iterator[Fit]:
    """The series as known at each of these distances from the end, where they were old enough by then."""
    for i in series:
        born = int(history.born[i])
        for months in back:
            known = history.n_months - months
            if known - born >= _MONTHS_NEEDED:
                yield Fit(i, months, history.first + born, history.values[i, born:known], horizon)
