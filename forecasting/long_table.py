"""Long tables at the core's edge: one row per key and month in, one row per node and month out."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from forecasting.arrays import Bools, Floats, Ints
from forecasting.errors import BadPanel
from forecasting.forecast import Forecast, quantile_name
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month, months_from
from forecasting.panel import DemandPanel


def distinct_keys(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The distinct keys of rows, as categories, in any order."""
    _, starts = _codes_and_starts(rows, keys)
    return rows.select(pl.col(key).cast(pl.Categorical) for key in keys).filter(starts).unique()


def _codes_and_starts(rows: pl.DataFrame, keys: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """The keys as numbers, and where a row has other keys than the one before it.

    Rows of a leaf mostly follow each other; where they do, only the first of them needs a look.
    """
    codes = rows.select(pl.col(key).cast(pl.Categorical).to_physical() for key in keys)
    other = pl.any_horizontal(pl.all().ne_missing(pl.all().shift())).alias("starts")
    return codes, codes.select(other)["starts"]


def panel_from_rows(
    rows: pl.DataFrame, keys: Sequence[str], levels: Sequence[Level], origin: Month | None = None
) -> DemandPanel:
    """The panel of rows with columns `keys` of text or categories, `ordinal` (of the month) and `quantity`.

    Rows of the same key and month add up; months without a row are zero from a leaf's first row on.
    History ends with `origin`, or with the last month that has a row.
    """
    if rows.is_empty():
        raise BadPanel("there is no row of history")
    codes, starts = _codes_and_starts(rows, keys)
    firsts = distinct_keys(rows, keys)
    named = firsts.cast(pl.String)
    hierarchy = Hierarchy.of(keys, levels, named)
    places = named.join(
        hierarchy.leaves.with_row_index("leaf"), on=list(keys), how="left", maintain_order="left"
    )["leaf"]
    known = firsts.select(pl.all().to_physical()).with_columns(places)
    found = codes.filter(starts).join(known, on=list(keys), how="left", maintain_order="left")["leaf"]
    leaf = found.to_numpy()[np.cumsum(starts.to_numpy()) - 1]
    first = Month.from_ordinal(int(rows["ordinal"].min()))  # type: ignore[arg-type]  # polars types min() as any scalar
    last = origin or Month.from_ordinal(int(rows["ordinal"].max()))  # type: ignore[arg-type]  # as above
    months = last - first + 1
    position = leaf * np.int64(months) + (rows["ordinal"].to_numpy() - first.ordinal)
    quantity, filled = _summed(position, rows["quantity"].to_numpy(), hierarchy.n_leaves * months)
    born = filled.reshape(hierarchy.n_leaves, months).argmax(axis=1)
    return DemandPanel(hierarchy, first, quantity.reshape(hierarchy.n_leaves, months), born)


def _summed(position: Ints, quantity: Floats, size: int) -> tuple[Floats, Bools]:
    """Sum of the quantities at each position, shape (size,), and where there is one."""
    total = np.bincount(position, weights=quantity, minlength=size)
    filled = np.zeros(size, dtype=np.bool_)
    filled[position] = True
    if np.count_nonzero(filled) < len(position):
        # Added up by size, so that sums do not depend on the order of rows.
        order = np.lexsort((quantity, position))
        total = np.bincount(position[order], weights=quantity[order], minlength=size)
    return total, filled


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
        .with_columns(pl.Series("month", months)[np.tile(np.arange(forecast.horizon), len(chosen))])
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
