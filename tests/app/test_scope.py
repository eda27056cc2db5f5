"""Two companies in one house: what a caller of one is told, by the service and by PostgreSQL itself."""

import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import ProgrammingError

from app.errors import RolesMissing
from app.main import create_app
from app.store.engine import open_engine
from app.store.migrate import is_current, migrate
from app.store.publish import publish
from app.store.session import copy_out, seen_by
from forecasting.run import ForecastRun
from tonnage.embedded import start_embedded

type KeyOf = Callable[..., str]

pytestmark = pytest.mark.usefixtures("published")

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
SCOPED_LEVELS = ("organization", "organization,material", "organization,customer,material")
FOREIGN_LEVELS = ("total", "customer")
# A customer that both buy, one of each alone, and one of nobody.
ASKED = {"organization": ["NORD", "SÜD", "OST"], "customer": ["K-104", 'K,"9"', "K-7", "K-0"]}


@pytest.fixture
def nord(engine: Engine, key_of: KeyOf) -> Iterator[TestClient]:
    """The service as NORD's planner sees it."""
    with TestClient(create_app(engine), headers=bearer(key_of(engine, "planner", ["NORD"]))) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def forecasts_of(client: TestClient, **asked: str) -> list[dict[str, Any]]:
    answer = client.get("/v1/forecasts", params=asked)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["forecasts"]
    return rows


class TestOverRest:
    @pytest.mark.parametrize("level", SCOPED_LEVELS)
    def test_own_nodes_with_the_numbers_that_all_see(
        self, client: TestClient, nord: TestClient, level: str
    ) -> None:
        everything = forecasts_of(client, level=level)
        own = [row for row in everything if row["organization"] == "NORD"]
        assert 0 < len(own) < len(everything)
        assert forecasts_of(nord, level=level) == own
        nodes = nord.get("/v1/nodes", params={"level": level}).json()["nodes"]
        keys = ("organization", "customer", "material")
        assert [{key: node[key] for key in keys} for node in nodes] == [
            {key: row[key] for key in keys} for row in own
        ]
        text = nord.get("/v1/forecasts", params={"level": level, "format": "csv"}).text
        assert "NORD" in text
        assert "SÜD" not in text

    @pytest.mark.parametrize("level", FOREIGN_LEVELS)
    @pytest.mark.parametrize("path", ["/v1/forecasts?", "/v1/forecasts?format=csv&", "/v1/nodes?"])
    def test_sums_over_others_are_refused_and_what_may_be_asked_is_named(
        self, nord: TestClient, path: str, level: str
    ) -> None:
        answer = nord.get(f"{path}level={level}")
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["field"] == "level"
        assert answer.json()["remedy"] == f"ask for one of: {'; '.join(SCOPED_LEVELS)}"

    @pytest.mark.parametrize("path", ["/v1/forecasts", "/v1/nodes"])
    @pytest.mark.parametrize("key", ASKED)
    def test_what_is_others_looks_like_what_is_nobodys(self, nord: TestClient, path: str, key: str) -> None:
        answers = {}
        for value in ASKED[key]:
            asked = {"level": "organization,customer,material", key: value}
            answer = nord.get(path, params=asked, headers={"X-Request-ID": "the-same-name"})
            answers[value] = answer.status_code, answer.text.replace(value, "?")
        own, both, foreign, nobodys = (
            ("NORD", "NORD", "SÜD", "OST") if key == "organization" else ('K,"9"', "K-104", "K-7", "K-0")
        )
        assert answers[own][0] == answers[both][0] == 200
        assert answers[foreign] == answers[nobodys]
        assert answers[foreign][0] == 404

    def test_a_page_after_anothers_node_goes_on_with_ones_own(
        self, client: TestClient, nord: TestClient
    ) -> None:
        """A cursor is a place in an order, not a right."""
        level = "organization,customer,material"
        cursor = client.get("/v1/nodes", params={"level": level, "limit": 1}).json()["next"]
        walked = nord.get("/v1/nodes", params={"level": level, "cursor": cursor}).json()["nodes"]
        assert [node["organization"] for node in walked] == ["NORD"]

    def test_an_answer_for_one_is_no_answer_for_another(self, client: TestClient, nord: TestClient) -> None:
        level = {"level": "organization"}
        tag = client.get("/v1/forecasts", params=level).headers["etag"]
        assert client.get("/v1/forecasts", params=level, headers={"If-None-Match": tag}).status_code == 304
        assert nord.get("/v1/forecasts", params=level, headers={"If-None-Match": tag}).status_code == 200

    def test_none_of_ones_own(self, engine: Engine, key_of: KeyOf) -> None:
        for organizations in ([], ["OST"], ["N%"], ["NORD,SÜD"], ['{"NORD"}']):
            client = TestClient(create_app(engine), headers=bearer(key_of(engine, "viewer", organizations)))
            assert forecasts_of(client, level="organization") == []


