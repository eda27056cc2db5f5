"""Order lines from PostgreSQL: ADBC to Arrow, in batches, from one read-only consistent view.

The select casts every field to text. Numerics then arrive digit by digit, where a float would lose
kilograms, and a value of the wrong type is one line's reject instead of a failed read.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote

import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]  # it ships no types
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from forecasting.months import Month
from ingestion.errors import QueryFailed, SourceRefused, SourceUnreachable, UnknownColumn
from ingestion.order_line import RAW_LINES
from ingestion.source_config import Query, SourceConfig, Table

_CONNECT_SECONDS = "15"
_BUSY = re.compile(r"starting up|shutting down|recovery mode|too many (clients|connections)|connection slots")
_REFUSED = re.compile(r"FATAL:|no password supplied|authentication|SSL|certificate")
_SAID = re.compile(r"(?:ERROR|FATAL):\s+(.+)")
_NOISE = re.compile(
    r"^[A-Z_]+: |\[libpq\] |Failed to (connect|execute query|prepare query)[^:]*: |\. SQLSTATE: \w+$"
)


@dataclass(frozen=True, slots=True)
class PostgresSource:
    """A source read through ADBC."""

    config: SourceConfig
    statement_timeout: timedelta = timedelta(minutes=30)

    def sql(self, month: Month) -> str:
        return pull_sql(self.config, (month + 1).first_day)

    def batches(self, month: Month) -> Iterator[pl.DataFrame]:
        """Lines up to the end of `month`, each batch of the schema `RAW_LINES`.

        Everything is read in one repeatable-read transaction that cannot write. Times with a zone are
        dated in UTC. Raises `SourceUnreachable`, `SourceRefused`, `UnknownColumn` or `QueryFailed`.
        """
        with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
            try:
                for statement in self._session():
                    cursor.execute(statement)
                cursor.execute(probe_sql(self.config))
                kinds = {column[0]: column[1] for column in cursor.description}
                config = self.config.knowing(kinds)
                _check_mapping(config, kinds)
                # A date kept as text has its own order, so its lines are cut off after it is understood.
                dated = not pa.types.is_string(kinds[config.columns["date"]])
                cursor.execute(pull_sql(config, (month + 1).first_day if dated else None))
                for batch in cursor.fetch_record_batch():
                    yield _raw_lines(batch, config)
            except (adbc.Error, OSError, pa.ArrowException) as error:
                raise QueryFailed(self.config.name, self._said(error)) from None

    def _connect(self) -> adbc.Connection:
        url = self.config.url.set(drivername="postgresql")
        if "connect_timeout" not in url.query:
            url = url.update_query_dict({"connect_timeout": _CONNECT_SECONDS})
        try:
            return adbc.connect(url.render_as_string(hide_password=False), autocommit=True)
        except adbc.Error as error:
            refused = _REFUSED.search(str(error)) and not _BUSY.search(str(error))
            kind = SourceRefused if refused else SourceUnreachable
            said = self._said(error)
            # `from None`: a chained traceback would print the driver's text with its secrets.
            raise kind(self.config.name, self.config.address, self.config.variable, said) from None

    def _session(self) -> tuple[str, ...]:
        milliseconds = round(self.statement_timeout.total_seconds() * 1000)
        return (
            "begin isolation level repeatable read, read only",
            f"set local statement_timeout = {milliseconds}",
            "set local datestyle = 'ISO, YMD'",
            "set local timezone = 'UTC'",
        )

    def _said(self, error: Exception) -> str:
        """The server's own sentence, without the driver's wrapping and without secrets."""
        match = _SAID.search(str(error))
        text = match[1] if match else _NOISE.sub("", str(error)).strip().split("\n")[0]
        hidden = [self.config.url.password, self.config.url.query.get("password")]
        for secret in filter(None, hidden):
            for form in {str(secret), quote(str(secret), safe="")}:
                text = text.replace(form, "***")
        return text


def probe_sql(config: SourceConfig) -> str:
    """A select of no rows that shows which columns there are."""
    return f"select *\nfrom {_relation(config.relation)}\nlimit 0"


def pull_sql(config: SourceConfig, before: date | None) -> str:
    """The select of all mapped fields, dated before a day, or of any date.

    Lines without a date come too: they are rejects, not nothing.
    """
    fields = [
        f"  cast({_quoted(config.columns[field])} as text) as {_quoted(field)}"
        for field in RAW_LINES
        if field in config.columns
    ]
    select = "select\n" + ",\n".join(fields) + f"\nfrom {_relation(config.relation)}"
    if before is None:
        return select
    day = _quoted(config.columns["date"])
    return f"{select}\nwhere {day} < '{before:%Y-%m-%d}' or {day} is null"


def _relation(relation: Query | Table) -> str:
    if isinstance(relation, Table):
        return ".".join(map(_quoted, relation.parts)) + " as source"
    # On lines of its own, so that a comment at the query's end cannot swallow the bracket.
    return f"(\n{relation.text}\n) as source"


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _check_mapping(config: SourceConfig, kinds: Mapping[str, object]) -> None:
    for field, column in config.columns.items():
        if column not in kinds:
            raise UnknownColumn(config.name, field, column, list(kinds))


def _raw_lines(batch: pa.RecordBatch, config: SourceConfig) -> pl.DataFrame:
    frame = pl.DataFrame(pl.from_arrow(batch))
    absent = {
        field: config.constant_unit if field == "unit" else None
        for field in RAW_LINES
        if field not in config.columns
    }
    filled = frame.with_columns(pl.lit(value, pl.String).alias(field) for field, value in absent.items())
    return filled.select(RAW_LINES.names())
