"""The way into PostgreSQL."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.errors import BadDatabaseUrl


def open_engine(url: str) -> Engine:
    """An engine for a PostgreSQL URL; connects on first use and finds back after a lost connection."""
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
        connect_args={"connect_timeout": 5, "application_name": "tonnage"},
    )
