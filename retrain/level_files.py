"""A level of a run as files: what `level_model` reads, as text and as an array."""

import json
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl

from forecasting.arrays import Floats
from forecasting.forecast import Forecast, quantile_name
from forecasting.hierarchy import Level
from forecasting.months import months_from
from retrain.level_model import MONTH, NODES, NUMBERS


def write_level(forecast: Forecast, level: Level, folder: Path) -> None:
    """The numbers of a level, all of them, bit for bit."""
    described = {
        "keys": list(level),
        "nodes": [list(row) for row in nodes_of(forecast, level).iter_rows()] if level else [[]],
        "months": [str(month) for month in months_from(forecast.first, forecast.horizon)],
        "columns": columns_of(forecast),
    }
    (folder / NODES).write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    np.save(folder / NUMBERS, numbers_of(forecast, level), allow_pickle=False)


def write_code(folder: Path) -> Path:
    """The file of code that reads a level, as a module of its own.

    Python keeps one module per name: models of unlike code, loaded side by side, need unlike names.
    """
    code = files("retrain").joinpath("level_model.py").read_bytes()
    path = folder / f"tonnage_level_model_{sha256(code).hexdigest()[:8]}.py"
    path.write_bytes(code)
    return path


def columns_of(forecast: Forecast) -> list[str]:
    """How the numbers of a node and month are called: mean, p05, and so on."""
    return ["mean", *map(quantile_name, forecast.probabilities)]


def nodes_of(forecast: Forecast, level: Level) -> pl.DataFrame:
    """The keys of each node of a level, in the level's order."""
    return forecast.hierarchy.nodes[_part(forecast, level)].select(level)


def example_of(forecast: Forecast, level: Level) -> pl.DataFrame:
    """A question that the model of a level can answer: its first node and month."""
    nodes = forecast.hierarchy.nodes[_part(forecast, level)]
    return nodes[:1].select(*level, pl.lit(str(forecast.first)).alias(MONTH))


def numbers_of(forecast: Forecast, level: Level) -> Floats:
    """Mean and quantiles of a level, shape (columns, nodes, months)."""
    part = _part(forecast, level)
    numbers: Floats = np.concatenate([forecast.mean[None, part], forecast.quantiles[:, part]])
    return numbers


def _part(forecast: Forecast, level: Level) -> slice:
    hierarchy = forecast.hierarchy
    return hierarchy.slices[hierarchy.levels.index(level)]
