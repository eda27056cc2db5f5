"""The way into PostgreSQL."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.errors import BadDatabaseUrl


def application_name(process: str = "") -> str:
    """What PostgreSQL shows of a connection: ours, and whose of ours. It cuts names after 63 bytes.

    >>> application_name("planning-1/4711/3f9c1a")
    'tonnage planning-1/4711/3f9c1a'
    """
    return f"tonnage {process}".strip()[:63]


def open_engine(url: str, process: str = "") -> Engine:
    """An engine for a PostgreSQL URL; connects on first use and finds back after a lost connection.

    `process` is what this process is called beside its peers, where that matters.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadDatabaseUrl("the database URL cannot be read") from None
    kind = parsed.drivername.partition("+")[0]
    if kind not in {"postgresql", "postgres"}:
        raise BadDatabaseUrl(f"the database URL names {kind!r}, Tonnage keeps its forecasts in PostgreSQL")
    return create_engine(
        parsed.set(drivername="postgresql+psycopg2"),
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": application_name(process)},
    )