def rows(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar_one())


class TestInPostgres:
    """The same without any filter of ours: plain SQL in the transaction that a reader gets."""

    def test_other_companies_rows_are_not_there(self, engine: Engine, published: ForecastRun) -> None:
        with seen_by(engine, frozenset({"NORD"})) as connection:
            seen = connection.exec_driver_sql("select distinct organization from node").scalars().all()
            assert seen == ["NORD"]
            nodes = rows(connection, "node")
            assert rows(connection, "forecast") == 2 * nodes
            assert rows(connection, "history") == 0
            means = "select mean from forecast order by mean"
            assert len(connection.exec_driver_sql(means).all()) == 2 * nodes
            stream = copy_out(connection, "select distinct organization from node", ())
            assert b"NORD" in stream
            assert "SÜD".encode() not in stream
        with seen_by(engine, None) as connection:
            assert rows(connection, "node") == published.forecast.hierarchy.n_nodes > nodes

    def test_history_follows_its_node(self, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("insert into history select '2026-10-aaaa', id, '{1}' from node")
        with seen_by(engine, frozenset({"NORD"})) as connection:
            assert rows(connection, "history") == rows(connection, "node") > 0

    @pytest.mark.parametrize("setting", ["", "{}", "{OST}", '{"NORD,SÜD"}', "{null}"])
    def test_nothing_is_seen_without_organizations(self, engine: Engine, setting: str) -> None:
        with engine.begin() as connection:
            if setting:
                connection.execute(
                    sa.text("select set_config('tonnage.organizations', :it, true)"), {"it": setting}
                )
            connection.exec_driver_sql("set local role tonnage_scoped")
            assert [rows(connection, table) for table in ("node", "forecast", "history")] == [0, 0, 0]

    def test_the_next_transaction_on_the_connection_is_as_before(self, engine: Engine) -> None:
        with engine.connect() as connection:
            before = connection.exec_driver_sql("select current_user").scalar_one()
        for _ in range(3):
            with seen_by(engine, frozenset({"NORD"})) as connection:
                assert connection.exec_driver_sql("select current_user").scalar_one() == "tonnage_scoped"
            with seen_by(engine, None) as connection:
                assert connection.exec_driver_sql("select current_user").scalar_one() == before
                assert not connection.exec_driver_sql(
                    "select current_setting('tonnage.organizations', true)"
                ).scalar_one()

    @pytest.mark.parametrize("role", ["tonnage_reader", "tonnage_scoped"])
    def test_readers_write_nothing(self, engine: Engine, role: str) -> None:
        tables = [
            "run",
            "current_run",
            "node",
            "forecast",
            "history",
            "shown",
            "score",
            "job",
            "period",
            "api_key",
        ]
        writes = [f"delete from {table}" for table in tables]
        writes += ["truncate node", "create table mine (a int)", "update run set unit = 'kg'"]
        writes += [
            "insert into current_run values (true, '2026-10-aaaa')",
            "alter table node disable row level security",
        ]
        for write in writes:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"set local role {role}")
                with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
                    connection.exec_driver_sql(write)

    @pytest.mark.parametrize(
        ("role", "closed"),
        [
            ("tonnage_reader", ["api_key", "job", "period", "audit"]),
            ("tonnage_scoped", ["api_key", "job", "period", "score", "drift_event", "fold", "audit"]),
        ],
    )
    def test_readers_read_what_they_need_only(self, engine: Engine, role: str, closed: list[str]) -> None:
        for table in closed:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"set local role {role}")
                with pytest.raises(ProgrammingError, match="permission denied"):
                    rows(connection, table)

    def test_a_reader_of_some_reads_which_run_was_shown_when_and_not_why(self, engine: Engine) -> None:
        columns = {column["name"] for column in inspect(engine).get_columns("shown")}
        assert columns > {"id", "run_id", "at"}
        for column in columns:
            with engine.connect() as connection:
                connection.exec_driver_sql("set local role tonnage_scoped")
                question = f"select {column} from shown"
                if column in {"id", "run_id", "at"}:
                    connection.exec_driver_sql(question)
                else:
                    with pytest.raises(ProgrammingError, match="permission denied"):
                        connection.exec_driver_sql(question)

    def test_a_reader_of_all_sees_all(self, engine: Engine, published: ForecastRun) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("set local role tonnage_reader")
            assert rows(connection, "node") == published.forecast.hierarchy.n_nodes
            assert rows(connection, "forecast") == 2 * rows(connection, "node")


