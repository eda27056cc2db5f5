"""Three clients of ODBC behind one pair of verbs: run a statement, or read one as Arrow batches.

arrow-odbc reads into buffers of a fixed width, and is the fastest; what does not fit one, a column without
a bound on its length, is left to pyodbc, which reads row by row. mssql-python brings Microsoft's driver.
Statements commit by themselves: a transaction is begun by a statement where one is wanted.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from ingestion.sources.sql_server_url import Client, Target

BATCH_ROWS = 50_000
_BATCH_BYTES = 64 * 2**20
_PLAIN_ROWS = 10_000
_OFFSET_TIME = -155
_REAL_BITS = 24
_MICROSECONDS = pa.timestamp("us")


class OdbcError(Exception):
    """What a client said went wrong, in its own words: each has other classes for the same cause."""


class Result(NamedTuple):
    """A result set: its columns' names and types, and its rows."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    def table(self) -> pa.Table:
        return pa.Table.from_batches(self.batches, self.schema)


class ArrowConnection(Protocol):
    """An open connection. Every verb, and every batch, raises `OdbcError`."""

    def run(self, statement: str) -> None:
        """A statement without a result."""
        ...

    def schema(self, statement: str) -> pa.Schema:
        """The columns that a statement would yield; its rows are left."""
        ...

    def read(self, statement: str, *, counted: bool = False) -> Result:
        """A statement's rows; they are read to their end before the next statement.

        Where the caller has them `counted`, and knows how many there are, they may come faster.
        """
        ...

    def close(self) -> None: ...


type Opener = Callable[[str, int, int], ArrowConnection]
"""Opens a connection string, with the seconds that a login and a statement may take."""


class ArrowOdbcConnection:
    """arrow-odbc, with any ODBC driver.

    Asked for many rows at once, FreeTDS does not tell an error among them: a result that fails half way
    just ends. Such a driver is asked for one row at a time, unless the rows are counted.
    """

    def __init__(
        self, connection_string: str, login_seconds: int, statement_seconds: int, *, tells_errors: bool
    ) -> None:
        self._rows = BATCH_ROWS if tells_errors else 1
        with _telling(OSError):
            # It does not load without unixODBC, which few sources need; and it ships no types.
            import arrow_odbc  # type: ignore[import-untyped]  # noqa: PLC0415
        self._errors = (arrow_odbc.Error, pa.ArrowException)
        self._encoding = arrow_odbc.TextEncoding.UTF16
        self._seconds = statement_seconds
        with _telling(*self._errors):
            self._connection = arrow_odbc.connect(connection_string, login_timeout_sec=login_seconds)

    def run(self, statement: str) -> None:
        with _telling(*self._errors):
            self._connection.execute(statement, query_timeout_sec=self._seconds)

    def schema(self, statement: str) -> pa.Schema:
        return self._reader(statement, batch_size=1, max_text_size=1, max_binary_size=1).schema

    def read(self, statement: str, *, counted: bool = False) -> Result:
        reader = self._reader(statement, batch_size=BATCH_ROWS if counted else self._rows)
        return Result(reader.schema, _told(reader, *self._errors))

    def _reader(self, statement: str, **limits: int) -> Any:
        with _telling(*self._errors):
            return self._connection.read_arrow_batches(
                statement,
                max_bytes_per_batch=_BATCH_BYTES,
                map_schema=_in_microseconds,
                query_timeout_sec=self._seconds,
                payload_text_encoding=self._encoding,
                **limits,
            )

    def close(self) -> None:
        # It has no verb for that: letting go of the handle ends the connection.
        del self._connection


