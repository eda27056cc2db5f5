"""The serving tables: schema, publishing, and what one reader sees."""

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, event, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.absences import NothingPublished
from app.errors import BadDatabaseUrl, DatabaseUnavailable, SchemaBehind, Unpublishable
from app.store import access_tables, insight_tables, mart_tables, tables
from app.store.engine import open_engine
from app.store.forecasts import NodeForecast
from app.store.migrate import is_current, migrate
from app.store.node_id import Node
from app.store.publish import publish
from app.store.read import reading
from app.store.selection import select_from
from app.store.session import still
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, Level
from forecasting.months import Month
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


# Tables are in the metadata once the file that has them is read.
assert {each.metadata for each in (access_tables, insight_tables, mart_tables)} == {tables.metadata}


def counts(engine: Engine) -> tuple[int, ...]:
    """Rows of run, node, forecast."""
    with engine.connect() as connection:
        return tuple(
            connection.scalars(select(func.count()).select_from(table)).one()
            for table in (tables.run, tables.node, tables.forecast)
        )


def alembic_config(connection: Connection) -> Config:
    """As in `migrate`, for a migration to a version of old."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(tables.__file__).parent / "migrations"))
    return config


def current(engine: Engine) -> str:
    with reading(engine) as reader:
        return reader.current_run().id


class TestMigrations:
    def test_arrive_at_the_tables_of_the_code(self, migrated: Engine) -> None:
        with migrated.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []

    def test_again_changes_nothing(self, migrated: Engine) -> None:
        migrate(migrated)
        assert is_current(migrated)

    def test_from_nothing_and_by_two_at_once(self, migrated: Engine) -> None:
        with migrated.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("drop database if exists twice"))
            connection.execute(text("create database twice"))
        engine = open_engine(migrated.url.set(database="twice").render_as_string(hide_password=False))
        assert not is_current(engine)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(migrate, [engine, engine]))
        assert is_current(engine)
        engine.dispose()

    def test_filled_tables_of_the_first_version_come_along(
        self, new_database: Callable[[], str], make_run: MakeRun
    ) -> None:
        engine = open_engine(new_database())
        with engine.begin() as connection:
            command.upgrade(alembic_config(connection), "0001")
            connection.execute(
                text(
                    """
                    insert into run values ('2026-10-aaaa', '2026-10-01', '2026-11-02 06:00+00', '3f9c1a2b',
                        'smoothing/3', 't', 'the first run', 2,
                        '{total,organization,customer,"organization,material","organization,customer,material"}',
                        '{0.1,0.5,0.975}');
                    insert into node (level, organization, customer, material) values
                        ('total', null, null, null), ('customer', null, 'K-104', null);
                    insert into forecast
                        select '2026-10-aaaa', id, month, 110, '{55,110,220}'
                        from node, unnest('{2026-11-01,2026-12-01}'::date[]) month;
                    insert into current_run (run_id) values ('2026-10-aaaa');
                    """
                )
            )
        with pytest.raises(SchemaBehind), reading(engine) as reader:
            reader.nodes(select_from(reader.current_run(), where={}), 10)
        migrate(engine)
        assert is_current(engine)
        with reading(engine) as reader:
            page = reader.forecasts(select_from(reader.current_run(), level="customer", where={}), 10)
        assert page.rows == [NodeForecast(Node(None, "K-104", None), [[110.0, 55.0, 110.0, 220.0]] * 2)]
        publish(engine, make_run("2026-10-bbbb"), LATER)
        assert counts(engine) == (2, 14, 4 + 28)  # the two nodes it had are found again
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        engine.dispose()

    def test_nodes_differ_by_level_keys_and_attributes(self, engine: Engine) -> None:
        with engine.begin() as connection:
            for attributes in (["Flat"], ["Long"], []):
                connection.execute(insert(tables.node).values(level="x", attributes=attributes))
        for attributes in (["Long"], []):
            with pytest.raises(IntegrityError), engine.begin() as connection:
                connection.execute(insert(tables.node).values(level="x", attributes=attributes))


class TestPublish:
    def test_every_row_is_there(self, engine: Engine, published: ForecastRun) -> None:
        assert counts(engine) == (1, 14, 28)

    def test_again_changes_nothing(self, engine: Engine, published: ForecastRun) -> None:
        publish(engine, published, LATER)
        assert counts(engine) == (1, 14, 28)
        with reading(engine) as reader:
            assert reader.current_run().published_at == PUBLISHED

    def test_again_makes_it_current_again(
        self, engine: Engine, published: ForecastRun, make_run: MakeRun
    ) -> None:
        publish(engine, make_run("2026-11-bbbb"), LATER)
        assert current(engine) == "2026-11-bbbb"
        assert counts(engine) == (2, 14, 56)  # the nodes are shared
        publish(engine, published, LATER)
        assert current(engine) == "2026-10-aaaa"
        assert counts(engine) == (2, 14, 56)

    @pytest.mark.parametrize(
        "dies_at", ["insert into run", "copy", "analyze node", "insert into current_run"]
    )
    def test_all_or_nothing(
        self,
        engine: Engine,
        published: ForecastRun,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
        dies_at: str,
    ) -> None:
        def die(_: object, __: object, statement: str, *___: object) -> None:
            if statement.lower().startswith(dies_at):
                raise ConnectionResetError

        def die_in_copy(*_: object) -> None:
            raise ConnectionResetError

        if dies_at == "copy":
            monkeypatch.setattr("app.store.run_rows.forecast_rows", die_in_copy)
        event.listen(engine, "before_cursor_execute", die)
        with pytest.raises(ConnectionResetError):
            publish(engine, make_run("2026-11-bbbb", scale=9.0), LATER)
        event.remove(engine, "before_cursor_execute", die)
        assert counts(engine) == (1, 14, 28)
        assert current(engine) == "2026-10-aaaa"

    def test_publishers_wait_for_each_other(self, engine: Engine, make_run: MakeRun) -> None:
        runs = [make_run(f"2026-10-{n % 3}") for n in range(9)]
        start = threading.Barrier(3)

        def publish_one(run: ForecastRun) -> None:
            start.wait(20)
            publish(engine, run, PUBLISHED)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(publish_one, runs))
        assert counts(engine) == (3, 14, 84)

    @pytest.mark.parametrize("keys", [("customer",), ("material", "organization")])
    def test_hierarchy_with_fewer_keys(self, engine: Engine, make_run: MakeRun, keys: Level) -> None:
        leaves = pl.DataFrame({key: ["b", "a"] for key in keys})
        hierarchy = Hierarchy.of(keys, [(), keys], leaves)
        mean = np.array([[3.0], [1.0], [2.0]])
        run = make_run(forecast=Forecast(hierarchy, Month(2026, 11), mean, (), np.empty((0, 3, 1))))
        publish(engine, run, PUBLISHED)
        with reading(engine) as reader:
            page = reader.forecasts(select_from(reader.current_run(), level=",".join(keys), where={}), 10)
        assert [(getattr(row.node, keys[0]), row.numbers) for row in page.rows] == [
            ("a", [[1.0]]),
            ("b", [[2.0]]),
        ]

    def test_doubles_come_back_to_the_last_bit(self, engine: Engine, make_run: MakeRun) -> None:
        names = [f"M-{n:04d}" for n in range(500)]
        hierarchy = Hierarchy.of(["material"], [("material",)], pl.DataFrame({"material": names}))
        random = np.random.default_rng(7)
        mean = random.lognormal(0, 20, (500, 3))
        quantiles = np.sort(random.lognormal(0, 20, (2, 500, 3)), axis=0)
        run = make_run(forecast=Forecast(hierarchy, Month(2026, 11), mean, (0.1, 0.9), quantiles))
        publish(engine, run, PUBLISHED)
        with reading(engine) as reader:
            selection = select_from(reader.current_run(), level="material", where={})
            slices = [reader.numbers(selection, ids) for ids in reader.id_slices(selection, 150)]
            rows = reader.forecasts(selection, 1000).rows
        numbers = np.concatenate(slices)
        assert (numbers == np.array([row.numbers for row in rows])).all()
        assert (numbers[:, :, 0] == mean).all()
        assert (numbers[:, :, 1:] == np.moveaxis(quantiles, 0, -1)).all()

    def test_time_without_zone(self, engine: Engine, make_run: MakeRun) -> None:
        with pytest.raises(Unpublishable, match="time zone"):
            publish(engine, make_run(), PUBLISHED.replace(tzinfo=None))
        with pytest.raises(NothingPublished):
            current(engine)


def test_reader_sees_one_state(engine: Engine, published: ForecastRun, make_run: MakeRun) -> None:
    with reading(engine) as reader:
        assert reader.current_run().id == "2026-10-aaaa"
        publish(engine, make_run("2026-11-bbbb"), LATER)
        assert reader.current_run().id == "2026-10-aaaa"
    assert current(engine) == "2026-11-bbbb"


def test_reader_cannot_write(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"), reading(engine) as reader:
        reader._connection.execute(tables.current_run.delete())


@pytest.mark.parametrize("url", ["postgresql://u:secret@h/d", "postgres://u:secret@h/d",
                                 "postgresql+psycopg://u:secret@h/d"])  # fmt: skip
def test_engine_speaks_by_the_driver_we_ship(url: str) -> None:
    assert open_engine(url).url.render_as_string() == "postgresql+psycopg2://u:***@h/d"


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "secret", ""])
def test_engine_refuses_other_databases(url: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        open_engine(url)
    assert "secret" not in str(refused.value)


def test_run_is_frozen(published: ForecastRun) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        published.id = "other"  # type: ignore[misc]  # the point of the test


def test_what_has_been_read_is_read_although_the_database_goes_away_then(engine: Engine) -> None:
    with still(engine) as connection:
        _lose(engine, connection)


def test_what_is_still_to_be_read_is_not(engine: Engine) -> None:
    with pytest.raises(DatabaseUnavailable):
        _read_after_loss(engine)


def _read_after_loss(engine: Engine) -> None:
    with still(engine) as connection:
        _lose(engine, connection)
        connection.exec_driver_sql("select 1")


def _lose(engine: Engine, connection: Connection) -> None:
    """Have the server end a connection."""
    process = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
    with engine.connect() as other:
        other.exec_driver_sql(f"select pg_terminate_backend({process}, 10000)")