def migrate_elsewhere(engine: Engine) -> subprocess.Popen[bytes]:
    """Another process, for Alembic migrates one database of a process at a time."""
    code = (
        "import sys; from app.store import engine, migrate; migrate.migrate(engine.open_engine(sys.argv[1]))"
    )
    return subprocess.Popen([sys.executable, "-c", code, engine.url.render_as_string(hide_password=False)])


class TestRoles:
    """Roles belong to the server, the tables to whoever owns one of its databases."""

    @pytest.fixture
    def server(self, tmp_path: Path) -> sa.URL:
        """A server on which nobody has made any role yet."""
        return start_embedded(tmp_path)

    @pytest.fixture
    def sql(self, server: sa.URL) -> Iterator[Callable[[str], object]]:
        """Runs a statement as the administrator of that server."""
        engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection.exec_driver_sql
        engine.dispose()

    @pytest.fixture
    def owned(
        self, server: sa.URL, sql: Callable[[str], object]
    ) -> Iterator[Callable[[str, str, str], Engine]]:
        """Makes a database and, if need be, a user with these rights who owns it."""
        made: list[Engine] = []

        def make(name: str, user: str, rights: str = "") -> Engine:
            if rights:
                sql(f"create role {user} login nosuperuser {rights}")
            sql(f"create database {name} owner {user}")
            url = server.set(database=name, username=user).render_as_string(hide_password=False)
            made.append(open_engine(url))
            return made[-1]

        yield make
        for engine in made:
            engine.dispose()

    def test_are_made_once_by_owners_who_may_and_asked_for_by_those_who_may_not(
        self, owned: Callable[..., Engine], sql: Callable[[str], object], make_run: Callable[..., ForecastRun]
    ) -> None:
        houses = [owned("one", "maker", "createrole"), *(owned(f"house{n}", "maker") for n in range(3))]
        at_once = [migrate_elsewhere(house) for house in houses]
        assert [each.wait() for each in at_once] == [0] * len(houses)
        later = owned("later", "maker")
        migrate(later)
        stranger = owned("stranger", "other", "nocreaterole")
        with pytest.raises(RolesMissing) as raised:
            migrate(stranger)
        with pytest.raises(RolesMissing):
            migrate(owned("rival", "rival", "createrole"))  # who makes a role may grant it, and only they
        asked = raised.value.remedy
        sql(asked[asked.index("grant ") : asked.index("; then")])
        migrate(stranger)

        run = make_run()
        for house in (*houses, later, stranger):
            publish(house, run, PUBLISHED)
            assert is_current(house)
            with seen_by(house, frozenset({"NORD"})) as connection:
                seen = "select distinct organization from node"
                assert connection.exec_driver_sql(seen).scalars().all() == ["NORD"]
            with seen_by(house, None) as connection:
                assert rows(connection, "node") == run.forecast.hierarchy.n_nodes
            with house.connect() as connection:
                connection.exec_driver_sql("set local role tonnage_scoped")
                with pytest.raises(ProgrammingError, match="permission denied"):
                    connection.exec_driver_sql("delete from node")

    def test_the_remedy_is_all_that_an_administrator_has_to_do(
        self, owned: Callable[..., Engine], sql: Callable[[str], object]
    ) -> None:
        house = owned("poor", "poor", "nocreaterole")
        with pytest.raises(RolesMissing) as raised:
            migrate(house)
        assert not is_current(house), "nothing of it was done"
        asked = raised.value.remedy
        sql(asked[asked.index("create role") : asked.index("; then")])
        migrate(house)
        assert is_current(house)
