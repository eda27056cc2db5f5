"""Who reads what in schema mart, asked as logins of PostgreSQL: their own, and nothing else anywhere."""

import datetime as dt
from collections.abc import Callable, Iterator

import numpy as np
import psycopg2.extensions
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import ProgrammingError

from app.absences import NoMartGrant, UnknownLogin
from app.store.lineage import Lineage
from app.store.mart_grants import let_read, list_grants, shut_out
from app.store.publish import publish
from app.store.scores import Score, keep_scores
from app.store.session import connected
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
GRANTS = {"all_seeing": None, "of_nord": frozenset({"NORD"}), "of_ost": frozenset({"OST"}), "ungranted": ()}
FACTS = ("fact_forecast", "fact_forecast_level", "fact_actual")
LEAK = """
create function pg_temp.leak(anything anyelement) returns boolean language plpgsql cost 0.0000001 as
$$ begin raise notice using message = anything::text; return true; end $$
"""


@pytest.fixture
def house(engine: Engine, make_run: Callable[..., ForecastRun]) -> Iterator[Engine]:
    """A run with its history and a score, and a login for each of GRANTS."""
    run = make_run()
    leaves = run.forecast.hierarchy.n_leaves
    panel = DemandPanel(
        run.forecast.hierarchy,
        run.origin - 1,
        10.0 ** np.arange(leaves)[:, None] * np.ones(2),
        np.zeros(leaves, int),
    )
    publish(engine, run, PUBLISHED, Lineage({}, {}, "0.3.0", "abc", "", {}, panel))
    score = Score(
        run.id, (), Month(2026, 11), 1, 4, 0, 0, 9.0, 9.0, 1.0, 1.0, 2.0, None, (0.1, 0.5, 0.975), ()
    )
    with connected(engine) as connection:
        keep_scores(connection, run.id, [score])
        for login, organizations in GRANTS.items():
            connection.exec_driver_sql(f"create role {login} login in role tonnage_mart")
            if organizations != ():
                let_read(connection, login, organizations)
    yield engine
    with connected(engine) as connection:
        connection.exec_driver_sql(f"drop role {', '.join(GRANTS)}")


@pytest.fixture
def as_login(house: Engine) -> Iterator[Callable[[str], Connection]]:
    """Connects as a login."""
    opened: list[Connection] = []

    def connect(login: str) -> Connection:
        engine = sa.create_engine(house.url.set(username=login), poolclass=sa.NullPool)
        opened.append(engine.connect().execution_options(isolation_level="AUTOCOMMIT"))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


type AsLogin = Callable[[str], Connection]


def views(engine: Engine) -> list[str]:
    return sa.inspect(engine).get_view_names("mart")


def seen(connection: Connection, view: str) -> list[str]:
    """Every row of a view as text."""
    return list(connection.exec_driver_sql(f"select row_to_json(it)::text from mart.{view} it").scalars())


class TestOrganizations:
    def test_own_rows_and_nothing_of_others(self, house: Engine, as_login: AsLogin) -> None:
        nord, everything = as_login("of_nord"), as_login("all_seeing")
        (key,) = nord.exec_driver_sql("select organization_key from mart.dim_organization").scalars()
        for view in views(house):
            rows = seen(nord, view)
            assert set(rows) <= set(seen(everything, view)), view
            assert not [row for row in rows if any(name in row for name in ("SÜD", "K-7", "Blech"))], view
        for fact in (*FACTS, "dim_node"):
            own = nord.exec_driver_sql(f"select organization_key from mart.{fact}").scalars().all()
            assert set(own) == {key}, fact
        for name, count in (("customer", 2), ("material", 2), ("level", 3), ("run", 1), ("date", 365)):
            assert len(seen(nord, f"dim_{name}")) == count, name

    def test_own_rows_add_up_to_ones_own_node(self, as_login: AsLogin) -> None:
        nord = as_login("of_nord")
        (leaves,) = nord.exec_driver_sql("select sum(mean) from mart.fact_forecast").scalars()
        question = (
            "select sum(mean) from mart.fact_forecast_level join mart.dim_level using (level_key) "
            "where level = 'organization'"
        )
        (node,) = nord.exec_driver_sql(question).scalars()
        assert leaves == node == 3 * (1 + 10)

    def test_accuracy_sums_over_others(self, as_login: AsLogin) -> None:
        assert seen(as_login("of_nord"), "fact_accuracy") == []
        assert len(seen(as_login("all_seeing"), "fact_accuracy")) == 1

    def test_without_a_grant_nothing_is_there(self, house: Engine, as_login: AsLogin) -> None:
        stranger, owner = as_login("ungranted"), house.connect()
        for view in views(house):
            assert seen(stranger, view) == [], view
            assert seen(owner, view) == [], f"{view}: the owner has no grant either"
        owner.close()

    def test_an_organization_without_rows(self, house: Engine, as_login: AsLogin) -> None:
        ost = as_login("of_ost")
        for view in set(views(house)) - {"dim_run", "dim_date", "dim_level"}:
            assert seen(ost, view) == [], view

    def test_nobody_widens_what_they_see(self, as_login: AsLogin) -> None:
        nord = as_login("of_nord")
        before = seen(nord, "fact_forecast")
        nord.exec_driver_sql("set role tonnage_mart")
        nord.exec_driver_sql("set tonnage.organizations = '{SÜD}'")
        nord.exec_driver_sql("set search_path = mart")
        assert seen(nord, "fact_forecast") == before != []
        nord.exec_driver_sql("reset role")
        for widen in (
            "set role all_seeing",
            "set session authorization all_seeing",
            "set role tonnage_reader",
            "set role tonnage_scoped",
            "insert into public.mart_grant (login) values ('of_nord')",
            "alter view mart.dim_customer reset (security_barrier)",
            "update public.mart_grant set organization = null",
        ):
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
                nord.exec_driver_sql(widen)
        nord.exec_driver_sql("set row_security = off")
        assert seen(nord, "fact_forecast") == before

    def test_a_cheap_function_is_shown_no_row_of_others(self, house: Engine, as_login: AsLogin) -> None:
        """Without a barrier PostgreSQL would ask it before it asks whose the row is."""
        nord = as_login("of_nord")
        driver = nord.connection.driver_connection
        assert isinstance(driver, psycopg2.extensions.connection)  # asked past SQLAlchemy, which eats notices
        driver.autocommit = False  # never committed, so that the function goes with the connection
        with driver.cursor() as cursor:
            cursor.execute(LEAK)
            for view in views(house):
                driver.notices = []
                cursor.execute(f"select 1 from mart.{view} it where pg_temp.leak(row_to_json(it)::text)")
                assert bool(driver.notices) == (view != "fact_accuracy"), view
                told = "".join(driver.notices)
                assert not [name for name in ("SÜD", "K-7", "Blech") if name in told], view
        driver.rollback()


