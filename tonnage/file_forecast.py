"""From a history file to a forecast file, without any database."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from forecasting.forecast import Forecast, check_probabilities, quantile_name
from forecasting.forecaster import fit
from forecasting.hierarchy import Level
from forecasting.long_table import forecast_rows
from forecasting.months import Month
from forecasting.recipe import Recipe
from tonnage.errors import BadOutput
from tonnage.forecast_file import check_output, write_rows
from tonnage.history_file import HistoryColumns, read_history
from tonnage.path_file import PathFile, write_paths


@dataclass(frozen=True)
class FileForecast:
    """What to forecast: a file, how to read it, what to answer, by which recipe, and where paths go."""

    history: Path
    columns: HistoryColumns
    levels: tuple[Level, ...]
    horizon: int
    probabilities: tuple[float, ...]
    recipe: Recipe
    paths: PathFile | None = None


@dataclass(frozen=True)
class WrittenForecast:
    """What was written."""

    nodes: int
    first: Month
    empty_quantities: int
    seconds: float


def rows_as_asked(
    forecast: Forecast, levels: Sequence[Level], probabilities: Sequence[float]
) -> pl.DataFrame:
    """The forecast's rows, everything up to the mean in front, then the quantiles in the order asked for."""
    rows = forecast_rows(forecast, levels)
    asked = [quantile_name(probability) for probability in probabilities]
    return rows.select(*rows.columns[: rows.columns.index("mean") + 1], *asked, "fallback")


def forecast_file(question: FileForecast, output: Path, on_stage: Callable[[str], None]) -> WrittenForecast:
    """Answer a question about a file in a file; each file is written whole or not at all, paths last."""
    started = time.perf_counter()
    check_output(output)
    if question.paths is not None:
        check_output(question.paths.path)
        if question.paths.path.resolve() == output.resolve():
            raise BadOutput(output, "it is to hold both the forecast and the sample paths; name two files")
    ascending = tuple(sorted(question.probabilities))
    check_probabilities(ascending)
    on_stage("read")
    history = read_history(question.history, question.columns, question.levels)
    on_stage("fit")
    fitted = fit(question.recipe, history.panel, question.horizon)
    on_stage("forecast")
    forecast = fitted.forecast(ascending)
    on_stage("write")
    rows = rows_as_asked(forecast, question.levels, question.probabilities)
    write_rows(rows, output)
    if question.paths is not None:
        on_stage("sample paths")
        write_paths(question.paths, fitted)
    seconds = time.perf_counter() - started
    return WrittenForecast(rows.height // question.horizon, forecast.first, history.empty_quantities, seconds)
