"""How earlier published forecasts did, from the stored scores: one table by level and lead month."""

from collections.abc import Sequence

import polars as pl

from app.store.scores import Score
from forecasting.backtest_report import ALL
from forecasting.hierarchy import level_name
from forecasting.metrics import ratio

MEASURES = ("wape", "bias", "value_added_seasonal", "mae_ratio_seasonal", "wql", "coverage_p10_p90")


def accuracy_table(scores: Sequence[Score]) -> pl.DataFrame:
    """One row for each level and lead month, and for all leads together; null where a measure is undefined.

    WAPE, bias and the weighted quantile loss are shares of demand. Value added is the seasonal naive's WAPE
    less ours, and the same as a ratio of both errors: below one, the forecast was worth having.
    """
    names = ("level", "lead", "months", "runs", "cells", *MEASURES)
    columns: dict[str, list[object]] = {name: [] for name in names}
    levels = sorted({each.level for each in scores}, key=lambda level: (len(level), level))
    for level in levels:
        here = [each for each in scores if each.level == level]
        for lead in [None, *sorted({each.lead for each in here})]:
            part = [each for each in here if lead is None or each.lead == lead]
            for name, value in _row(part).items():
                columns[name].append(value)
            columns["level"].append(level_name(level))
            columns["lead"].append(ALL if lead is None else str(lead))
    return pl.DataFrame(columns, schema=_schema()).with_columns(pl.col(MEASURES).fill_nan(None))


def _row(scores: Sequence[Score]) -> dict[str, object]:
    demand = sum(each.demand for each in scores)
    error = sum(each.absolute_error for each in scores)
    # Where history begins after a run there is no yardstick, and the comparison is of the others.
    fair = [each for each in scores if each.seasonal_error == each.seasonal_error]
    seasonal = sum(each.seasonal_error for each in fair)
    against = sum(each.absolute_error for each in fair)
    quantiles = [each for each in scores if each.pinball]
    losses = sum(2 * sum(each.pinball) / len(each.pinball) for each in quantiles)
    covered = [each for each in scores if each.within is not None]
    return {
        "months": len({each.month for each in scores}),
        "runs": len({each.run_id for each in scores}),
        "cells": sum(each.nodes for each in scores),
        "wape": float(ratio(error, demand)),
        "bias": float(ratio(sum(each.error for each in scores), demand)),
        "value_added_seasonal": float(ratio(seasonal - against, sum(each.demand for each in fair))),
        "mae_ratio_seasonal": float(ratio(against, seasonal)),
        "wql": float(ratio(losses, sum(each.demand for each in quantiles))),
        "coverage_p10_p90": float(
            ratio(
                float(sum(each.within or 0 for each in covered)), float(sum(each.nodes for each in covered))
            )
        ),
    }


def _schema() -> dict[str, pl.DataType]:
    texts = {name: pl.String() for name in ("level", "lead")}
    counts = {name: pl.Int64() for name in ("months", "runs", "cells")}
    return {**texts, **counts, **{name: pl.Float64() for name in MEASURES}}
