"""Long tables at the core's edge: one row per key and month in, one row per node and month out."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from forecasting.arrays import Ints
from forecasting.errors import BadPanel
from forecasting.forecast import Forecast, quantile_name
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month, months_from
from forecasting.panel import DemandPanel


def panel_from_rows(
    rows: pl.DataFrame, keys: Sequence[str], levels: Sequence[Level], origin: Month | None = None
) -> DemandPanel:
    """The panel of rows with text columns `keys`, `ordinal` (of the month) and `quantity`.

    Rows of the same key and month add up; months without a row are zero from a leaf's first row on.
    History ends with `origin`, or with the last month that has a row.
    """
    if rows.is_empty():
        raise BadPanel("there is no row of history")
    hierarchy = Hierarchy.of(keys, levels, rows)
    leaf = rows.select(keys).join(
        hierarchy.leaves.with_row_index("leaf"), on=list(keys), how="left", maintain_order="left"
    )["leaf"]
    first = Month.from_ordinal(int(rows["ordinal"].min()))  # type: ignore[arg-type]  # polars types min() as any scalar
    last = origin or Month.from_ordinal(int(rows["ordinal"].max()))  # type: ignore[arg-type]  # as above
    months = last - first + 1
    cells = pl.DataFrame(
        {
            "leaf": leaf.cast(pl.Int64),
            "month": rows["ordinal"].cast(pl.Int64) - first.ordinal,
            "quantity": rows["quantity"],
        }
    ).sort("leaf", "month", "quantity")  # so that sums do not depend on the order of rows
    position = cells["leaf"].to_numpy() * months + cells["month"].to_numpy()
    size = hierarchy.n_leaves * months
    quantity = np.bincount(position, weights=cells["quantity"].to_numpy(), minlength=size)
    born = cells.group_by("leaf").agg(pl.col("month").min()).sort("leaf")["month"].to_numpy()
    return DemandPanel(hierarchy, first, quantity.reshape(hierarchy.n_leaves, months), born)


def forecast_rows(forecast: Forecast, levels: Sequence[Level]) -> pl.DataFrame:
    """The forecast of some levels as rows.

    Columns are `level`, the keys, `month` (YYYY-MM), `mean`, then the quantiles as `p05`, `p50`, …, and
    `fallback`: why another model than the recipe's answered, empty where none did.
    """
    hierarchy = forecast.hierarchy
    parts = [hierarchy.slices[hierarchy.levels.index(level)] for level in levels]
    chosen = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    months = [str(month) for month in months_from(forecast.first, forecast.horizon)]
    repeated = np.repeat(chosen, forecast.horizon)
    return (
        hierarchy.nodes[repeated]
        .with_columns(pl.Series("month", np.tile(np.array(months), len(chosen)), pl.String))
        .with_columns(pl.Series("mean", forecast.mean[chosen].ravel()))
        .with_columns(
            pl.Series(quantile_name(p), values[chosen].ravel())
            for p, values in zip(forecast.probabilities, forecast.quantiles, strict=True)
        )
        .with_columns(_fallback(forecast, repeated))
    )


def _fallback(forecast: Forecast, nodes: Ints) -> pl.Series:
    """The reason of each of these nodes, null where there is none."""
    if forecast.fallback is None:
        return pl.repeat(None, len(nodes), dtype=pl.String, eager=True).alias("fallback")
    texts = pl.Series("fallback", [text or None for text in forecast.fallback.texts], pl.String)
    return texts[forecast.fallback.codes[nodes]]
