"""Our models against statsforecast, in the same run, per series of 60 months.

    python benchmarks/smoothing_speed.py

Both scales of the smoothing family together are what a forecast uses. Kernels are compiled before the
clock starts, as a long run would have them. The rivals run with n_jobs=2, on fewer series.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoCES, AutoETS, AutoTheta

from forecasting.arrays import Floats
from forecasting.models.naive import Naive
from forecasting.models.protocol import Model, SeriesBatch
from forecasting.models.smoothing import Smoothing
from forecasting.models.theta import Theta
from forecasting.months import Month

MONTHS = 60
OURS = 4_000
RIVAL_SERIES = 100
HORIZON = 12


def orders(series: int) -> Floats:
    """Simulated demand with a season and a wandering level, shape (series, 60)."""
    random = np.random.default_rng(7)
    season = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(MONTHS) + random.uniform(0, 12, (series, 1))) / 12)
    walk = np.cumsum(random.normal(0, 0.03, (series, MONTHS)), axis=1)
    level = random.lognormal(4, 1, (series, 1)) * np.exp(walk)
    noisy: Floats = level * season * random.lognormal(0, 0.15, (series, MONTHS))
    return noisy


def milliseconds(work: Callable[[], object], series: int) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started) / series


def ours(models: tuple[Model, ...], origins: int) -> float:
    def run(series: int) -> None:
        batch = SeriesBatch(Month(2020, 1), orders(series), np.zeros(series, dtype=np.int64))
        for model in models:
            model.hindcast(batch, origins, HORIZON)

    run(10)
    return milliseconds(lambda: run(OURS), OURS)


def rival(model: AutoETS | AutoTheta | AutoCES) -> float:
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(RIVAL_SERIES), MONTHS),
            "ds": np.tile(pd.date_range("2020-01-01", periods=MONTHS, freq="MS"), RIVAL_SERIES),
            "y": orders(RIVAL_SERIES).ravel(),
        }
    )
    forecaster = StatsForecast(models=[model], freq="MS", n_jobs=2)
    return milliseconds(lambda: forecaster.forecast(df=table, h=HORIZON), RIVAL_SERIES)


def main() -> None:
    both = (Smoothing("raw"), Smoothing("log"))
    mine = {
        "smoothing, both scales": ours(both, 0),
        "the same with 24 past origins": ours(both, 24),
        "theta": ours((Theta(),), 0),
        "seasonal naive": ours((Naive(),), 0),
    }
    for name, cost in mine.items():
        print(f"{name:<32}{cost:9.4f} ms per series of {MONTHS} months")
    for model in (AutoETS(season_length=12), AutoTheta(season_length=12), AutoCES(season_length=12)):
        cost = rival(model)
        ratios = ", ".join(f"{cost / value:,.0f} x {name}" for name, value in mine.items())
        print(f"{type(model).__name__:<32}{cost:9.4f} ms, n_jobs=2: {ratios}")


if __name__ == "__main__":
    main()
