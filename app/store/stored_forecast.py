"""Reads all numbers of a run as they are stored, shown or not, for whoever must compare them."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import sqlalchemy as sa
from sqlalchemy import Engine

from app.store import tables
from app.store.binary_copy import forecast_arrays
from app.store.keys import KEYS, attributes_of, canonical
from app.store.run_records import RecordedRun
from app.store.session import copy_out, still
from forecasting.arrays import Floats
from forecasting.hierarchy import Hierarchy, level_name

_NODES_AT_ONCE = 20_000
_ROWS = (
    "select run_id, node_id, month, mean, quantiles from forecast "
    "where run_id = %s and node_id between %s and %s order by node_id, month"
)
BETWEEN = "\x1f"

NODE_NAMES = ("level", *KEYS, "attributes")
"""What tells nodes apart in all runs: the level in serving order, its keys, its attributes' values."""


@dataclass(frozen=True, eq=False)
class StoredForecast:
    """The rows of a run: `nodes` has the columns `NODE_NAMES`, one row per node, in no order of anybody's.

    `mean` has shape (nodes, horizon), `quantiles` (levels, nodes, horizon). `whole` is False where rows are
    missing, are too many or have another form than those that were written; there are no numbers then.
    """

    nodes: pl.DataFrame
    mean: Floats
    quantiles: Floats
    whole: bool


def node_names(hierarchy: Hierarchy) -> pl.DataFrame:
    """The nodes of a hierarchy, in its order, by the names that they are stored under: `NODE_NAMES`."""
    names = {level_name(level): level_name(canonical(level)) for level in hierarchy.levels}
    missing = [pl.lit(None, pl.String).alias(key) for key in KEYS if key not in hierarchy.keys]
    attributes = attributes_of(hierarchy.keys)
    values = pl.concat_str(attributes, separator=BETWEEN, ignore_nulls=True) if attributes else pl.lit("")
    return hierarchy.nodes.with_columns(
        pl.col("level").replace_strict(names), values.alias("attributes"), *missing
    ).select(NODE_NAMES)


def stored_forecast(engine: Engine, run: RecordedRun) -> StoredForecast:
    """All rows of a recorded run, to the last bit."""
    node, forecast = tables.node.c, tables.forecast.c
    held = sa.select(forecast.node_id).where(forecast.run_id == run.id).distinct()
    names = sa.func.array_to_string(node.attributes, BETWEEN).label("attributes")
    question = (
        sa.select(node.id, node.level, *(node[key] for key in KEYS), names)
        .where(node.id.in_(held))
        .order_by(node.id)
    )
    schema = pl.Schema({"id": pl.Int64(), **dict.fromkeys(NODE_NAMES, pl.String())})
    parts = []
    with still(engine) as connection:
        nodes = pl.DataFrame(connection.execute(question).all(), schema=schema, orient="row")
        for part in nodes["id"].to_frame().iter_slices(_NODES_AT_ONCE):
            first, last = part["id"][0], part["id"][-1]
            stream = copy_out(connection, _ROWS, (run.id, first, last))
            parts.append(forecast_arrays(stream, run.id, part.height, len(run.probabilities)))
    found = [part for part in parts if part is not None and part[0].shape[1] == run.horizon]
    if not parts or len(found) < len(parts):
        nothing = np.zeros((nodes.height, 0))
        return StoredForecast(nodes.select(NODE_NAMES), nothing, nothing[None][:0], whole=False)
    mean = np.concatenate([mean for mean, _ in found])
    quantiles = np.concatenate([quantiles for _, quantiles in found], axis=1)
    return StoredForecast(nodes.select(NODE_NAMES), mean, quantiles, whole=True)
