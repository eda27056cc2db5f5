"""SQL Server for real, by both kinds of URL, where TONNAGE_TEST_MSSQL_URL names one.

Each test makes its own table and drops it. The URL may be of either kind, the other follows from it.
"""

import os
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import quote

import polars as pl
import pytest
from sqlalchemy.engine import URL, make_url

from ingestion.errors import (
    ConnectionLost,
    DriverMissing,
    IngestionError,
    QueryFailed,
    SourceMoved,
    SourceRefused,
    SourceUnreachable,
    UnknownColumn,
)
from ingestion.fingerprint import changed
from ingestion.order_line import RAW_LINES
from ingestion.source_config import SourceConfig, Table
from ingestion.sources import sql_server_sql as sql
from ingestion.sources.odbc_arrow import ArrowConnection, OdbcError, openers
from ingestion.sources.odbc_text import cell_fingerprints
from ingestion.sources.patience import Patience
from ingestion.sources.sql_server import SqlServerSource
from ingestion.sources.sql_server_url import target_of
from ingestion.sources.sql_server_view import SNAPSHOT, SqlServerView
from ingestion.units import FACTORS, DemandUnit

pytestmark = pytest.mark.mssql

VARIABLE = "TONNAGE_TEST_MSSQL_URL"
ONCE = Patience(())
KINDS = ("pyodbc", "mssqlpython")
LONG = "1234567890123456789012345678.0123456789"
ODD = [
    "plain",
    "it's; drop table x --",
    'a "quoted" name',
    "鋼板 😀",
    "مواد",
    "tab\tand\nline",
    "[x] %_ \\ ''",
]

type Source = Callable[..., SourceConfig]
type Make = Callable[[str], str]


def as_kind(url: URL, kind: str) -> URL:
    """The same server by the other kind of URL, with the same wish for encryption."""
    if url.get_driver_name() == kind:
        return url
    wish = {key.lower(): str(value) for key, value in url.query.items()}
    off = wish.get("encrypt", "").lower() in {"no", "optional"} or wish.get("encryption", "").lower() == "off"
    query = {"Encrypt": "no" if off else "yes"}
    if kind == "pyodbc":
        query["driver"] = "FreeTDS"
    else:
        query["TrustServerCertificate"] = "yes"
    port = url.port or int(wish.get("port", "1433"))
    return URL.create(f"mssql+{kind}", url.username, url.password, url.host, port, url.database, query)


