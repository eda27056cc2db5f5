"""SQL Server without a server: golden SQL, URLs, text from Arrow, and what each failure is told."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from ingestion.errors import (
    BadSourceConfig,
    ConnectionLost,
    DriverMissing,
    EncryptionRefused,
    IngestionError,
    QueryFailed,
    SourceMoved,
    SourceRefused,
    SourceUnreachable,
)
from ingestion.order_line import RAW_LINES
from ingestion.source_config import SourceConfig, parse_sources
from ingestion.sources import sql_server_sql as sql
from ingestion.sources.odbc_arrow import OdbcError, Result
from ingestion.sources.odbc_text import (
    cell_fingerprints,
    checksum_fingerprints,
    column_of,
    text_of,
    totals_by_slice,
)
from ingestion.sources.patience import Patience
from ingestion.sources.sql_server import SqlServerSource
from ingestion.sources.sql_server_errors import is_final, is_unbound, not_connected, not_read, plain
from ingestion.sources.sql_server_sql import Column, Kind
from ingestion.sources.sql_server_url import Client, Target, target_of, without_secrets
from ingestion.sources.sql_server_view import READ_COMMITTED, SNAPSHOT, SqlServerView

GOLDEN = Path(__file__).parent / "golden"
URL = "mssql+pyodbc://reader:secret@erp.example:1433/erp?driver=FreeTDS"
RENAMED = {
    "line": "id",
    "organization": 'the "plant"',
    "customer": "Customer No",
    "material": "item;--",
    "date": "wanted",
    "quantity": "qty",
}
TEXT, DAY = Column(Kind.TEXT, "text"), Column(Kind.DAY, "date")
WEIGHT = Column(Kind.DECIMAL, "decimal(14, 3)", 14, 3)

type Source = Callable[..., SourceConfig]


def columns(config: SourceConfig, date: Column = DAY, quantity: Column = WEIGHT) -> dict[str, Column]:
    kinds = dict.fromkeys(config.columns.values(), TEXT)
    return kinds | {config.columns["date"]: date, config.columns["quantity"]: quantity}


class TestSql:
    def check(self, name: str, text: str | None) -> None:
        assert text is not None
        assert text + "\n" == (GOLDEN / f"mssql_{name}.sql").read_text()

    def test_probe(self, source: Source) -> None:
        config = source(URL, query="select 1 as a -- the end;")
        self.check("probe", sql.probe_sql(config.relation))
        self.check("first", sql.first_sql(config.relation))
        self.check("offset_probe", sql.offset_probe_sql(config))

    def test_the_select_of_a_table(self, source: Source) -> None:
        config = source(URL, table='sales.order "lines"')
        self.check("select", sql.select_sql(config, columns(config)))
        self.check("sample", sql.select_sql(config, columns(config), top=10))
        self.check("nothing", sql.nothing_sql(config, columns(config)))

    def test_a_pull_by_ranges_of_days(self, source: Source) -> None:
        config = source(URL, query="select * from t", columns=RENAMED, unit="kg")
        slices = ["2026-12", "2026-11", "", "2025-01", "0001-01"]
        self.check("pull", sql.pull_sql(config, columns(config), slices))

    @pytest.mark.parametrize("far", ["2079-06", "2079-12", "9999-12"])
    def test_what_a_smalldatetime_cannot_reach_is_no_bound(self, source: Source, far: str) -> None:
        config = source(URL)
        text = sql.pull_sql(config, columns(config), ["2079-05", far])
        assert text.endswith("where \"date\" >= '20790501'")

    def test_a_pull_of_times_with_an_offset(self, source: Source) -> None:
        config = source(URL)
        self.check(
            "pull_moments", sql.pull_sql(config, columns(config, Column(Kind.MOMENT, "")), ["2026-10"])
        )

    def test_a_pull_of_dates_kept_as_text(self, source: Source) -> None:
        config = source(URL)
        self.check("pull_text_dates", sql.pull_sql(config, columns(config, TEXT), ["2026-10", "", "it's"]))

    def test_fingerprints(self, source: Source) -> None:
        config = source(URL)
        self.check("fingerprint", sql.fingerprint_sql(config, columns(config)))
        everything = columns(config, Column(Kind.MOMENT, ""), Column(Kind.FLOAT, "float"))
        everything |= {"line": Column(Kind.INTEGER, "integer", 19), "status": Column(Kind.OTHER, "bool")}
        self.check("fingerprint_types", sql.fingerprint_sql(config, everything, ["2026-10"]))
        self.check("fingerprint_text_dates", sql.fingerprint_sql(config, columns(config, TEXT)))

    def test_cells(self, source: Source) -> None:
        config = source(URL)
        self.check("cells", sql.cells_sql(config, columns(config)))
        self.check("cells_of_floats", sql.cells_sql(config, columns(config, quantity=Column(Kind.FLOAT, ""))))

    def test_sums(self, source: Source) -> None:
        config = source(URL)
        factors = {"t": Decimal("1000.00000000"), "LB ": Decimal("0.45359237"), "it's": Decimal(1)}
        self.check("sums", sql.sums_sql(config, columns(config), ["2026-10"], factors))
        fixed = source(URL, columns=RENAMED, unit="kg")
        wide = columns(fixed, TEXT, Column(Kind.DECIMAL, "", 38, 6))
        self.check("sums_of_wide_decimals", sql.sums_sql(fixed, wide, ["2026-10"], {None: Decimal("1E+3")}))

    @pytest.mark.parametrize(
        "quantity",
        [
            Column(Kind.TEXT, "text"),
            Column(Kind.FLOAT, "float"),
            Column(Kind.DECIMAL, "decimal(38, 26)", 38, 26),
            Column(Kind.DECIMAL, "decimal(38, 38)", 38, 38),
        ],
    )
    def test_what_cannot_be_added_exactly_is_not_added(self, source: Source, quantity: Column) -> None:
        config = source(URL)
        assert (
            sql.sums_sql(config, columns(config, quantity=quantity), [""], {"lb": Decimal("0.45359237")})
            is None
        )

    @given(
        st.integers(1, 38), st.integers(0, 38), st.decimals(min_value="0.00000001", max_value=2000, places=8)
    )
    def test_no_product_has_more_digits_than_a_decimal(
        self, precision: int, scale: int, factor: Decimal
    ) -> None:
        document = {"url": "env:U", "table": "t", "columns": {field: field for field in RAW_LINES}}
        (config,) = parse_sources({"sources": {"erp": document}}, {"U": URL})
        quantity = Column(Kind.DECIMAL, "", precision, min(scale, precision))
        text = sql.sums_sql(config, columns(config, quantity=quantity), [""], {"lb": factor})
        if text is not None:
            widths = [tuple(map(int, found)) for found in re.findall(r"decimal\((\d+), (\d+)\)", text)]
            (number, _), (worth, _), (whole, _) = widths
            assert number + worth + 1 <= 38 == whole
            assert all(behind <= digits for digits, behind in widths)


class TestUrl:
    def string(self, url: str) -> str:
        target = target_of(make_url(url))
        assert target is not None
        return target.connection_string

    def test_freetds_finds_its_port_and_encrypts(self) -> None:
        expected = "DRIVER={FreeTDS};Server=erp.example;Database=erp;UID=reader;PWD=secret"
        for url in (URL, URL.replace(":1433", "") + "&port=1433"):
            parts = self.string(url).split(";")
            assert ";".join(parts[:5]) == expected
            assert {part.lower() for part in parts[5:]} == {
                "encryption=require",
                "tds_version=7.4",
                "port=1433",
            }

    @pytest.mark.parametrize(
        ("asked", "got"),
        [("&Encrypt=no", "off"), ("&Encrypt=yes", "require"), ("&Encryption=request", "request")],
    )
    def test_freetds_has_a_word_of_its_own_for_encryption(self, asked: str, got: str) -> None:
        text = self.string(URL + asked)
        assert f"Encryption={got}" in text
        assert "Encrypt=" not in text

    @pytest.mark.parametrize(
        "url",
        [
            "mssql+mssqlpython://u:p@h:1433/d",
            "mssql+pyodbc://u:p@h:1433/d?driver=ODBC+Driver+18+for+SQL+Server",
        ],
    )
    def test_microsofts_drivers_encrypt_unless_the_url_says_no(self, url: str) -> None:
        mark = "&" if "?" in url else "?"
        assert self.string(url).endswith("Server=h,1433;Database=d;UID=u;PWD=p;Encrypt=yes")
        assert self.string(f"{url}{mark}encrypt=no").endswith("PWD=p;encrypt=no")
        assert "TrustServerCertificate" not in self.string(url)
        assert self.string(f"{url}{mark}TrustServerCertificate=yes").count("TrustServerCertificate=yes") == 1

    def test_a_password_with_marks_in_it_stays_whole(self) -> None:
        text = self.string("mssql+mssqlpython://u:a%3Bb%7Dc@h/d")
        assert "PWD={a;b}}c}" in text

    def test_a_dsn_and_a_string_of_ones_own_pass_as_they_are(self) -> None:
        assert self.string("mssql+pyodbc://u:p@erp_dsn") == "dsn=erp_dsn;UID=u;PWD=p"
        assert self.string("mssql+pyodbc:///?odbc_connect=DRIVER%3D%7BFreeTDS%7D%3BServer%3Dh").startswith(
            "DRIVER={FreeTDS};Server=h"
        )

    def test_no_driver_is_no_target(self) -> None:
        assert target_of(make_url("mssql+pyodbc://u:p@h/d")) is None

    def test_a_printed_target_hides_its_password(self) -> None:
        assert "secret" not in repr(target_of(make_url(URL)))

    @pytest.mark.parametrize(
        "url",
        [
            "mssql+pyodbc://u:hu%7Dnter@h/d?driver=FreeTDS",
            "mssql+pyodbc:///?odbc_connect=DRIVER%3DFreeTDS%3BPWD%3Dhu%7Dnter%3BServer%3Dh",
            "mssql+pyodbc://h/d?driver=FreeTDS&PWD=hu%7Dnter",
        ],
    )
    def test_no_spelling_of_the_password_gets_out(self, url: str) -> None:
        said = "login of hu}nter or hu%7Dnter or {hu}}nter} failed"
        assert "nter" not in without_secrets(said, make_url(url))

    def test_the_address_is_that_of_the_server(self, source: Source) -> None:
        assert source(URL).address == "erp.example:1433/erp"
        assert source(URL.replace(":1433", "") + "&port=1433").address == "erp.example:1433/erp"
        written = (
            "mssql+pyodbc:///?odbc_connect=Driver%3DFreeTDS%3BServer%3Dh%3BPort%3D14%3BDatabase%3Dd%3BPWD%3Dx"
        )
        assert source(written).address == "h:14/d"


class TestText:
    def test_every_type_is_written_as_it_is(self) -> None:
        frame = pl.DataFrame(
            {
                "decimal": [Decimal("-12345678901.120"), None],
                "integer": [2**62, 0],
                "real": pl.Series([1.1, 1e18], dtype=pl.Float32),
                "day": [dt.date(1, 1, 1), dt.date(9999, 12, 31)],
                "time": pl.Series(["0001-01-01 00:00:50", "9999-12-31 23:59:59.997"]).str.to_datetime(
                    "%F %T%.f", time_unit="us"
                ),
                "bit": [True, False],
                "bytes": [b"\x00\xff", None],
                "text": [" 鋼;'\" ", "a\x00b"],
            },
            schema_overrides={"decimal": pl.Decimal(14, 3)},
        )
        assert text_of(frame).rows() == [
            (
                "-12345678901.120",
                str(2**62),
                "1.1",
                "0001-01-01",
                "0001-01-01 00:00:50",
                "true",
                "0x00ff",
                " 鋼;'\" ",
            ),
            (None, "0", "1e+18", "9999-12-31", "9999-12-31 23:59:59.997", "false", None, "a\x00b"),
        ]

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (pa.decimal128(19, 4), Column(Kind.DECIMAL, "decimal(19, 4)", 19, 4)),
            (pa.int16(), Column(Kind.INTEGER, "integer", 19)),
            (pa.timestamp("us"), Column(Kind.TIME, "date and time")),
            (pa.timestamp("us", tz="UTC"), Column(Kind.MOMENT, "date and time with an offset")),
            (pa.date32(), Column(Kind.DAY, "date")),
            (pa.float32(), Column(Kind.FLOAT, "float")),
            (pa.large_string(), Column(Kind.TEXT, "text")),
            (pa.bool_(), Column(Kind.OTHER, "bool")),
        ],
    )
    def test_an_arrow_type_says_what_a_column_holds(self, kind: Any, expected: Column) -> None:
        assert column_of(pa.field("a", kind)) == expected

    def test_days_become_months_and_nothing_becomes_a_slice_of_its_own(self) -> None:
        days = [dt.date(2026, 10, 1), dt.date(2026, 10, 31), dt.date(1, 1, 1), None]
        rows = pl.DataFrame({"slice": days, "lines": [1, 2, 3, 4], "checksum": [Decimal(2**62)] * 4})
        assert checksum_fingerprints(rows) == {
            "2026-10": (3, str(2**63)),
            "0001-01": (3, str(2**62)),
            "": (4, str(2**62)),
        }
        texts = pl.DataFrame({"slice": ["", None, "31.10. "], "lines": [1, 2, 3], "checksum": [1, 2, 3]})
        assert checksum_fingerprints(texts) == {"": (3, "3"), "31.10.": (3, "3")}

    def test_sums_are_those_of_the_slices_asked_for(self) -> None:
        rows = pl.DataFrame(
            {"slice": [dt.date(2026, 10, 1), dt.date(2026, 11, 1)], "kilograms": [Decimal(5), None]}
        )
        assert totals_by_slice(rows, ["2026-10"]) == {"2026-10": 5}

    def test_cells_differ_when_a_kilogram_moves_and_not_with_their_order(self) -> None:
        def cells(*rows: tuple[str | None, str, int, int]) -> pl.DataFrame:
            day = [dt.date(2026, 10, 1)] * len(rows)
            names = ["customer", "material", "lines", "total"]
            return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.Series("slice", day))

        first = cells(("K", "M", 2, 10), ("L", "M", 1, 5))
        assert cell_fingerprints(first) == cell_fingerprints(first.reverse())
        others = [
            cells(("K", "M", 2, 9), ("L", "M", 1, 6)),
            cells(("KM", "", 2, 10), ("L", "M", 1, 5)),
            cells((None, "M", 2, 10), ("L", "M", 1, 5)),
            cells(("", "M", 2, 10), ("L", "M", 1, 5)),
        ]
        prints = [cell_fingerprints(each)["2026-10"] for each in (first, *others)]
        assert len(set(prints)) == 5
        assert {each.lines for each in prints} == {3}


FREETDS = Target(Client.ODBC, "FreeTDS", "")
MICROSOFT = Target(Client.ODBC, "ODBC Driver 18 for SQL Server", "")
BUNDLED = Target(Client.MSSQL_PYTHON, None, "")
LAYERS = {
    FREETDS: "[FreeTDS][SQL Server]",
    MICROSOFT: "[Microsoft][ODBC Driver 18 for SQL Server]",
    BUNDLED: "Driver Error: {}; DDBC Error: [Microsoft]",
}


def told_by(target: Target, state: str, message: str, verb: str = "SQLDriverConnect") -> str:
    """A message as arrow-odbc passes it on, or mssql-python, which tells no state but a name for it."""
    if target is BUNDLED:
        return LAYERS[target].format(state) + message
    record = f"State: {state}, Native error: 7, Message: {LAYERS[target]}{message}"
    return f"ODBC emitted an error calling '{verb}':\n{record}"


LOGIN = "Login failed for user 'u'"
NO_DATABASE = 'Cannot open database "d" requested by the login'
MISSING_DATABASE = 'database "d" does not exist'
NOBODY = "Unable to connect: Adaptive Server is unavailable or does not exist"
UNCLEAR = "Unable to connect to data source"
BAD_CERTIFICATE = (
    "SSL Provider: [error:0A000086:SSL routines::certificate verify failed:self-signed certificate]"
)
NO_TLS = "Encryption not supported on SQL Server"
NO_ROUTE = "Client unable to establish connection"
RESET = "TCP Provider: Error code 0x2746"
CONNECTING = [
    (FREETDS, "42000", LOGIN, "", SourceRefused),
    (MICROSOFT, "28000", f"[SQL Server]{LOGIN}.", LOGIN, SourceRefused),
    (BUNDLED, "Invalid authorization specification", f"[SQL Server]{LOGIN}.", LOGIN, SourceRefused),
    (MICROSOFT, "42000", f"[SQL Server]{NO_DATABASE}. The login failed.", NO_DATABASE, SourceRefused),
    (FREETDS, "08004", MISSING_DATABASE, "", SourceRefused),
    (
        BUNDLED,
        "Server rejected the connection",
        f"[SQL Server]{MISSING_DATABASE}",
        MISSING_DATABASE,
        SourceRefused,
    ),
    (FREETDS, "08S01", NOBODY, "", SourceUnreachable),
    (
        FREETDS,
        "08001",
        UNCLEAR,
        f"{UNCLEAR} (or it offers no encryption: Encrypt=no asks for none)",
        SourceUnreachable,
    ),
    (MICROSOFT, "HYT00", "Login timeout expired", "", SourceUnreachable),
    (BUNDLED, NO_ROUTE, "TCP Provider: Error code 0x2749", "", SourceUnreachable),
    (MICROSOFT, "08001", BAD_CERTIFICATE, "", EncryptionRefused),
    (BUNDLED, NO_ROUTE, f"{NO_TLS}.", NO_TLS, EncryptionRefused),
]
READING = [
    (FREETDS, "42000", 'relation "x" does not exist', QueryFailed, False),
    (BUNDLED, "Base table or view not found", "Invalid object name 'x'", QueryFailed, False),
    (MICROSOFT, "HYT00", "Query timeout expired", QueryFailed, True),
    (FREETDS, "01000", "Unexpected EOF from the server", ConnectionLost, True),
    (MICROSOFT, "08S01", RESET, ConnectionLost, True),
    (BUNDLED, "Communication link failure", RESET, ConnectionLost, True),
]


class TestFailures:
    @pytest.mark.parametrize(("target", "state", "message", "told", "kind"), CONNECTING)
    def test_no_connection(
        self, source: Source, target: Target, state: str, message: str, told: str, kind: type[SourceRefused]
    ) -> None:
        error = not_connected(source(URL), target, told_by(target, state, message), ["FreeTDS"])
        assert isinstance(error, kind) and type(error) is kind
        assert error.detail == (told or message)
        assert "erp.example:1433/erp" in str(error) and "ERP_URL" in str(error)

    @pytest.mark.parametrize(
        ("target", "said", "told"),
        [
            (
                MICROSOFT,
                "State: 01000, Native error: 0, Message: [unixODBC][Driver Manager]"
                "Can't open lib 'ODBC Driver 18 for SQL Server' : file not found",
                ["'ODBC Driver 18 for SQL Server'", "FreeTDS, Other", "apt install tdsodbc", "msodbcsql18"],
            ),
            (
                Target(Client.ODBC, None, ""),
                "State: IM002, Native error: 0, Message: [unixODBC][Driver Manager]"
                "Data source name not found and no default driver specified",
                ["data source of the URL", "FreeTDS, Other"],
            ),
            (
                FREETDS,
                "libodbc.so.2: cannot open shared object file: No such file or directory",
                ["driver manager is not installed", "apt install libodbc2 libltdl7 tdsodbc"],
            ),
            (
                FREETDS,
                "Can't open lib 'libtdsodbc.so' : file not found",
                ["'FreeTDS' is registered, but its file or a library of it is missing"],
            ),
            (
                BUNDLED,
                "Driver Error: Connection operation failed; DDBC Error: Failed to load the driver.",
                ["Failed to load the driver", "apt install libltdl7 libkrb5-3 libgssapi-krb5-2"],
            ),
        ],
    )
    def test_a_driver_that_is_missing(
        self, source: Source, target: Target, said: str, told: list[str]
    ) -> None:
        error = not_connected(source(URL), target, said, ["FreeTDS", "Other"])
        assert type(error) is DriverMissing
        assert all(part in str(error) for part in told), str(error)
        assert "ERP_URL" in str(error) and "\n" not in str(error)

    def test_a_word_that_the_bundled_driver_does_not_know(self, source: Source) -> None:
        said = "Connection string parsing failed:\n  Unknown keyword 'frobnicate' is not recognized"
        error = not_connected(source(URL), BUNDLED, said, [])
        assert type(error) is BadSourceConfig
        assert error.problem == "Unknown keyword 'frobnicate' is not recognized"

    @pytest.mark.parametrize(("target", "state", "message", "kind", "final"), READING)
    def test_no_result(
        self, source: Source, target: Target, state: str, message: str, kind: type[QueryFailed], final: bool
    ) -> None:
        said = told_by(target, state, message, "SQLFetch")
        error = not_read(source(URL), said)
        assert (type(error), error.detail) == (kind, message)
        assert is_final(said) is final

    def test_pyodbc_says_it_its_own_way(self, source: Source) -> None:
        said = f"('28000', \"[28000] {LAYERS[FREETDS]}{LOGIN}. (18456) (SQLDriverConnect)\")"
        error = not_connected(source(URL), FREETDS, said, [])
        assert isinstance(error, SourceRefused) and error.detail == LOGIN
        said = "('08S01', '[08S01] [FreeTDS][SQL Server]Write to the server failed (20006) (SQLExecDirectW)')"
        lost = not_read(source(URL), said)
        assert isinstance(lost, ConnectionLost) and lost.detail == "Write to the server failed"

    def test_a_column_without_a_bound(self) -> None:
        assert is_unbound("The ODBC driver did not specify a sensible upper bound for the column.")
        assert not is_unbound("Login failed")

    def test_one_sentence_is_enough(self) -> None:
        assert plain("[Microsoft]It went wrong. Common causes include many.") == "It went wrong"
        assert plain("") == "no reason given"


class Scripted:
    """A server that answers each statement, known by a word in it, with the next of its answers."""

    def __init__(self, **answers: list[pa.Table | str]) -> None:
        self.answers = {"schema": [EMPTY], "where 1 = 0": [EMPTY], "top 1": [ONE], **answers}
        self.ran: list[str] = []

    def run(self, statement: str) -> None:
        self.ran.append(statement)

    def schema(self, statement: str) -> pa.Schema:
        return EMPTY.schema

    def read(self, statement: str, *, counted: bool = False) -> Result:
        word = next(each for each in self.answers if each in statement)
        answers = self.answers[word]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, str):
            raise OdbcError(answer)
        return Result(answer.schema, iter(answer.to_batches()))

    def close(self) -> None: ...


TYPES = {field: pa.string() for field in RAW_LINES} | {"date": pa.date32(), "quantity": pa.decimal128(14, 3)}
EMPTY = pa.schema(list(TYPES.items())).empty_table()
ONE = pa.table({"one": [1]})
DAY_ONE = dt.date(2026, 10, 1)
LINE = pa.table(
    {**{name: pa.array([None], kind) for name, kind in TYPES.items()}, "date": pa.array([DAY_ONE])}
)


def printed(checksum: int, lines: int = 1) -> pa.Table:
    return pa.table({"slice": [DAY_ONE], "lines": [lines], "checksum": [Decimal(checksum)]})


def cell(total: int) -> pa.Table:
    return pa.table({"slice": [DAY_ONE], "customer": ["K"], "lines": [1], "total": [Decimal(total)]})


class TestView:
    def view(self, source: Source, server: Scripted) -> SqlServerView:
        view = SqlServerView(source(URL), server, str)
        assert view.begin()
        return view

    def test_a_snapshot_is_not_checked_again(self, source: Source) -> None:
        server = Scripted(hashbytes=[printed(1), printed(2)], **{"from": [LINE]})
        view = self.view(source, server)
        assert (view.consistency, server.ran[-1]) == (SNAPSHOT, "begin transaction")
        assert view.fingerprints() == {"2026-10": (1, "1")}
        assert [batch.lines.height for batch in view.lines(["2026-10"])] == [1]

    @pytest.mark.parametrize(
        ("after", "told"),
        [(printed(2), "checksums, source first: 2026-10: 2 and 1"), (printed(2, 2), "lines")],
    )
    def test_without_a_snapshot_what_moved_meanwhile_is_seen(
        self, source: Source, after: pa.Table, told: str
    ) -> None:
        refused = "Snapshot isolation is not allowed in this database"
        server = Scripted(hashbytes=[printed(1), after], **{"top 1": [refused, ONE], "from": [LINE]})
        view = self.view(source, server)
        assert view.consistency == READ_COMMITTED
        assert server.ran[-2:] == ["rollback transaction", "set transaction isolation level read committed"]
        with pytest.raises(SourceMoved, match=told):
            list(view.lines(list(view.fingerprints())))
        server.answers["hashbytes"] = [printed(1)]
        assert [batch.lines.height for batch in view.lines(list(view.fingerprints()))] == [1]

    def test_lines_that_do_not_come_are_missed(self, source: Source) -> None:
        server = Scripted(hashbytes=[printed(1, 2)], **{"from": [LINE], 'select 1 as "one"': [ONE]})
        view = self.view(source, server)
        with pytest.raises(SourceMoved, match="differ in lines, source first: 2026-10: 2 and 1"):
            list(view.lines(list(view.fingerprints())))
        gone = Scripted(hashbytes=[printed(1, 2)], **{"from": [LINE], 'select 1 as "one"': ["dead"]})
        view = self.view(source, gone)
        with pytest.raises(ConnectionLost, match="dead"):
            list(view.lines(list(view.fingerprints())))

    def test_a_server_without_checksums_is_asked_for_cells(self, source: Source) -> None:
        server = Scripted(
            hashbytes=["'hashbytes' is not a recognized function"], **{"group by": [cell(5), cell(6)]}
        )
        view = self.view(source, server)
        first, second = view.fingerprints(), view.fingerprints()
        assert first["2026-10"].lines == second["2026-10"].lines == 1
        assert first != second

    def test_where_neither_works_the_first_reason_is_told(self, source: Source) -> None:
        server = Scripted(hashbytes=["the first"], **{"group by": ["the second"]})
        with pytest.raises(QueryFailed, match="the first"):
            self.view(source, server).fingerprints()

    @pytest.mark.parametrize("said", ["HYT00 Query timeout expired", "08S01 Communication link failure"])
    def test_what_would_fail_again_is_not_asked_again(self, source: Source, said: str) -> None:
        server = Scripted(hashbytes=[said], **{"group by": [cell(5)]})
        with pytest.raises(QueryFailed):
            self.view(source, server).fingerprints()
        with pytest.raises(QueryFailed):
            self.view(source, Scripted(**{"top 1": [said, ONE]}))


class TestRealClients:
    """What the clients themselves say without any server; none of them need be installed for it."""

    def failure(self, config: SourceConfig) -> IngestionError:
        reader = SqlServerSource(config, login_timeout=dt.timedelta(seconds=1), patience=Patience(()))
        with pytest.raises(IngestionError) as caught, reader.view():
            pass
        assert "secret" not in str(caught.value)
        return caught.value

    def test_a_driver_that_is_not_there(self, source: Source) -> None:
        error = self.failure(source("mssql+pyodbc://u:secret@127.0.0.1:1/d?driver=No+Such+Driver"))
        assert type(error) is DriverMissing and "apt install" in str(error)

    def test_no_driver(self, source: Source) -> None:
        error = self.failure(source("mssql+pyodbc://u:secret@127.0.0.1:1/d"))
        assert type(error) is DriverMissing and "names no ODBC driver" in str(error)

    @pytest.mark.parametrize("kind", ["mssqlpython", "pyodbc"])
    def test_nobody_there(self, source: Source, kind: str) -> None:
        driver = "?driver=FreeTDS" if kind == "pyodbc" else ""
        error = self.failure(source(f"mssql+{kind}://u:secret@127.0.0.1:1/d{driver}"))
        if isinstance(error, DriverMissing):
            pytest.skip(str(error))
        assert type(error) is SourceUnreachable and "127.0.0.1:1/" in str(error)

    def test_a_word_that_is_not_known(self, source: Source) -> None:
        error = self.failure(source("mssql+mssqlpython://u:secret@127.0.0.1:1/d?Frobnicate=1"))
        assert isinstance(error, BadSourceConfig | DriverMissing)
