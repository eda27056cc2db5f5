"""Order lines from SQL Server: a connection by the client that the URL names, and a read-only view of it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from ingestion.source_config import SourceConfig
from ingestion.sources.odbc_arrow import ArrowConnection, OdbcError, Opener, installed_drivers, openers
from ingestion.sources.patience import PATIENT, Patience, connected
from ingestion.sources.sql_server_errors import no_driver, not_connected
from ingestion.sources.sql_server_url import Target, target_of, without_secrets
from ingestion.sources.sql_server_view import SqlServerView


@dataclass(frozen=True, slots=True)
class SqlServerSource:
    """A source read through ODBC, by the client that its URL names."""

    config: SourceConfig
    statement_timeout: timedelta = timedelta(minutes=30)
    login_timeout: timedelta = timedelta(seconds=15)
    patience: Patience = PATIENT

    @contextmanager
    def view(self) -> Iterator[SqlServerView]:
        """One snapshot transaction where the database allows it; times with an offset are those of UTC."""
        target = target_of(self.config.url)
        if target is None:
            raise no_driver(self.config, installed_drivers())
        *fast, plain = openers(target)
        for opener in fast if self.config.columns else ():
            with self._opened(target, opener) as view:
                if view.begin():
                    yield view
                    return
        with self._opened(target, plain) as view:
            view.begin()
            yield view

    @contextmanager
    def _opened(self, target: Target, opener: Opener) -> Iterator[SqlServerView]:
        with closing(self._connected(target, opener)) as connection:
            try:
                yield SqlServerView(self.config, connection, self._said)
            finally:
                # A connection that something still refers to would hold its locks.
                with suppress(OdbcError):
                    connection.run("if @@trancount > 0 rollback transaction")

    def _connected(self, target: Target, opener: Opener) -> ArrowConnection:
        login, statement = (
            max(1, round(each.total_seconds())) for each in (self.login_timeout, self.statement_timeout)
        )

        def connect() -> ArrowConnection:
            try:
                return opener(target.connection_string, login, statement)
            except OdbcError as error:
                raise not_connected(self.config, target, self._said(error), installed_drivers()) from None

        return connected(connect, self.patience)

    def _said(self, error: Exception) -> str:
        return without_secrets(str(error), self.config.url)
