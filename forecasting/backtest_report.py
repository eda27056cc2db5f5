"""What a backtest found: sums from which every measure at every slice is one ratio."""

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from forecasting.arrays import Floats
from forecasting.hierarchy import Level, level_name
from forecasting.metrics import ratio
from forecasting.months import Month

ALL = "all"
MEASURES = (
    "wape",
    "bias",
    "mase",
    "rmsse",
    "wql",
    "coverage",
    "value_added_seasonal",
    "value_added_last",
)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the nodes of a level, shape (origins, levels, horizon); a month before a birth is not in.

    Absolute errors are of the median and signed and squared ones of the mean, since that is what each
    of them asks for (Gneiting 2011).
    """

    cells: Floats
    abs_actual: Floats
    abs_error: Floats
    error: Floats
    seasonal_error: Floats
    """Absolute errors of the seasonal naive in the same cells."""
    last_error: Floats
    """Absolute errors of the last value in the same cells."""
    scaled: Floats
    """Absolute errors by each series' seasonal scale."""
    scaled_cells: Floats
    inside: Floats
    """Cells within the interval of the outermost quantiles."""
    pinball: Floats
    """Pinball loss, shape (origins, levels, horizon, quantiles)."""
    root_scaled: Floats
    """Each series' RMSSE, shape (origins, levels, 1 + horizon): over all leads, then of each lead."""
    root_series: Floats
    """The series in `root_scaled`, same shape."""

    @classmethod
    def zeros(cls, origins: int, levels: int, horizon: int, quantiles: int) -> "Sums":
        """Sums to be filled, origin by origin and level by level."""
        shapes = {
            "pinball": (horizon, quantiles),
            "root_scaled": (1 + horizon,),
            "root_series": (1 + horizon,),
        }
        return cls(
            **{f.name: np.zeros((origins, levels, *shapes.get(f.name, (horizon,)))) for f in fields(cls)}
        )


@dataclass(frozen=True, eq=False)
class BacktestReport:
    """How a forecaster did from past origins, by level, lead month and origin.

    `nodes` has one row per node scored: `level`, the keys, then over all origins and leads `actual`,
    `error` (absolute), `signed_error` and `seasonal_error`, in the panel's unit. `left_out` lists series
    that could not be scored fully: the keys and `reason`.
    """

    levels: tuple[Level, ...]
    origins: tuple[Month, ...]
    horizon: int
    probabilities: tuple[float, ...]
    sums: Sums
    nodes: pl.DataFrame
    left_out: pl.DataFrame

    @property
    def nominal(self) -> float:
        """The probability of the interval whose coverage is counted; NaN without two quantiles."""
        if len(self.probabilities) < 2:
            return np.nan
        return self.probabilities[-1] - self.probabilities[0]

    def measures(self) -> dict[str, Floats]:
        """Every measure, shape (1 + origins, levels, 1 + horizon), first over all origins and over all leads.

        MASE and RMSSE are means over series, and over origins where these are taken together.
        """
        s = self.sums
        demand = _with_all(s.abs_actual)
        wape = ratio(_with_all(s.abs_error), demand)
        pinball = s.pinball.mean(axis=3) if self.probabilities else np.full(s.cells.shape, np.nan)
        covered = ratio(_with_all(s.inside), _with_all(s.cells))
        return {
            "wape": wape,
            "bias": ratio(_with_all(s.error), demand),
            "mase": ratio(_with_all(s.scaled), _with_all(s.scaled_cells)),
            "rmsse": ratio(_with_all_origins(s.root_scaled), _with_all_origins(s.root_series)),
            "wql": ratio(2 * _with_all(pinball), demand),
            "coverage": covered if len(self.probabilities) > 1 else np.full(covered.shape, np.nan),
            "value_added_seasonal": ratio(_with_all(s.seasonal_error), demand) - wape,
            "value_added_last": ratio(_with_all(s.last_error), demand) - wape,
        }

    def table(self) -> pl.DataFrame:
        """One row per level, lead and origin, `all` where they are taken together; null where undefined.

        Value added is the WAPE of the naive forecast less ours: above zero, the model was worth having.
        """
        origins = [ALL, *map(str, self.origins)]
        leads = [ALL, *(str(lead) for lead in range(1, self.horizon + 1))]
        names = [level_name(level) for level in self.levels]
        labels = [(level, lead, origin) for origin in origins for level in names for lead in leads]
        rank = {level: at for at, level in enumerate(names)}
        return (
            pl.DataFrame(labels, schema=["level", "lead", "origin"], orient="row")
            .with_columns(pl.Series(name, values.ravel()) for name, values in self.measures().items())
            .with_columns(pl.col(MEASURES).fill_nan(None))
            .sort(pl.col("level").replace_strict(rank), maintain_order=True)
        )


def _with_all(values: Floats) -> Floats:
    """Sums over all leads before those of each, after the same for the origins."""
    return _with_all_origins(np.concatenate([values.sum(axis=2, keepdims=True), values], axis=2))


def _with_all_origins(values: Floats) -> Floats:
    return np.concatenate([values.sum(axis=0, keepdims=True), values])
