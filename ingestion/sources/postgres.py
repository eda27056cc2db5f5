"""Order lines from PostgreSQL: ADBC to Arrow, in batches, from one read-only consistent view."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-untyped]  # it ships no types
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from ingestion.errors import ConnectionLost, QueryFailed, SourceRefused, SourceUnreachable, UnknownColumn
from ingestion.fingerprint import Fingerprint
from ingestion.order_line import RAW_LINES, REPEATED_FIELDS, SLICED_LINES
from ingestion.raw_lines import BY_LINE, RawLines
from ingestion.source_config import Query, SourceConfig, Table
from ingestion.sources import postgres_sql as sql
from ingestion.sources.packed import unpacked
from ingestion.sources.patience import PATIENT, Patience, connected

_CONNECT_SECONDS = "15"
_BUSY = re.compile(r"starting up|shutting down|recovery mode|too many (clients|connections)|connection slots")
_REFUSED = re.compile(r"FATAL:|no password supplied|authentication|SSL|certificate")
_LOST = re.compile(
    r"terminating connection|closed the connection|connection not open|SSL SYSCALL|no connection"
)
_SAID = re.compile(r"(?:ERROR|FATAL):\s+(.+)")
_NOISE = re.compile(
    r"^[A-Z_]+: |\[libpq\] |Failed to (connect|execute query|prepare query)[^:]*: |\. SQLSTATE: \w+$"
)
_TYPE_NAME = b"POSTGRESQL:type"
_BATCH_BYTES = "adbc.postgresql.batch_size_hint_bytes"
_AT_ONCE = str(48 * 2**20)


@dataclass(frozen=True, slots=True)
class PostgresSource:
    """A source read through ADBC."""

    config: SourceConfig
    statement_timeout: timedelta = timedelta(minutes=30)
    patience: Patience = PATIENT

    @contextmanager
    def view(self) -> Iterator["PostgresView"]:
        """One repeatable-read transaction that cannot write; moments are dated in the source's time zone."""
        connection = connected(self._connect, self.patience)
        with closing(connection), closing(connection.cursor()) as cursor:
            view = PostgresView(self.config, cursor, self._said)
            view.begin(self.statement_timeout)
            yield view

    def _connect(self) -> adbc.Connection:
        url = self.config.url.set(drivername="postgresql")
        if "connect_timeout" not in url.query:
            url = url.update_query_dict({"connect_timeout": _CONNECT_SECONDS})
        try:
            # SQLAlchemy leaves blanks as they are, and libpq refuses them.
            written = url.render_as_string(hide_password=False).replace(" ", "%20")
            return adbc.connect(written, autocommit=True)
        except adbc.Error as error:
            refused = _REFUSED.search(str(error)) and not _BUSY.search(str(error))
            kind = SourceRefused if refused else SourceUnreachable
            said = self._said(error)
            # `from None`: a chained traceback would print the driver's text with its secrets.
            raise kind(self.config.name, self.config.address, self.config.variable, said) from None

    def _said(self, error: Exception) -> str:
        """The server's own sentence, without the driver's wrapping and without secrets."""
        match = _SAID.search(str(error))
        text = match[1] if match else _NOISE.sub("", str(error)).strip().split("\n")[0]
        hidden = [self.config.url.password, self.config.url.query.get("password")]
        for secret in filter(None, hidden):
            for form in {str(secret), quote(str(secret), safe=""), quote(str(secret), safe=" +")}:
                text = text.replace(form, "***")
        return text