@pytest.fixture(scope="module", params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    given = os.environ.get(VARIABLE)
    if not given:
        pytest.skip(f"{VARIABLE} names no SQL Server")
    return as_kind(make_url(given), request.param).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def connection(url: str) -> Iterator[ArrowConnection]:
    """A connection that may write, by the client that the URL asks for."""
    target = target_of(make_url(url))
    assert target is not None
    opened = openers(target)[-1](target.connection_string, 15, 60)
    yield opened
    opened.close()


@pytest.fixture
def make(connection: ArrowConnection) -> Iterator[Make]:
    """Makes a table of its own with these columns; its name."""
    made = []

    def create(columns: str) -> str:
        made.append(f"tonnage_{uuid.uuid4().hex[:12]}")
        connection.run(f"create table {made[-1]} ({columns})")
        return made[-1]

    yield create
    for name in made:
        connection.run(f"drop table {name}")


@pytest.fixture
def orders(make: Make) -> str:
    """An empty table of order lines, each column named after its field."""
    texts = ", ".join(
        f'"{field}" nvarchar(40)' for field in ("organization", "customer", "material", "unit", "status")
    )
    return make(f'"line" int not null, {texts}, "date" date, "quantity" decimal(14, 3)')


def insert(connection: ArrowConnection, table: str, rows: pl.DataFrame) -> None:
    def literal(value: object) -> str:
        if value is None:
            return "null"
        return (
            f"N'{str(value).replace(chr(39), chr(39) * 2)}'" if isinstance(value, str | date) else str(value)
        )

    names = ", ".join(f'"{name}"' for name in rows.columns)
    for chunk in rows.iter_slices(200):
        values = ", ".join(f"({', '.join(map(literal, row))})" for row in chunk.iter_rows())
        connection.run(f"insert into {table} ({names}) values {values}")


def some_lines(count: int, seed: int = 1) -> pl.DataFrame:
    chance = random.Random(seed)
    days = [date(2025, 1, 1) + timedelta(days=chance.randrange(700)) for _ in range(count)]
    return pl.DataFrame(
        {
            "line": range(1, count + 1),
            "organization": chance.choices(["NORD", "WEST", None], k=count),
            "customer": chance.choices(ODD, k=count),
            "material": chance.choices(ODD, k=count),
            "date": [day if chance.random() > 0.02 else None for day in days],
            "quantity": [Decimal(chance.randrange(-(10**6), 10**9)) / 1000 for _ in range(count)],
            "unit": chance.choices(["kg", "t", "T", "lb", "cwt", "box", None], k=count),
            "status": chance.choices(["confirmed", "cancelled"], k=count),
        },
        schema_overrides={"date": pl.Date},
    )


def look(config: SourceConfig) -> SqlServerSource:
    return SqlServerSource(config, patience=ONCE)


def everything(view: SqlServerView) -> pl.DataFrame:
    return pl.concat(each.table for each in view.lines(list(view.fingerprints()))).sort("line")


class TestReading:
    def test_lines_arrive_as_they_are(
        self, source: Source, url: str, connection: ArrowConnection, orders: str
    ) -> None:
        lines = some_lines(3_000)
        insert(connection, orders, lines)
        with look(source(url, table=orders)).view() as view:
            pulled = everything(view)
            month = pl.col("date").dt.strftime("%Y-%m").fill_null("")
            expected = lines.with_columns(month.alias("slice"), pl.col("quantity").cast(pl.Decimal(14, 3)))
            assert pulled.equals(expected.select(pl.col(pulled.columns).cast(pl.String)).sort("line"))
            counts = {name: each.lines for name, each in view.fingerprints().items()}
            assert counts == dict(pulled.group_by("slice").len().iter_rows())
            some = ["", "2025-03", "2025-04", "2026-01"]
            assert (
                pl.concat(each.table for each in view.lines(some))
                .sort("line")
                .equals(pulled.filter(pl.col("slice").is_in(some)))
            )
            assert view.sample(7).lines.height == 7

    @pytest.mark.parametrize(
        ("kind", "value", "expected", "name"),
        [
            ("date", "'0001-01-01'", "0001-01-01", "0001-01"),
            ("date", "'9999-12-31'", "9999-12-31", "9999-12"),
            ("datetime", "'2026-10-31T23:59:59.997'", "2026-10-31 23:59:59.997", "2026-10"),
            ("datetime2", "'9999-12-31T23:59:59.123456'", "9999-12-31 23:59:59.123456", "9999-12"),
            ("smalldatetime", "'2079-06-06T00:00:00'", "2079-06-06 00:00:00", "2079-06"),
            ("datetimeoffset", "'2026-11-01T00:30:00+02:00'", "2026-10-31 22:30:00+00:00", "2026-10"),
            ("int", "20261031", "20261031", "2026103"),
            ("varchar(20)", "'31.10.2026 '", "31.10.2026 ", "31.10.2"),
            ("nvarchar(20)", "N'鋼'", "鋼", "鋼"),
            ("char(12)", "'2026-10-31'", "2026-10-31  ", "2026-10"),
            ("nvarchar(max)", "N'2026-10-31'", "2026-10-31", "2026-10"),
            ("date", "null", None, ""),
            ("varchar(20)", "''", "", ""),
        ],
    )
    def test_dates_of_every_kind(
        self, source: Source, url: str, connection: ArrowConnection, make: Make,
        kind: str, value: str, expected: str | None, name: str,
    ) -> None:  # fmt: skip
        table = make(f'"date" {kind}, "text" nvarchar(9), "quantity" int')
        connection.run(f"insert into {table} values ({value}, N'x', 1), ({value}, N'y', 2)")
        others = ", ".join(f'"text" as {field}' for field in RAW_LINES if field not in {"date", "quantity"})
        query = f'select "date", "quantity", {others} from {table}'
        with look(source(url, query=query)).view() as view:
            assert {key: each.lines for key, each in view.fingerprints().items()} == {name: 2}
            assert [row[:2] for row in everything(view).select("date", "slice").rows()] == [
                (expected, name)
            ] * 2
            assert pl.concat(each.table for each in view.lines([name])).height == 2

    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            ("decimal(38, 10)", LONG, LONG),
            ("money", "-12.3456", "-12.3456"),
            ("bigint", "9223372036854775807", "9223372036854775807"),
            ("float", "0.1", "0.1"),
            ("float", "1E18", "1e+18"),
            ("nvarchar(max)", "N'12,5'", "12,5"),
        ],
    )  # fmt: skip
    def test_quantities_of_every_kind_are_read_and_seen_to_change(
        self, source: Source, url: str, connection: ArrowConnection, make: Make,
        kind: str, value: str, expected: str,
    ) -> None:  # fmt: skip
        texts = ", ".join(
            f'"{field}" nvarchar(9)' for field in RAW_LINES if field not in {"date", "quantity"}
        )
        table = make(f'{texts}, "date" date, "quantity" {kind}')
        connection.run(
            f'insert into {table} ("line", "date", "quantity") values (N\'1\', \'2026-10-01\', {value})'
        )
        config = source(url, table=table)
        with look(config).view() as view:
            before = view.fingerprints()
            assert everything(view)["quantity"].to_list() == [expected]
        connection.run(f'update {table} set "quantity" = cast(1 as {kind})')
        with look(config).view() as view:
            assert changed(view.fingerprints(), before) == ["2026-10"]

    def test_long_text_comes_whole(
        self, source: Source, url: str, connection: ArrowConnection, make: Make
    ) -> None:
        texts = ", ".join(
            f'"{field}" nvarchar(max)' for field in RAW_LINES if field not in {"date", "quantity"}
        )
        table = make(f'{texts}, "date" date, "quantity" int')
        connection.run(
            f'insert into {table} ("line", "customer", "date", "quantity") '
            f"select N'1', replicate(cast(N'é' as nvarchar(max)), 1000000), '2026-10-01', 1"
        )
        with look(source(url, table=table)).view() as view:
            assert everything(view)["customer"].to_list() == ["é" * 1_000_000]

    def test_master_data(self, source: Source, url: str, connection: ArrowConnection, make: Make) -> None:
        table = make('"no" int, "name" nvarchar(max), "weight" decimal(9, 3)')
        connection.run(f"insert into {table} values (1, N'鋼', 12.5), (2, null, null)")
        config = source(url, table=table)
        bare = replace(config, columns={})
        with look(bare).view() as view:
            found = view.table(Table((table,)), {"material": "no", "grade": "name", "weight": "weight"})
            assert found.sort("material").rows() == [("1", "鋼", "12.500"), ("2", None, None)]
            with pytest.raises(UnknownColumn):
                view.table(Table((table,)), {"material": "number"})


