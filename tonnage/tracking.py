"""Where the model registry lives: at a URL, or beside the published forecasts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, ProgrammingError

from app.store.session import connected
from retrain.errors import RegistryUnavailable
from tonnage.errors import BadTracking
from tonnage.settings import Settings

if TYPE_CHECKING:
    from retrain.registry import Registry  # with it come model libraries, which the service does not load

SCHEMA = "mlflow"
_LOCK = 0x746F6E_02  # any number, the same in every process that opens the registry


@dataclass(frozen=True)
class Tracking:
    """An MLflow server, or a database and the folder of its files; `shown` is its URL without secrets."""

    url: str = field(repr=False)
    shown: str
    artifacts: Path | None


def find_tracking(settings: Settings, engine: sa.Engine) -> Tracking:
    """What TONNAGE_MLFLOW_URL says, or a schema of the serving database, which is made on the way."""
    folder = settings.home / "mlflow"
    if settings.mlflow_url is None:
        shown = f"schema {SCHEMA} of {engine.url}"
        try:
            _make_schema(engine)
        except ProgrammingError as error:
            raise RegistryUnavailable(shown, str(error)) from error
        asked = str(engine.url.query.get("options", ""))
        url = engine.url.update_query_dict({"options": f"{asked} -csearch_path={SCHEMA}".strip()})
        return Tracking(url.render_as_string(hide_password=False), shown, folder)
    named = settings.mlflow_url.get_secret_value()
    try:
        url = make_url(named)
    except ArgumentError:
        raise BadTracking("what cannot be read as a URL") from None
    if url.drivername in {"http", "https"}:
        return Tracking(named, str(url), None)
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise BadTracking(str(url))
    # A bare postgresql:// would be another driver, which is not installed.
    url = url.set(drivername="postgresql+psycopg2")
    return Tracking(url.render_as_string(hide_password=False), str(url), folder)


def models_at(settings: Settings) -> str | None:
    """Where people look at models in a browser: a server's URL, without what only programs should know.

    None where there is no server, or what is named is no URL.
    """
    named = "" if settings.mlflow_url is None else settings.mlflow_url.get_secret_value()
    try:
        url = urlsplit(named)
        if url.scheme not in {"http", "https"} or not url.hostname:
            return None
    except ValueError:
        return None
    return urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path.rstrip("/"), "", ""))


def open_tracking(tracking: Tracking, engine: sa.Engine) -> "Registry":
    """The registry there; MLflow makes its tables when it is the first time.

    One process at a time: two that made the same tables would break each other.
    """
    from retrain.mlflow_registry import open_registry

    with connected(engine) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        return open_registry(tracking.url, tracking.artifacts, shown=tracking.shown)


def _make_schema(engine: sa.Engine) -> None:
    with connected(engine) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        # Asked first: who may not make a schema may use one that is there.
        if connection.execute(sa.select(sa.func.to_regnamespace(SCHEMA))).scalar() is None:
            connection.execute(sa.schema.CreateSchema(SCHEMA))
