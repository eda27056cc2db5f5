"""The rows of a run: its record, its nodes, its forecasts and the history behind them."""

import datetime as dt
from dataclasses import asdict

import polars as pl
from sqlalchemy import Connection, insert, text

from app.errors import Unpublishable
from app.store import tables
from app.store.binary_copy import forecast_rows, history_rows
from app.store.keys import KEYS, attributes_of, canonical, check_attributes
from app.store.lineage import Lineage
from app.store.mart_keys import give_keys
from app.store.session import copy_in
from app.store.snapshots import keep_snapshot
from forecasting.arrays import Ints
from forecasting.checksum import forecast_checksum
from forecasting.hierarchy import Hierarchy, Level, level_name
from forecasting.months import months_from
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

_NODES_AT_ONCE = 20_000
_LONGEST_NODE = 2_000  # bytes; an index entry of PostgreSQL holds 2,704, the level's name among them


def check_storable(run: ForecastRun, lineage: Lineage | None) -> None:
    """Raise `Unpublishable` for names that the tables cannot hold."""
    for hierarchy in (run.forecast.hierarchy, *([lineage.history.hierarchy] if lineage else [])):
        check_attributes(hierarchy.keys)
        _check_values(hierarchy.leaves)


def _check_values(leaves: pl.DataFrame) -> None:
    """Raise `Unpublishable` for texts that PostgreSQL cannot hold, or not in an index."""
    for name in leaves.columns:
        if leaves[name].str.contains("\0", literal=True).any():
            raise Unpublishable(f"a {name} has a NUL character", "correct it in the source", field=name)
    size = pl.sum_horizontal(pl.all().str.len_bytes())
    longest = leaves.filter(size == size.max()).row(0, named=True)
    if sum(len(value.encode()) for value in longest.values()) > _LONGEST_NODE:
        name = max(longest, key=lambda key: len(longest[key]))
        raise Unpublishable(
            f"the {name} that begins {longest[name][:40]!r} is too long: a node's keys and attributes may "
            f"have {_LONGEST_NODE:,} bytes together",
            "shorten it in the source",
            field=name,
        )


def write_run(
    connection: Connection, run: ForecastRun, lineage: Lineage | None, recorded_at: dt.datetime
) -> None:
    """Write all rows of a run that is not stored yet; it is not shown by that."""
    connection.execute(insert(tables.run).values(**_facts(run), recorded_at=recorded_at, **_made(lineage)))
    if lineage is not None and lineage.snapshot is not None:
        keep_snapshot(connection, lineage.snapshot)
    hierarchy = run.forecast.hierarchy
    node_ids = _node_ids(connection, _nodes(hierarchy))
    _write_forecasts(connection, run, node_ids)
    if lineage is not None:
        panel = lineage.history
        # A run is refused when it lacks nodes of its history; both are recorded as they are.
        same = panel.hierarchy.nodes.equals(hierarchy.nodes)
        _write_history(
            connection, run.id, panel, node_ids if same else _node_ids(connection, _nodes(panel.hierarchy))
        )
    give_keys(connection)
    # So that the first question after a publish is planned with the new rows in sight.
    connection.execute(text("analyze node, forecast, history"))


def _facts(run: ForecastRun) -> dict[str, object]:
    forecast = run.forecast
    return {
        "id": run.id,
        "origin": run.origin.first_day,
        "snapshot": run.snapshot,
        "model": run.model,
        "unit": run.unit,
        "because": run.because,
        "horizon": forecast.horizon,
        "levels": [level_name(canonical(level)) for level in forecast.hierarchy.levels],
        "probabilities": list(forecast.probabilities),
        "checksum": forecast_checksum(forecast),
    }


def _made(lineage: Lineage | None) -> dict[str, object]:
    if lineage is None:
        return {}
    return {
        "recipe": dict(lineage.recipe),
        "plan": dict(lineage.plan),
        "code_version": lineage.code_version,
        "code_commit": lineage.code_commit,
        "code_lock": lineage.code_lock,
        "panel_first": lineage.history.first.first_day,
        "verdict": dict(lineage.verdict),
        "refused": list(lineage.refused),
        "accepted": lineage.accepted,
        "models": [asdict(each) for each in lineage.models],
    }


