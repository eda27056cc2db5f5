"""What differs between two runs, node by node; and by how much each cause moved it, where that was kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql import insert as upsert

from app.errors import Unpublishable
from app.store import insight_tables, tables
from app.store.binary_copy import history_rows
from app.store.keys import KEYS
from app.store.session import connected, copy_in
from app.store.stored_forecast import BETWEEN, NODE_NAMES
from forecasting.arrays import Floats
from forecasting.months import Month


@dataclass(frozen=True, eq=False)
class Moved:
    """By how much each cause moved each node from one run to another, in the runs' unit.

    `nodes` has the columns `NODE_NAMES`; `tonnes` has shape (causes, nodes, months), the months from `first`.
    """

    before: str
    after: str
    first: Month
    causes: tuple[str, ...]
    nodes: pl.DataFrame
    tonnes: Floats


@dataclass(frozen=True)
class KeptCauses:
    """What was kept of the causes between two runs: which there are, and the months from `first`."""

    before: str
    after: str
    first: Month
    months: int
    causes: tuple[str, ...]


def shown_before(connection: Connection, run_id: str) -> str | None:
    """The run that was shown when this one was shown for the first time; None where there was none."""
    shown = tables.shown.c
    first = sa.select(sa.func.min(shown.id)).where(shown.run_id == run_id).scalar_subquery()
    return connection.scalar(
        sa.select(shown.run_id).where(shown.id < first).order_by(shown.id.desc()).limit(1)
    )


def causes_of(connection: Connection, run_id: str) -> KeptCauses | None:
    """What was kept of the causes between a run and the one shown before it; None where nothing was."""
    kept = insight_tables.run_change
    row = connection.execute(sa.select(kept).where(kept.c.run_id == run_id)).one_or_none()
    if row is None:
        return None
    return KeptCauses(row.before_id, row.run_id, Month.of(row.first), row.months, tuple(row.causes))


def causes_between(connection: Connection, before: str, after: str) -> KeptCauses | None:
    """What was kept of the causes between two runs, from the earlier shown to the later or back."""
    for run, other in ((after, before), (before, after)):
        found = causes_of(connection, run)
        if found is not None and found.before == other:
            return found
    return None


def keep_causes(engine: Engine, moved: Moved) -> bool:
    """Store why a run differs from the one shown before it, all or nothing; True if it was new.

    Nodes that no cause moved have no row.
    """
    with connected(engine) as connection:
        header = upsert(insight_tables.run_change).values(
            run_id=moved.after,
            before_id=moved.before,
            first=moved.first.first_day,
            months=moved.tonnes.shape[2],
            causes=list(moved.causes),
        )
        new = connection.execute(
            header.on_conflict_do_nothing().returning(insight_tables.run_change.c.run_id)
        ).one_or_none()
        if new is None:
            return False
        changed = np.flatnonzero(np.abs(moved.tonnes).sum(axis=(0, 2)) > 0)
        names = moved.nodes.with_row_index("row")[changed]
        ids = _node_ids(connection, (moved.before, moved.after)).join(
            names, on=list(NODE_NAMES), nulls_equal=True, maintain_order="right"
        )
        if ids.height != len(changed):
            raise Unpublishable("nodes that changed are not stored", "compare stored runs only")
        tonnes = np.moveaxis(moved.tonnes[:, ids["row"].to_numpy()], 0, 1).reshape(ids.height, -1)
        rows = history_rows(moved.after, ids["id"].to_numpy(), tonnes)
        copy_in(connection, "copy node_change (run_id, node_id, moved) from stdin (format binary)", rows)
        return True


def _node_ids(connection: Connection, runs: Sequence[str]) -> pl.DataFrame:
    """The nodes of some runs: `id` and `NODE_NAMES`."""
    node, forecast = tables.node.c, tables.forecast.c
    held = sa.select(forecast.node_id).where(forecast.run_id.in_(runs))
    names = sa.func.array_to_string(node.attributes, BETWEEN).label("attributes")
    question = sa.select(node.id, node.level, *(node[key] for key in KEYS), names).where(node.id.in_(held))
    schema = pl.Schema({"id": pl.Int64(), **dict.fromkeys(NODE_NAMES, pl.String())})
    return pl.DataFrame(connection.execute(question).all(), schema=schema, orient="row")