class TestReckoning:
    def test_sums_are_those_of_exact_arithmetic(
        self, source: Source, url: str, connection: ArrowConnection, orders: str
    ) -> None:
        lines = some_lines(1_500, seed=2).with_columns(
            # Ties, which a float would round either way.
            pl.when(pl.col("line") % 3 == 0).then(Decimal("0.500")).otherwise("quantity").alias("quantity")
        )
        insert(connection, orders, lines)
        worth = FACTORS[DemandUnit.TONNE]
        factors: dict[str | None, Decimal] = {
            unit: worth[unit.lower()] for unit in ("kg", "t", "T", "lb", "cwt")
        }
        expected: dict[str, int] = {}
        for day, quantity, unit in lines.select("date", "quantity", "unit").iter_rows():
            kilograms = quantity * factors[unit] if unit in factors else Decimal(0)
            slice_ = f"{day:%Y-%m}" if day else ""
            expected[slice_] = expected.get(slice_, 0) + int(kilograms.quantize(Decimal(1), "ROUND_HALF_UP"))
        with look(source(url, table=orders)).view() as view:
            assert view.sums(list(expected), factors) == expected
            assert view.sums(["2025-03", "1999-01"], factors) == {
                "2025-03": expected["2025-03"],
                "1999-01": 0,
            }

    def test_every_change_is_seen_in_its_month_and_no_other(
        self, source: Source, url: str, connection: ArrowConnection, orders: str
    ) -> None:
        insert(
            connection,
            orders,
            some_lines(300, seed=3).with_columns(pl.col("date").fill_null(date(2026, 6, 1))),
        )
        config = source(url, table=orders)

        def now() -> dict[str, object]:
            with look(config).view() as view:
                return dict(view.fingerprints())

        before = now()
        assert now() == before
        changes = [
            ("update {} set \"quantity\" = \"quantity\" + 0.001 where \"line\" = 7", 1),
            ("update {} set \"customer\" = N'PLAIN' where \"line\" = 8", 1),
            ("update {} set \"customer\" = null, \"material\" = N'x' where \"line\" = 8", 1),
            ("update {} set \"customer\" = N'', \"material\" = N'x' where \"line\" = 8", 1),
            ("update {} set \"customer\" = N'x', \"material\" = N'' where \"line\" = 8", 1),
            ("update {} set \"line\" = 100000 where \"line\" = 9", 1),
            ("delete from {} where \"line\" = 10", 1),
            ("update {} set \"date\" = '1999-01-31' where \"line\" = 11", 2),
            ("insert into {} (\"line\", \"quantity\") values (12, 1)", 1),
        ]  # fmt: skip
        for statement, months in changes:
            connection.run(statement.format(orders))
            after = now()
            differing = {name for name in before | after if before.get(name) != after.get(name)}
            assert len(differing) == months, statement
            before = after

    def test_cells_count_the_same_lines(
        self, source: Source, url: str, connection: ArrowConnection, orders: str
    ) -> None:
        insert(connection, orders, some_lines(200, seed=4))
        config = source(url, table=orders)
        columns = {field: sql.Column(sql.Kind.TEXT, "") for field in RAW_LINES} | {
            "line": sql.Column(sql.Kind.INTEGER, "", 19),
            "date": sql.Column(sql.Kind.DAY, ""),
            "quantity": sql.Column(sql.Kind.DECIMAL, "", 14, 3),
        }
        cells = pl.DataFrame(pl.from_arrow(connection.read(sql.cells_sql(config, columns)).table()))
        with look(config).view() as view:
            counted = {name: each.lines for name, each in view.fingerprints().items()}
        assert {name: each.lines for name, each in cell_fingerprints(cells).items()} == counted

    def test_what_is_written_meanwhile_is_not_half_seen(
        self, source: Source, url: str, connection: ArrowConnection, orders: str
    ) -> None:
        lines = some_lines(100, seed=5)
        insert(connection, orders, lines)
        with look(source(url, table=orders)).view() as view:
            slices = list(view.fingerprints())
            insert(connection, orders, lines.with_columns(pl.col("line") + 1_000))
            if view.consistency == SNAPSHOT:
                assert pl.concat(each.table for each in view.lines(slices)).height == 100
            else:
                with pytest.raises(SourceMoved):
                    list(view.lines(slices))


