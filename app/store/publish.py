"""Writes a run: all its rows and the current pointer in one transaction."""

import datetime as dt

import polars as pl
from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from app.errors import Unpublishable
from app.store import tables
from app.store.binary_copy import forecast_rows
from app.store.keys import KEYS, attributes_of, canonical, check_attributes
from app.store.leases import Fence
from app.store.session import connected, copy_in
from forecasting.arrays import Ints
from forecasting.hierarchy import Level, level_name
from forecasting.months import months_from
from forecasting.run import ForecastRun

_LOCK = 0x746F6E_02  # any number, the same in every process that publishes
_NODES_AT_ONCE = 20_000
_LONGEST_NODE = 2_000  # bytes; an index entry of PostgreSQL holds 2,704, the level's name among them


def publish(engine: Engine, run: ForecastRun, published_at: dt.datetime, fence: Fence | None = None) -> bool:
    """Store a run and show it, or, if anything fails, leave everything as it was; True if it was new.

    A run never changes: publishing an id that is already stored writes no rows, keeps its first
    `published_at`, and only makes it the current run again. Publishers wait for each other. The `fence` is
    the transaction's last act: what it raises undoes the rest, and what it writes is there with the run.
    """
    _check(run, published_at)
    with connected(engine) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        known = connection.scalar(select(tables.run.c.id).where(tables.run.c.id == run.id))
        if known is None:
            _write(connection, run, published_at)
        pointer = upsert(tables.current_run).values(run_id=run.id)
        connection.execute(
            pointer.on_conflict_do_update(index_elements=["single"], set_={"run_id": pointer.excluded.run_id})
        )
        if fence is not None:
            fence(connection, run.id)
    return known is None


def _check(run: ForecastRun, published_at: dt.datetime) -> None:
    hierarchy = run.forecast.hierarchy
    check_attributes(hierarchy.keys)
    _check_values(hierarchy.leaves)
    if published_at.tzinfo is None:
        raise Unpublishable("published_at has no time zone", "give an aware datetime", field="published_at")


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


def _write(connection: Connection, run: ForecastRun, published_at: dt.datetime) -> None:
    forecast = run.forecast
    connection.execute(
        insert(tables.run).values(
            id=run.id,
            origin=run.origin.first_day,
            published_at=published_at,
            snapshot=run.snapshot,
            model=run.model,
            unit=run.unit,
            because=run.because,
            horizon=forecast.horizon,
            levels=[level_name(canonical(level)) for level in forecast.hierarchy.levels],
            probabilities=list(forecast.probabilities),
        )
    )
    node_ids = _node_ids(connection, _nodes(run))
    months = [month.first_day for month in months_from(forecast.first, forecast.horizon)]
    for start in range(0, len(node_ids), _NODES_AT_ONCE):
        part = slice(start, start + _NODES_AT_ONCE)
        rows = forecast_rows(run.id, node_ids[part], months, forecast.mean[part], forecast.quantiles[:, part])
        copy_in(
            connection,
            "copy forecast (run_id, node_id, month, mean, quantiles) from stdin (format binary)",
            rows,
        )
    # So that the first question after a publish is planned with the new rows in sight.
    connection.execute(text("analyze node, forecast"))


def _nodes(run: ForecastRun) -> pl.DataFrame:
    """One row per node in the forecast's order: position, canonical level, every serving key, attributes."""
    hierarchy = run.forecast.hierarchy
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
    return pl.Series(ids.scalars().all(), dtype=pl.Int64).to_numpy()
