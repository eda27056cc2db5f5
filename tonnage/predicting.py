"""The far end of `tonnage.predictor`: forecasts one history after the other, and keeps nothing."""

import json
import os
import socket
import traceback
from pathlib import Path
from typing import Any

import polars as pl

from forecasting.errors import BadHierarchy, ForecastingError
from forecasting.forecast import Forecast, check_probabilities, quantile_name
from forecasting.forecaster import fit
from forecasting.hierarchy import Level, level_name, parse_level
from retrain.errors import RetrainError
from retrain.recipes import shipped_recipes
from tonnage.errors import FrontDoorError
from tonnage.file_forecast import rows_as_asked
from tonnage.frames import receive, send
from tonnage.history_file import HistoryColumns, default_levels, history_of

MOST_SERIES, MOST_MONTHS, MOST_LEVELS = 1_000, 600, 16

_PLACE = Path("history")
# Whoever waits for a stored forecast comes first.
_NICE = 5
_FIRST = b"key,month,quantity\n" + b"".join(
    b"%b,20%02d-%02d,%d\n" % (key, year, month, month)
    for key in (b"a", b"b")
    for year in range(20, 24)
    for month in range(1, 13)
)


def work(file: int) -> None:
    """Answer what comes over a socket until its other end is closed."""
    os.nice(_NICE)
    with socket.socket(fileno=file) as line:
        # Compiled code is loaded when it first runs: now rather than while somebody waits.
        predict({"keys": ["key"], "month": "month", "quantity": "quantity", "levels": None, "horizon": 12,
                 "probabilities": [0.5], "recipe": None, "csv": True}, _FIRST)  # fmt: skip
        try:
            send(line, {"ready": True}, b"", None)
            while True:
                words, history = receive(line, None)
                send(line, *_answer(words, history), None)
        except (EOFError, OSError):
            return


def predict(asked: dict[str, Any], history: bytes) -> bytes:
    """The forecast of a CSV as JSON or as the CSV that `tonnage forecast` writes of the same file."""
    columns = HistoryColumns(tuple(asked["keys"]), asked["month"], asked["quantity"])
    recipe = shipped_recipes().pick(asked["recipe"])
    levels = (
        default_levels(columns.keys) if asked["levels"] is None else tuple(map(parse_level, asked["levels"]))
    )
    probabilities = tuple(asked["probabilities"])
    ascending = tuple(sorted(probabilities))
    check_probabilities(ascending)
    if len(levels) > MOST_LEVELS:
        raise BadHierarchy(f"{len(levels)} levels are asked for; ask for at most {MOST_LEVELS}")
    found = history_of(history, _PLACE, columns, levels, most_series=MOST_SERIES, most_months=MOST_MONTHS)
    forecast = fit(recipe, found.panel, asked["horizon"]).forecast(ascending)
    rows = rows_as_asked(forecast, levels, probabilities)
    if asked["csv"]:
        return rows.write_csv().encode()
    facts = {"recipe": recipe.name, "empty_quantities": found.empty_quantities}
    return json.dumps(facts | _as_json(forecast, rows, levels, probabilities), ensure_ascii=False).encode()


def _answer(asked: dict[str, Any], history: bytes) -> tuple[dict[str, object], bytes]:
    try:
        return {"answered": True}, predict(asked, history)
    except (FrontDoorError, ForecastingError, RetrainError) as refusal:
        return {"refused": str(refusal)}, b""
    except Exception:  # noqa: BLE001  # ours: it is told in the log, and the next history may fare better
        traceback.print_exc()
        return {"failed": True}, b""


def _as_json(
    forecast: Forecast, rows: pl.DataFrame, levels: tuple[Level, ...], probabilities: tuple[float, ...]
) -> dict[str, object]:
    names = ["mean", *map(quantile_name, probabilities)]
    keys = forecast.hierarchy.keys
    horizon = forecast.horizon
    nodes = []
    numbers = rows.select("month", *names).rows()
    for start, node in enumerate(rows.select("level", "fallback", *keys).gather_every(horizon).rows()):
        level, fallback, *values = node
        months = numbers[start * horizon : (start + 1) * horizon]
        nodes.append(
            {
                "level": level,
                "keys": dict(zip(keys, values, strict=True)),
                "fallback": fallback,
                "months": [dict(zip(("month", *names), month, strict=True)) for month in months],
            }
        )
    return {
        "origin": str(forecast.origin),
        "levels": [level_name(level) for level in levels],
        "quantiles": list(probabilities),
        "forecasts": nodes,
    }
