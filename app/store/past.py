"""Reads back what earlier runs said, whole levels at once, beside the nodes of a hierarchy of today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import sqlalchemy as sa
from sqlalchemy import Connection

from app.store import tables
from app.store.binary_copy import read_forecast_rows
from app.store.find_run import published_run, shown_runs
from app.store.keys import KEYS, attributes_of, canonical
from app.store.selection import PublishedRun
from app.store.session import copy_out
from forecasting.arrays import Floats, Ints
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, Level, level_name
from forecasting.months import Month, months_from

ABSENT = -1


@dataclass(frozen=True, eq=False)
class Said:
    """What a run said of a level in some months.

    `row`, shape (nodes of the run,), is each node's place among the level's nodes in another hierarchy,
    `ABSENT` where that has no such node. `mean` has shape (nodes, months), `quantiles` (probabilities, nodes,
    months).
    """

    row: Ints
    mean: Floats
    quantiles: Floats


@dataclass(frozen=True, eq=False)
class PastRun:
    """What an earlier run, or a forecast from a past origin, said of `months`, all of them its own."""

    id: str
    origin: Month
    probabilities: tuple[float, ...]
    months: tuple[Month, ...]
    said: Mapping[Level, Said]


def as_past(forecast: Forecast, hierarchy: Hierarchy, run_id: str) -> PastRun:
    """A forecast as if it had been stored and read back beside the nodes of a hierarchy."""
    said: dict[Level, Said] = {}
    for level, part in zip(forecast.hierarchy.levels, forecast.hierarchy.slices, strict=True):
        if level in hierarchy.levels:
            row = _rows(hierarchy, level, forecast.hierarchy.nodes[part], part.stop - part.start)
            said[level] = Said(row, forecast.mean[part], forecast.quantiles[:, part])
    months = tuple(months_from(forecast.first, forecast.horizon))
    return PastRun(run_id, forecast.origin, forecast.probabilities, months, said)


@dataclass(frozen=True, eq=False)
class NodePlaces:
    """Where the stored nodes of some levels stand in a hierarchy.

    `ids` ascend; `level`, the position in `levels`, and `row`, as in `Said`, have the same shape (nodes,).
    """

    levels: tuple[Level, ...]
    ids: Ints
    level: Ints
    row: Ints


def runs_before(connection: Connection, before: Month, since: Month) -> list[PublishedRun]:
    """Published runs with an origin from `since` on and before `before`, by origin, then by moment."""
    run = tables.run.c
    question = (
        shown_runs()
        .where(run.origin < before.first_day, run.origin >= since.first_day)
        .order_by(run.origin, run.published_at, run.id)
    )
    return [published_run(row) for row in connection.execute(question)]


def last_origin_before(connection: Connection, month: Month) -> Month | None:
    """The month in which the history of the latest run shown before ended; None where there is none."""
    run = tables.run.c
    shown = run.published_at.is_not(None)
    found = connection.scalar(sa.select(sa.func.max(run.origin)).where(run.origin < month.first_day, shown))
    return None if found is None else Month.of(found)


def find_places(connection: Connection, hierarchy: Hierarchy, levels: Sequence[Level]) -> NodePlaces:
    """Places of all stored nodes of these levels of a hierarchy."""
    found = [_places_at(connection, hierarchy, level) for level in levels]
    ids = np.concatenate([part[0] for part in found]) if found else np.zeros(0, np.int64)
    order = np.argsort(ids)
    level = np.concatenate([np.full(len(part[0]), at, np.int64) for at, part in enumerate(found)] or [ids])
    row = np.concatenate([part[1] for part in found] or [ids])
    return NodePlaces(tuple(levels), ids[order], level[order], row[order])


def _places_at(connection: Connection, hierarchy: Hierarchy, level: Level) -> tuple[Ints, Ints]:
    node, serving = tables.node.c, canonical(level)
    stored = connection.execute(
        sa.select(node.id, *(node[key] for key in KEYS), node.attributes).where(
            node.level == level_name(serving)
        )
    ).all()
    if not stored:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    at = {key: 1 + KEYS.index(key) for key in level if key in KEYS}
    attribute = {name: place for place, name in enumerate(attributes_of(level))}
    columns = {
        name: [row[at[name]] if name in at else row.attributes[attribute[name]] for row in stored]
        for name in level
    }
    ids = np.array([row.id for row in stored], np.int64)
    return ids, _rows(
        hierarchy, level, pl.DataFrame(columns, schema=dict.fromkeys(level, pl.String)), len(ids)
    )


def _rows(hierarchy: Hierarchy, level: Level, nodes: pl.DataFrame, count: int) -> Ints:
    """Where `count` nodes of a level stand in a hierarchy, shape (nodes,); `ABSENT` where they do not."""
    if not level:
        return np.zeros(count, np.int64)
    part = hierarchy.slices[hierarchy.levels.index(level)]
    ours = hierarchy.nodes[part].select(level).with_row_index("place")
    row = nodes.select(level).join(ours, on=list(level), how="left", maintain_order="left")["place"]
    return row.cast(pl.Int64).fill_null(ABSENT).to_numpy()


def read_past(
    connection: Connection, run: PublishedRun, months: Sequence[Month], places: NodePlaces
) -> PastRun:
    """What a run said in these months of its own at the levels that it has in common with `places`.

    The rows come in the binary format that they were written in: exact, and a million in about a second.
    """
    served = {canonical(level) for level in run.levels}
    shared = [at for at, level in enumerate(places.levels) if canonical(level) in served]
    wanted = np.isin(places.level, shared)
    query = (
        "select run_id, node_id, month, mean, quantiles from forecast where run_id = %s and month = any(%s)"
    )
    if len(shared) < len(run.levels):
        query += " and node_id in (select id from node where level = any(%s))"  # few levels are few rows
    names = [level_name(canonical(places.levels[at])) for at in shared]
    days = [month.first_day for month in months]
    values = (run.id, days, names) if len(shared) < len(run.levels) else (run.id, days)
    stream = copy_out(connection, query + " order by node_id, month", values)
    ids, mean, quantiles = read_forecast_rows(stream, run.id, len(run.probabilities))
    ids, mean = ids[:: len(months)], mean.reshape(-1, len(months))
    quantiles = quantiles.reshape(len(quantiles), *mean.shape)
    at = np.searchsorted(places.ids[wanted], ids)
    level, row = places.level[wanted][at], places.row[wanted][at]
    said = {
        places.levels[place]: Said(row[level == place], mean[level == place], quantiles[:, level == place])
        for place in shared
    }
    return PastRun(run.id, run.origin, run.probabilities, tuple(months), said)