class PostgresView:
    """A transaction on a source; see `SourceView`."""

    consistency = "repeatable read"

    def __init__(self, config: SourceConfig, cursor: adbc.Cursor, said: Callable[[Exception], str]) -> None:
        self.config = config
        self._cursor = cursor
        self._said = said
        self._fields: dict[str, pa.Field] = {}

    def begin(self, statement_timeout: timedelta) -> None:
        """Open the transaction and learn which columns there are."""
        milliseconds = round(statement_timeout.total_seconds() * 1000)
        with self._failing():
            for statement in (
                "begin isolation level repeatable read, read only",
                f"set local statement_timeout = {milliseconds}",
                "set local client_encoding = 'UTF8'",
                "set local datestyle = 'ISO, YMD'",
                f"set local timezone = '{self.config.time_zone}'",
            ):
                self._cursor.execute(statement)
        self._fields = self._probe(self.config.relation)
        self.config = self.config.knowing(self._fields)
        self._check(self.config.columns, self._fields)

    @property
    def exact_slices(self) -> bool:
        return self._dated

    @property
    def columns(self) -> Mapping[str, str]:
        return {name: _type_name(field) for name, field in self._fields.items()}

    def statement(self) -> str:
        return sql.select_sql(self.config)

    def fingerprints(self) -> Mapping[str, Fingerprint]:
        with self._failing():
            self._cursor.execute(sql.fingerprint_sql(self.config, self.columns, dated=self._dated))
            return {name: Fingerprint(lines, checksum) for name, lines, checksum in self._cursor.fetchall()}

    def lines(self, slices: Sequence[str] | None) -> Iterator[RawLines]:
        if slices is not None and not slices:
            return
        muddled = 0
        statement = sql.pull_sql(
            self.config, slices, dated=self._dated, moments=self._moments, numbered=self._numbered
        )
        with self._failing():
            self._cursor.adbc_statement.set_options(**{_BATCH_BYTES: _AT_ONCE})
            self._cursor.execute(statement)
            for batch in self._cursor.fetch_record_batch():
                clear, others = unpacked(_sound(batch), sql.repeated(self.config), sql.ENDS)
                muddled += others
                yield self._filled(clear)
            if muddled:
                self._cursor.execute(
                    sql.muddled_sql(self.config, slices, dated=self._dated, moments=self._moments)
                )
                for batch in self._cursor.fetch_record_batch():
                    yield self._sliced(_sound(batch))

    def sums(self, slices: Sequence[str], factors: Mapping[str | None, Decimal]) -> Mapping[str, int] | None:
        if not slices or not factors:
            return dict.fromkeys(slices, 0)
        with self._failing():
            self._cursor.execute(
                sql.sums_sql(
                    self.config, self.columns, slices, factors, dated=self._dated, moments=self._moments
                )
            )
            return dict.fromkeys(slices, 0) | {
                name: int(total or 0) for name, total in self._cursor.fetchall()
            }

    def account(
        self, factors: Mapping[str | None, Decimal]
    ) -> tuple[Mapping[str, Fingerprint], Mapping[str, int] | None]:
        if not factors:
            found = self.fingerprints()
            return found, dict.fromkeys(found, 0)
        with self._failing():
            self._cursor.execute(
                sql.fingerprint_sql(self.config, self.columns, dated=self._dated, factors=factors)
            )
            rows = self._cursor.fetchall()
        return (
            {name: Fingerprint(lines, checksum) for name, lines, checksum, _ in rows},
            {name: int(total or 0) for name, _, _, total in rows},
        )

    def sample(self, rows: int) -> RawLines:
        with self._failing():
            self._cursor.execute(sql.sample_sql(self.config, rows))
            return self._sliced(_sound(self._cursor.fetch_arrow_table()))

    def table(self, relation: Query | Table, columns: Mapping[str, str]) -> pl.DataFrame:
        self._check(columns, self._probe(relation))
        with self._failing():
            self._cursor.execute(sql.table_sql(relation, columns))
            return pl.DataFrame(pl.from_arrow(self._cursor.fetch_arrow_table()))

    @property
    def _dated(self) -> bool:
        """Whether the date is a date: one kept as text has its own order, and its own months."""
        kind = self._fields[self.config.columns["date"]].type
        return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))

    @property
    def _numbered(self) -> bool:
        """Whether the date is a plain day, which arrives as a number."""
        return self.columns[self.config.columns["date"]] == "date"

    @property
    def _moments(self) -> bool:
        """Whether the date is a moment, which has its day in the source's time zone."""
        return self.columns[self.config.columns["date"]] == "timestamptz"

    def _probe(self, relation: Query | Table) -> dict[str, pa.Field]:
        with self._failing():
            self._cursor.execute(sql.probe_sql(relation))
            return {field.name: field for field in self._cursor.fetch_arrow_table().schema}

    def _check(self, columns: Mapping[str, str], there: Mapping[str, object]) -> None:
        for field, column in columns.items():
            if column not in there:
                raise UnknownColumn(self.config.name, field, column, list(there))

    def _sliced(self, rows: pa.RecordBatch | pa.Table) -> RawLines:
        """Lines that came with all mapped fields one by one."""
        table = pl.DataFrame(pl.from_arrow(rows)).with_columns(*self._absent(), self._slice())
        return RawLines.of(table.select(SLICED_LINES.names()))

    def _filled(self, raw: RawLines) -> RawLines:
        """Lines that came packed, with their slices and the fields that are not mapped."""
        lines, date = raw.lines, self._slice()
        if self._numbered:
            days = lines["day"].cast(pl.Date)
            said = days.drop_nulls().unique()
            named = pl.col("day").replace_strict(said, said.dt.strftime("%Y-%m"), default=None)
            lines = lines.with_columns(days)
            date = pl.coalesce(named, date).alias("slice")
        else:
            lines = lines.with_columns(pl.lit(None, pl.Date).alias("day"))
        return RawLines(
            lines.with_columns(date).select(BY_LINE.names()),
            raw.sayings.with_columns(self._absent()).select(REPEATED_FIELDS),
        )

    def _absent(self) -> list[pl.Expr]:
        """The fields that are not mapped."""
        return [
            pl.lit(self.config.constant_unit if field == "unit" else None, pl.String).alias(field)
            for field in RAW_LINES
            if field not in self.config.columns
        ]

    def _slice(self) -> pl.Expr:
        """The slice as `postgres_sql` names it: what the text of the date begins with."""
        begins = pl.col("date").str.slice(0, 7)
        named = begins if self._dated else pl.when(begins.str.contains(sql.MONTH_OF_TEXT)).then(begins)
        return named.fill_null("").alias("slice")

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """What goes wrong while the source answers: nothing of that answer is used."""
        try:
            yield
        except (adbc.Error, OSError, pa.ArrowException) as error:
            said = self._said(error)
            kind = ConnectionLost if _LOST.search(str(error)) else QueryFailed
            raise kind(self.config.name, said) from None


def _sound(rows: pa.RecordBatch | pa.Table) -> pa.RecordBatch | pa.Table:
    """The same rows, whose texts are UTF-8: a server without an encoding, SQL_ASCII, gives any bytes."""
    rows.validate(full=True)
    return rows


def _type_name(field: pa.Field) -> str:
    """The type by the name that PostgreSQL gives it, where the driver passes it on."""
    named = (field.metadata or {}).get(_TYPE_NAME)
    return str(named.decode()) if named else str(field.type)
