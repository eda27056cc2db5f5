"""Transactions, and what their failures mean."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO

import psycopg2
import psycopg2.extensions
import structlog
from psycopg2.errors import QueryCanceled, UndefinedColumn, UndefinedTable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from app.errors import DatabaseUnavailable, SchemaBehind, TookTooLong

_log = structlog.get_logger("tonnage.store")

# COPY goes past SQLAlchemy, so there the driver's own errors arrive.
_LOST_IN_COPY = (psycopg2.OperationalError, psycopg2.InterfaceError)

# Both end with the transaction, so that the connection goes back to the pool as it came.
_AS_SCOPED = text(
    "select set_config('tonnage.organizations', cast(cast(:organizations as text[]) as text), true), "
    "set_config('role', 'tonnage_scoped', true)"
)


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that commits at the end.

    Raises `DatabaseUnavailable`, `TookTooLong` or `SchemaBehind` where PostgreSQL's own error means that.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError, PoolExhausted, *_LOST_IN_COPY) as error:
        if isinstance(getattr(error, "orig", error), QueryCanceled):
            raise TookTooLong from error
        raise DatabaseUnavailable from error
    except ProgrammingError as error:
        if isinstance(error.orig, UndefinedTable | UndefinedColumn):
            raise SchemaBehind from error
        raise


@contextmanager
def still(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the database, whatever is written meanwhile, and cannot write."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    read = False
    try:
        with connected(engine.execution_options(**options)) as connection:
            yield connection
            read = True
    except DatabaseUnavailable as error:
        # All has been read, and perhaps answered: that its transaction could not be ended changes nothing.
        if not read:
            raise
        _log.info("lost after reading", cause=repr(error.__cause__))


@contextmanager
def seen_by(engine: Engine, organizations: frozenset[str] | None) -> Iterator[Connection]:
    """As `still`, for a caller who sees the nodes of these organizations only, or all with None.

    With organizations PostgreSQL itself hides all other rows of `node`, `forecast` and `history`, and refuses
    every table that sums over organizations: see the policies of migration 0006.
    """
    with still(engine) as connection:
        if organizations is not None:
            connection.execute(_AS_SCOPED, {"organizations": sorted(organizations)})
        yield connection


def allow_seconds(connection: Connection, seconds: float) -> None:
    """Let each statement of the transaction take so long, whatever the session says: for exports."""
    connection.exec_driver_sql(f"set local statement_timeout = {round(1000 * seconds)}")


def copy_in(connection: Connection, statement: str, rows: bytes) -> None:
    """Run a `copy … from stdin` statement with these rows, within the connection's transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg2.extensions.connection)
    with driver.cursor() as cursor:
        cursor.copy_expert(statement, BytesIO(rows))


def copy_out(
    connection: Connection,
    query: str,
    values: Sequence[object] | Mapping[str, object],
) -> bytes:
    """The rows of a query in PostgreSQL's binary format; `%s` or `%(name)s` in it stand for the values."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg2.extensions.connection)
    rows = BytesIO()
    with driver.cursor() as cursor:
        asked = cursor.mogrify(query, values).decode()
        cursor.copy_expert(f"copy ({asked}) to stdout (format binary)", rows)
    return rows.getvalue()