def _write_forecasts(connection: Connection, run: ForecastRun, node_ids: Ints) -> None:
    forecast = run.forecast
    months = [month.first_day for month in months_from(forecast.first, forecast.horizon)]
    for start in range(0, len(node_ids), _NODES_AT_ONCE):
        part = slice(start, start + _NODES_AT_ONCE)
        rows = forecast_rows(run.id, node_ids[part], months, forecast.mean[part], forecast.quantiles[:, part])
        copy_in(
            connection,
            "copy forecast (run_id, node_id, month, mean, quantiles) from stdin (format binary)",
            rows,
        )


def _write_history(connection: Connection, run_id: str, panel: DemandPanel, node_ids: Ints) -> None:
    quantity = panel.nodes()
    for start in range(0, len(node_ids), _NODES_AT_ONCE):
        part = slice(start, start + _NODES_AT_ONCE)
        rows = history_rows(run_id, node_ids[part], quantity[part])
        copy_in(connection, "copy history (run_id, node_id, quantity) from stdin (format binary)", rows)


def _nodes(hierarchy: Hierarchy) -> pl.DataFrame:
    """One row per node in the hierarchy's order: position, canonical level, every serving key, attributes."""
    names = {level_name(level): level_name(canonical(level)) for level in hierarchy.levels}
    missing = [pl.lit(None, pl.String).alias(key) for key in KEYS if key not in hierarchy.keys]
    return (
        hierarchy.nodes.with_columns(pl.col("level").replace_strict(names), *missing)
        .select("level", *KEYS, _array(attributes_of(hierarchy.keys)).alias("attributes"))
        .with_row_index("position")
    )


def _array(attributes: Level) -> pl.Expr:
    """The attributes that are not null, as PostgreSQL writes an array of texts."""
    values = [
        pl.concat_str(pl.lit('"'), pl.col(name).str.replace_all(r'(["\\])', r"\$1"), pl.lit('"'))
        for name in attributes
    ]
    listed = pl.concat_str(values, separator=",", ignore_nulls=True) if values else pl.lit("")
    return pl.concat_str(pl.lit("{"), listed, pl.lit("}"))


def _node_ids(connection: Connection, nodes: pl.DataFrame) -> Ints:
    """The id of each node, shape (nodes,), giving one to those that are new."""
    connection.execute(
        text(
            "create temporary table incoming (position int, level text, organization text, "
            "customer text, material text, attributes text[]) on commit drop"
        )
    )
    # In CSV, COPY reads an unquoted nothing as null and a quoted one as empty text.
    rows = nodes.write_csv(include_header=False).encode()
    copy_in(connection, "copy incoming from stdin (format csv)", rows)
    connection.execute(text("analyze incoming"))
    # New nodes have no statistics yet, and without them a loop over all pairs of a level looks cheap.
    connection.execute(text("set local enable_nestloop = off"))
    # A null key is null on both sides, for the level says which are: so "=" on '' is exact, and hashes.
    same = " and ".join(
        ["node.level = incoming.level"]
        + [f"coalesce(node.{key}, '') = coalesce(incoming.{key}, '')" for key in KEYS]
        + ["node.attributes = incoming.attributes"]
    )
    columns = ", ".join(("level", *KEYS, "attributes"))
    connection.execute(
        text(
            f"insert into node ({columns}) select {columns} from incoming "  # noqa: S608  # our own names
            f"where not exists (select from node where {same}) order by position"
        )
    )
    ids = connection.execute(
        text(f"select node.id from incoming join node on {same} order by position")  # noqa: S608  # our own names
    )
    found = pl.Series(ids.scalars().all(), dtype=pl.Int64).to_numpy()
    connection.execute(text("set local enable_nestloop to default"))
    connection.execute(text("drop table incoming"))
    return found
