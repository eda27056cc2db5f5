"""Pure: a snapshot's lines to the monthly panel that models learn from; the only bridge to the core."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from ingestion.errors import EmptyMonth, UnknownKey
from ingestion.order_line import KEYS
from ingestion.snapshot import Snapshot
from ingestion.units import DemandUnit

_KILOGRAMS_PER_TONNE = 1000


def build_panel(snapshot: Snapshot, keys: Sequence[str], levels: Sequence[Level]) -> DemandPanel:
    """Demand per leaf and month, in tonnes or pieces, up to the snapshot's month.

    A leaf is born in the month of its first line, be it a return. Sums are of integers, so each value is
    the nearest float to the exact tonnage. Raises `EmptyMonth` or `UnknownKey`.
    """
    for key in keys:
        if key not in KEYS:
            raise UnknownKey(key, KEYS)
    month = pl.col("date").dt.year().cast(pl.Int64) * 12 + pl.col("date").dt.month() - 1
    lines = snapshot.lines.with_columns(month.alias("ordinal"))
    newest = lines["ordinal"].max()
    if newest != snapshot.month.ordinal:
        raise EmptyMonth(snapshot.month, Month.from_ordinal(newest) if isinstance(newest, int) else None)

    hierarchy = Hierarchy.of(keys, levels, lines)
    first = Month.from_ordinal(int(lines["ordinal"].to_numpy().min()))
    leaves = hierarchy.leaves.with_row_index("leaf")
    cells = (
        lines.group_by(*keys, "ordinal")
        .agg(pl.col("quantity").sum())
        .join(leaves, on=list(keys), how="inner")
        .select(pl.col("leaf").cast(pl.Int64), pl.col("ordinal") - first.ordinal, "quantity")
    )
    leaf, step, quantity = (cells[name].to_numpy() for name in ("leaf", "ordinal", "quantity"))

    n_months = snapshot.month - first + 1
    whole = np.zeros((hierarchy.n_leaves, n_months), dtype=np.int64)
    whole[leaf, step] = quantity
    born = np.full(hierarchy.n_leaves, n_months, dtype=np.int64)
    np.minimum.at(born, leaf, step)
    return DemandPanel(hierarchy, first, whole / _units(snapshot.demand), born)


def _units(demand: DemandUnit) -> int:
    """How many of a snapshot's integers make one unit of demand."""
    return _KILOGRAMS_PER_TONNE if demand is DemandUnit.TONNE else 1
