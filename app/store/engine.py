"""The way into PostgreSQL."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.errors import BadDatabaseUrl


def application_name(process: str = "") -> str:
    """What PostgreSQL shows of a connection: ours, and whose of ours. It cuts names after 63 bytes.

    >>> application_name("planning-1/4711/3f9c1a")
    'tonnage planning-1/4711/3f9c1a'
    """
    return f"tonnage {process}".strip()[:63]


@dataclass(frozen=True)
class Patience:
    """What a service takes of a database: connections, and seconds of statements and idle transactions."""

    connections: int = 20
    statement: float = 10.0
    idle: float = 60.0


def open_engine(url: str, process: str = "", patience: Patience | None = None) -> Engine:
    """An engine for a PostgreSQL URL; connects on first use and finds back after a lost connection.

    `process` is what this process is called beside its peers, where that matters. Without `patience`
    statements take as long as they take, as those of a month must.
    """
    parsed = _parsed(url)
    pool = (
        {} if patience is None else {"pool_size": patience.connections, "max_overflow": 0, "pool_timeout": 5}
    )
    engine = create_engine(
        parsed,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": application_name(process)},
        **pool,
    )
    if patience is not None:
        _limit(engine, patience)
    return engine


def _limit(engine: Engine, patience: Patience) -> None:
    """Have PostgreSQL itself end what takes too long, in every session."""
    limits = (
        f"set statement_timeout = {round(1000 * patience.statement)}; "
        f"set idle_in_transaction_session_timeout = {round(1000 * patience.idle)}"
    )

    @event.listens_for(engine, "connect")
    def limit(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(limits)
        connection.commit()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadDatabaseUrl("the database URL cannot be read") from None
    kind = parsed.drivername.partition("+")[0]
    if kind not in {"postgresql", "postgres"}:
        raise BadDatabaseUrl(f"the database URL names {kind!r}, Tonnage keeps its forecasts in PostgreSQL")
    return parsed.set(drivername="postgresql+psycopg2")