class MssqlPythonConnection:
    """mssql-python, with the driver that it brings."""

    def __init__(self, connection_string: str, login_seconds: int, statement_seconds: int) -> None:
        with _telling(ImportError):
            import mssql_python  # noqa: PLC0415 - its driver's libraries are loaded with it
        self._errors = (
            mssql_python.Error,
            mssql_python.exceptions.ConnectionStringParseError,
            RuntimeError,
            pa.ArrowException,
        )
        with _telling(*self._errors):
            mssql_python.pooling(enabled=False)
            self._connection = mssql_python.connect(connection_string, autocommit=True, timeout=login_seconds)
            self._connection.timeout = statement_seconds
            self._cursor = self._connection.cursor()

    def run(self, statement: str) -> None:
        with _telling(*self._errors):
            self._cursor.execute(statement)

    def schema(self, statement: str) -> pa.Schema:
        with _telling(*self._errors):
            self._cursor.execute(statement)
            return self._cursor.arrow_batch(0).schema

    def read(self, statement: str, *, counted: bool = False) -> Result:
        with _telling(*self._errors):
            self._cursor.execute(statement)
            width = sum(4 * min(max(each[3] or 0, 8), 8_000) for each in self._cursor.description or [])
            reader = self._cursor.arrow_reader(batch_size=min(BATCH_ROWS, max(256, _BATCH_BYTES // width)))
        return Result(reader.schema, _told(reader, *self._errors))

    def close(self) -> None:
        self._connection.close()


class PyodbcConnection:
    """pyodbc, with any ODBC driver: row by row, and any length of text."""

    def __init__(self, connection_string: str, login_seconds: int, statement_seconds: int) -> None:
        with _telling(ImportError):
            # It does not load without unixODBC either, and its types are no package's.
            import pyodbc  # type: ignore[import-not-found]  # noqa: PLC0415
        self._errors = (pyodbc.Error, pa.ArrowException)
        with _telling(*self._errors):
            self._connection = pyodbc.connect(connection_string, autocommit=True, timeout=login_seconds)
            self._connection.timeout = statement_seconds
            self._connection.add_output_converter(_OFFSET_TIME, _offset_time)

    def run(self, statement: str) -> None:
        with _telling(*self._errors):
            self._connection.execute(statement).close()

    def schema(self, statement: str) -> pa.Schema:
        with _telling(*self._errors), closing(self._connection.execute(statement)) as cursor:
            return _schema_of(cursor)

    def read(self, statement: str, *, counted: bool = False) -> Result:
        with _telling(*self._errors):
            cursor = self._connection.execute(statement)
            schema = _schema_of(cursor)
        return Result(schema, _told(_batches(cursor, schema), *self._errors))

    def close(self) -> None:
        self._connection.close()


def openers(target: Target) -> tuple[Opener, ...]:
    """How to open a connection, the fastest way first; the last one reads every column."""
    if target.client is Client.MSSQL_PYTHON:
        return (MssqlPythonConnection,)
    if find_spec("arrow_odbc") is None:
        return (PyodbcConnection,)
    # A data source with a name of its own may stand for FreeTDS.
    tells = target.driver is not None and not target.is_freetds
    return (partial(ArrowOdbcConnection, tells_errors=tells), PyodbcConnection)


def installed_drivers() -> list[str]:
    """The names of the ODBC drivers of this machine, none where there is no driver manager."""
    try:
        import pyodbc  # noqa: PLC0415
    except ImportError:
        return []
    return sorted(pyodbc.drivers())


@contextmanager
def _telling(*errors: type[Exception]) -> Iterator[None]:
    """Errors of these classes as `OdbcError`; `from None`, since a driver may repeat the password."""
    try:
        yield
    except errors as error:
        raise OdbcError(str(error)) from None


def _told(batches: Iterable[pa.RecordBatch], *errors: type[Exception]) -> Iterator[pa.RecordBatch]:
    with _telling(*errors):
        yield from batches


def _batches(cursor: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while rows := cursor.fetchmany(_PLAIN_ROWS):
        columns = zip(*rows, strict=True)
        arrays = [
            pa.array([str(value) if value is not None else None for value in column], pa.string())
            if pa.types.is_string(field.type)
            else pa.array(column, field.type)
            for column, field in zip(columns, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _schema_of(cursor: Any) -> pa.Schema:
    return pa.schema([pa.field(each[0], _arrow_type(*each[1:6])) for each in cursor.description])


def _arrow_type(kind: type, _: object, size: object, precision: int, scale: int) -> pa.DataType:
    """The type of a column as pyodbc describes it: what is not known is read as text."""
    if kind is Decimal:
        return pa.decimal128(precision, scale)
    if kind is float and precision <= _REAL_BITS:
        return pa.float32()
    known = {
        int: pa.int64(),
        bool: pa.bool_(),
        float: pa.float64(),
        dt.date: pa.date32(),
        dt.datetime: _MICROSECONDS,
        bytes: pa.binary(),
        bytearray: pa.binary(),
    }
    return known.get(kind, pa.string())


def _in_microseconds(schema: pa.Schema) -> pa.Schema:
    """Nanoseconds since 1970 end in 2262, and orders are dated in 9999."""
    fields = (f.with_type(_MICROSECONDS) if pa.types.is_timestamp(f.type) else f for f in schema)
    return pa.schema(list(fields))


def _offset_time(raw: bytes) -> str:
    """SQL_SS_TIMESTAMPOFFSET_STRUCT as text."""
    year, month, day, hour, minute, second = (
        int.from_bytes(raw[at : at + 2], "little") for at in range(0, 12, 2)
    )
    nanoseconds = int.from_bytes(raw[12:16], "little")
    hours, minutes = (int.from_bytes(raw[at : at + 2], "little", signed=True) for at in (16, 18))
    sign = "-" if hours < 0 or minutes < 0 else "+"
    return (
        f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}.{nanoseconds // 100:07d} "
        f"{sign}{abs(hours):02d}:{abs(minutes):02d}"
    )
