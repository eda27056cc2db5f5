"""What the current run says of some levels, for whoever must compare a new run with it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Engine

from app.store import tables
from app.store.keys import KEYS, attributes_of, canonical
from app.store.session import connected
from forecasting.hierarchy import Level, level_name
from forecasting.months import Month


def means_shown(
    engine: Engine, levels: Sequence[Level]
) -> dict[tuple[Level, tuple[str, ...]], dict[Month, float]]:
    """The current run's mean of every node of these levels in each month; empty where nothing is published.

    A node is its level and the values of the level's keys, in the order given.
    """
    names = {level_name(canonical(level)): level for level in levels}
    node, forecast, current = tables.node.c, tables.forecast.c, tables.current_run.c
    question = (
        sa.select(node.level, *(node[key] for key in KEYS), node.attributes, forecast.month, forecast.mean)
        .select_from(
            tables.current_run.join(tables.forecast, forecast.run_id == current.run_id).join(
                tables.node, node.id == forecast.node_id
            )
        )
        .where(node.level.in_(names))
    )
    means: dict[tuple[Level, tuple[str, ...]], dict[Month, float]] = {}
    with connected(engine) as connection:
        for row in connection.execute(question).mappings():
            level = names[row["level"]]
            values = dict(zip(attributes_of(level), row["attributes"], strict=True))
            values |= {key: row[key] for key in KEYS}
            place = (level, tuple(values[key] for key in level))
            means.setdefault(place, {})[Month.of(row["month"])] = row["mean"]
    return means