def relations(engine: Engine, *kinds: str) -> list[str]:
    """Every table (r), view (v) or sequence (S) that is neither PostgreSQL's own nor in mart."""
    question = """
        select relation.oid::regclass::text from pg_class relation
        where relkind = any (%s) and relnamespace::regnamespace::text
            not in ('pg_catalog', 'information_schema', 'pg_toast', 'mart')
    """
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(question, (list(kinds),)).scalars())


class TestTheRole:
    @pytest.mark.parametrize("login", ["all_seeing", "of_nord"])
    def test_reads_nothing_else(self, house: Engine, as_login: AsLogin, login: str) -> None:
        others = relations(house, "r", "v", "m", "p", "S")
        assert {"api_key", "audit", "forecast", "node", "mart_grant", "mart_seen"} <= set(others)
        connection = as_login(login)
        for other in others:
            with pytest.raises(ProgrammingError, match="permission denied"):
                connection.exec_driver_sql(f"select 1 from {other}")

    @pytest.mark.parametrize("login", ["all_seeing", "of_nord"])
    def test_writes_nothing(self, house: Engine, as_login: AsLogin, login: str) -> None:
        connection = as_login(login)
        tables = relations(house, "r")
        everything = [*tables, *(f"mart.{view}" for view in views(house))]
        writes = [f"delete from {it}" for it in everything]
        writes += [f"insert into {it} default values" for it in everything]
        writes += [f"truncate {table}" for table in tables]
        writes += [f"drop view mart.{view}" for view in views(house)]
        writes += [f"create table {schema}.mine (a int)" for schema in ("mart", "public")]
        writes += [
            "create schema mine",
            "create function mart.mine() returns int language sql as 'select 1'",
            "update mart.dim_organization set organization = 'MINE'",
            "update public.mart_key set value = 'MINE'",
            "create role mine",
            "grant tonnage_mart to ungranted",
            "copy mart.dim_run to '/tmp/mine'",
        ]
        # PostgreSQL refuses to write through a view of several tables before it asks who does.
        refusal = r"permission denied|must be owner|cannot (insert into|delete from) view"
        for write in writes:
            with pytest.raises(sa.exc.DBAPIError, match=refusal):
                connection.exec_driver_sql(write)

    def test_has_no_privilege_but_to_read_the_views(self, house: Engine) -> None:
        question = """
            select relation.oid::regclass::text, privilege
            from pg_class relation
            cross join unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) privilege
            where relkind in ('r', 'v', 'm', 'p') and relnamespace::regnamespace::text
                    not in ('pg_catalog', 'information_schema', 'pg_toast')
                and has_table_privilege('tonnage_mart', relation.oid, privilege)
        """
        with house.connect() as connection:
            may = {tuple(row) for row in connection.exec_driver_sql(question)}
            assert may == {(f"mart.{view}", "select") for view in views(house)}
            rights = connection.exec_driver_sql(
                "select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles "
                "where rolname = 'tonnage_mart'"
            ).one()
            assert not any(rights)
            schemas = "select has_schema_privilege('tonnage_mart', oid, 'create') from pg_namespace "
            schemas += "where nspname !~ '^pg_'"
            assert not any(connection.exec_driver_sql(schemas).scalars())


class TestGrants:
    def test_one_takes_the_place_of_the_other(self, house: Engine, as_login: AsLogin) -> None:
        nord = as_login("of_nord")
        for organizations in (frozenset({"SÜD", "OST"}), None, frozenset({"SÜD"})):
            with connected(house) as connection:
                let_read(connection, "of_nord", organizations)
            (grant,) = (each for each in list_grants(house) if each.login == "of_nord")
            assert grant.organizations == organizations
        assert {*nord.exec_driver_sql("select organization from mart.dim_organization").scalars()} == {"SÜD"}
        with connected(house) as connection:
            shut_out(connection, "of_nord")
        assert seen(nord, "fact_forecast") == []
        with pytest.raises(NoMartGrant), connected(house) as connection:
            shut_out(connection, "of_nord")

    @pytest.mark.parametrize("login", ["nobody_at_all", "tonnage_mart", "outside", "pg_monitor"])
    def test_only_for_logins_of_the_role(self, house: Engine, login: str) -> None:
        with house.connect() as connection, connection.begin() as transaction:
            connection.exec_driver_sql("create role outside login")
            with pytest.raises(UnknownLogin):
                let_read(connection, login, None)
            transaction.rollback()
