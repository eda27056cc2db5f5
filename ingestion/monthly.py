"""Pure: a snapshot's lines to the monthly panel that models learn from; the only bridge to the core."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from ingestion.errors import EmptyMonth
from ingestion.leaf_names import keys_behind, with_names
from ingestion.order_line import LINES
from ingestion.snapshot import Snapshot
from ingestion.units import DemandUnit

_KILOGRAMS_PER_TONNE = 1000
# With a blank, which no attribute's name has.
_MONTH = "month ordinal"
_LEAF = "leaf position"


def build_panel(snapshot: Snapshot, keys: Sequence[str], levels: Sequence[Level]) -> DemandPanel:
    """Demand per leaf and month, in tonnes or pieces, up to the snapshot's month.

    Keys are those of order lines, each in one spelling, and attributes of master data. A leaf is born in
    the month of its first line, be it a return. Sums are of integers, so each value is the nearest float
    to the exact tonnage. Raises `EmptyMonth` or `UnknownKey`.
    """
    master = snapshot.master
    behind = keys_behind(keys, master)
    month = pl.col("date").dt.year().cast(pl.Int64) * 12 + pl.col("date").dt.month() - 1
    pieces = [
        lines.group_by(*behind, month.alias(_MONTH)).agg(pl.col("quantity").sum())
        for lines, _ in snapshot.pieces()
    ]
    nothing = LINES.to_frame().select(*behind, pl.lit(0, pl.Int64).alias(_MONTH), "quantity")
    cells = pl.concat([nothing, *pieces]).group_by(*behind, _MONTH).agg(pl.col("quantity").sum())
    newest = cells[_MONTH].max()
    if newest != snapshot.month.ordinal:
        raise EmptyMonth(snapshot.month, Month.from_ordinal(newest) if isinstance(newest, int) else None)

    cells = with_names(cells, keys, master)
    hierarchy = Hierarchy.of(keys, levels, cells)
    first = Month.from_ordinal(int(cells[_MONTH].to_numpy().min()))
    cells = (
        cells.group_by(*keys, _MONTH)
        .agg(pl.col("quantity").sum())
        .join(hierarchy.leaves.with_row_index(_LEAF), on=list(keys), how="inner")
        .select(pl.col(_LEAF).cast(pl.Int64), pl.col(_MONTH) - first.ordinal, "quantity")
    )
    leaf, step, quantity = (cells[name].to_numpy() for name in (_LEAF, _MONTH, "quantity"))

    n_months = snapshot.month - first + 1
    whole = np.zeros((hierarchy.n_leaves, n_months), dtype=np.int64)
    whole[leaf, step] = quantity
    born = np.full(hierarchy.n_leaves, n_months, dtype=np.int64)
    np.minimum.at(born, leaf, step)
    return DemandPanel(hierarchy, first, whole / _units(snapshot.demand), born)


def _units(demand: DemandUnit) -> int:
    """How many of a snapshot's integers make one unit of demand."""
    return _KILOGRAMS_PER_TONNE if demand is DemandUnit.TONNE else 1