class TestFailures:
    def failure(self, config: SourceConfig, *kinds: type[IngestionError]) -> IngestionError:
        with pytest.raises(kinds) as caught, look(config).view() as view:
            everything(view)
        error = caught.value
        assert len(str(error).splitlines()) == 1
        assert error.__suppress_context__ or error.__context__ is None
        password = str(config.url.password)
        assert password not in str(error) and quote(password) not in str(error)
        return error

    def test_a_wrong_password(self, source: Source, url: str) -> None:
        wrong = make_url(url).set(password="Wr0ng;Secret}").render_as_string(hide_password=False)
        error = self.failure(source(wrong), SourceRefused)
        assert type(error) is SourceRefused and "ERP_URL" in str(error)

    def test_another_database(self, source: Source, url: str) -> None:
        error = self.failure(
            source(str(make_url(url).set(database="nowhere_at_all").render_as_string(False))), SourceRefused
        )
        assert type(error) is SourceRefused

    def test_nothing_answers(self, source: Source, url: str) -> None:
        parsed = make_url(url)
        query = {key: value for key, value in parsed.query.items() if key.lower() != "port"}
        gone = URL.create(
            parsed.drivername, parsed.username, parsed.password, "127.0.0.1", 1, parsed.database, query
        )
        paused: list[float] = []
        config = source(gone.render_as_string(hide_password=False))
        with pytest.raises(SourceUnreachable, match=r"127\.0\.0\.1:1/"):
            SqlServerSource(
                config, login_timeout=timedelta(seconds=1), patience=Patience((0.5,), paused.append)
            ).view().__enter__()
        assert paused == [0.5]

    @pytest.mark.parametrize(
        "query", ["select * from nowhere_at_all", "select * form x", "select 1 as a; drop table x"]
    )
    def test_a_query_that_fails(self, source: Source, url: str, query: str) -> None:
        error = self.failure(source(url, query=query), QueryFailed)
        assert type(error) is QueryFailed

    def test_a_query_that_fails_half_way(
        self, source: Source, url: str, connection: ArrowConnection, orders: str
    ) -> None:
        insert(connection, orders, some_lines(50))
        fields = ", ".join(f'"{field}"' for field in RAW_LINES if field != "quantity")
        query = f'select {fields}, 1 / ("line" - 40) as "quantity" from {orders}'
        error = self.failure(source(url, query=query), QueryFailed)
        assert "zero" in str(error)

    def test_a_column_that_is_not_there(self, source: Source, url: str, orders: str) -> None:
        columns = {field: field for field in RAW_LINES} | {"quantity": "qty"}
        error = self.failure(source(url, table=orders, columns=columns), UnknownColumn)
        assert "the source has no column 'qty'; it has line, " in str(error)

    def test_a_driver_that_is_not_installed(self, source: Source, url: str) -> None:
        if make_url(url).get_driver_name() != "pyodbc":
            pytest.skip("mssql-python brings its driver")
        other = make_url(url).update_query_dict({"driver": "No Such Driver"})
        error = self.failure(source(other.render_as_string(hide_password=False)), DriverMissing)
        assert "'No Such Driver' is not installed" in str(error)

    def test_a_connection_that_is_lost_while_reading(
        self, source: Source, url: str, connection: ArrowConnection, orders: str
    ) -> None:
        insert(connection, orders, some_lines(1_000))
        query = f'select a.* from {orders} as a cross join (select top 300 "line" as "n" from {orders}) as b'
        with look(source(url, query=query)).view() as view:
            session = view._read('select @@spid as "id"').item()
            slices = list(view.fingerprints())
            batches = view.lines(slices)
            first = next(batches).lines.height
            try:
                connection.run(f"kill {session}")
            except OdbcError as error:
                pytest.skip(f"this login may not end sessions: {error}")
            with pytest.raises(ConnectionLost, match="nothing was stored"):
                first += sum(batch.lines.height for batch in batches)
