"""What one connection to SQL Server sees of a source: its slices, lines and sums, read through ODBC."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal

import polars as pl

from ingestion.errors import ConnectionLost, QueryFailed, SourceMoved, UnknownColumn
from ingestion.fingerprint import Fingerprint
from ingestion.order_line import RAW_LINES, SLICED_LINES
from ingestion.raw_lines import RawLines
from ingestion.source_config import Query, SourceConfig, Table
from ingestion.sources import sql_server_sql as sql
from ingestion.sources.odbc_arrow import ArrowConnection, OdbcError
from ingestion.sources.odbc_text import (
    OFFSET_TIME,
    cell_fingerprints,
    checksum_fingerprints,
    column_of,
    text_of,
    totals_by_slice,
)
from ingestion.sources.sql_server_errors import is_final, is_unbound, not_read, plain
from ingestion.sources.sql_server_sql import Column, Kind

SNAPSHOT = "snapshot"
READ_COMMITTED = "read committed (the source allows no snapshot: what was read is checked again at the end)"


class SqlServerView:
    """What one connection sees of a source; see `SourceView`."""

    def __init__(
        self, config: SourceConfig, connection: ArrowConnection, said: Callable[[Exception], str]
    ) -> None:
        self.config = config
        self.consistency = SNAPSHOT
        self._connection = connection
        self._said = said
        self._columns: dict[str, Column] = {}
        self._hashes = True
        self._known: Mapping[str, Fingerprint] | None = None

    def begin(self) -> bool:
        """Open the view and learn which columns there are; False where this client cannot read them all.

        Master data has no columns of order lines, and is small enough for a client that reads anything.
        """
        self._isolate()
        self._columns = self._probe(self.config.relation)
        self.config = self.config.knowing(self._columns)
        self._check(self.config.columns, self._columns)
        date = self.config.columns.get("date")
        if date is None:
            return True
        if self._columns[date].kind is Kind.TEXT:
            self._columns[date] = self._told_from_text(self._columns[date])
        with self._failing():
            try:
                self._connection.read(sql.nothing_sql(self.config, self._columns)).table()
            except OdbcError as error:
                if not is_unbound(str(error)):
                    raise
                return False
        return True

    @property
    def exact_slices(self) -> bool:
        """Slices of times with an offset are months of UTC, which need not be those of the source's zone."""
        return self._date.kind in {Kind.DAY, Kind.TIME} or (
            self._date.kind is Kind.MOMENT and self.config.time_zone == "UTC"
        )

    @property
    def columns(self) -> Mapping[str, str]:
        return {name: column.words for name, column in self._columns.items()}

    def statement(self) -> str:
        return sql.select_sql(self.config, self._columns)

    def fingerprints(self) -> Mapping[str, Fingerprint]:
        self._known = self._fingerprints(None)
        return self._known

    def lines(self, slices: Sequence[str] | None) -> Iterator[RawLines]:
        if slices is not None and not slices:
            return
        before = self._known if self._known is not None else self.fingerprints()
        slices = list(before) if slices is None else slices
        if set(before) <= set(slices):
            statement = self.statement()
        else:
            statement = sql.pull_sql(self.config, self._columns, slices)
        read = dict.fromkeys(slices, 0)
        try:
            for batch in self._connection.read(statement, counted=True).batches:
                lines = self._sliced(pl.DataFrame(pl.from_arrow(batch))).where(
                    pl.col("slice").is_in(list(slices))
                )
                for name, count in lines.lines.group_by("slice").len().iter_rows():
                    read[name] += count
                yield lines
        except OdbcError as error:
            self._ask_whether_it_is_there()
            raise not_read(self.config, self._said(error)) from None
        self._refuse_lost(before, read)
        if self.consistency != SNAPSHOT:
            self._refuse_moved(before, self._fingerprints(slices), slices)

    def sums(self, slices: Sequence[str], factors: Mapping[str | None, Decimal]) -> Mapping[str, int] | None:
        none = dict.fromkeys(slices, 0)
        if not slices or not factors:
            return none
        statement = sql.sums_sql(self.config, self._columns, slices, factors)
        if statement is None:
            return None
        try:
            return none | totals_by_slice(self._read(statement), none)
        except QueryFailed as failure:
            if isinstance(failure, ConnectionLost) or is_final(failure.detail):
                raise
            return None  # a server without decimals, collations or casts like these

    def account(
        self, factors: Mapping[str | None, Decimal]
    ) -> tuple[Mapping[str, Fingerprint], Mapping[str, int] | None]:
        found = self._known if self._known is not None else self.fingerprints()
        return found, self.sums(list(found), factors)

    def sample(self, rows: int) -> RawLines:
        return self._sliced(self._read(sql.select_sql(self.config, self._columns, top=rows)))

    def table(self, relation: Query | Table, columns: Mapping[str, str]) -> pl.DataFrame:
        self._check(columns, self._probe(relation))
        return text_of(self._read(sql.table_sql(relation, columns)))

    @property
    def _date(self) -> Column:
        return self._columns[self.config.columns["date"]]

    def _isolate(self) -> None:
        """A snapshot, if a line can be read in one; whatever speaks against it, the source may do without."""
        first = sql.first_sql(self.config.relation)
        try:
            self._connection.run("set transaction isolation level snapshot")
            self._connection.run("begin transaction")
            self._connection.read(first).table()
        except OdbcError as error:
            if is_final(str(error)):
                raise not_read(self.config, self._said(error)) from None
            with suppress(OdbcError):
                self._connection.run("rollback transaction")
            self.consistency = READ_COMMITTED
            with suppress(OdbcError):  # it is what most servers begin with
                self._connection.run("set transaction isolation level read committed")
            with self._failing():
                self._connection.read(first).table()

    def _probe(self, relation: Query | Table) -> dict[str, Column]:
        with self._failing():
            schema = self._connection.schema(sql.probe_sql(relation))
        return {field.name: column_of(field) for field in schema}

    def _told_from_text(self, column: Column) -> Column:
        """A column of text, or of times with an offset, which clients give as text."""
        try:
            schema = self._connection.schema(sql.offset_probe_sql(self.config))
        except OdbcError:
            return column
        return (
            Column(Kind.MOMENT, OFFSET_TIME) if column_of(schema.field("date")).kind is Kind.TEXT else column
        )

    def _check(self, columns: Mapping[str, str], there: Mapping[str, object]) -> None:
        for field, column in columns.items():
            if column not in there:
                raise UnknownColumn(self.config.name, field, column, list(there))

    def _fingerprints(self, slices: Sequence[str] | None) -> dict[str, Fingerprint]:
        """By checksums, or by cells where the server has none; either way for the whole of this view."""
        if self._hashes:
            try:
                statement = sql.fingerprint_sql(self.config, self._columns, slices)
                return checksum_fingerprints(self._read(statement))
            except QueryFailed as failure:
                if isinstance(failure, ConnectionLost) or is_final(failure.detail):
                    raise
                refused = failure
            self._hashes = False
            try:
                return self._by_cells(slices)
            except QueryFailed:
                raise refused from None
        return self._by_cells(slices)

    def _by_cells(self, slices: Sequence[str] | None) -> dict[str, Fingerprint]:
        cells = self._read(sql.cells_sql(self.config, self._columns, slices))
        return cell_fingerprints(cells)

    def _refuse_lost(self, before: Mapping[str, Fingerprint], read: Mapping[str, int]) -> None:
        counted = {name: before[name].lines if name in before else 0 for name in sorted(read)}
        lost = [(name, lines, read[name]) for name, lines in counted.items() if lines != read[name]]
        if lost:
            self._ask_whether_it_is_there()
            raise SourceMoved(self.config.name, "lines", lost)

    def _ask_whether_it_is_there(self) -> None:
        """A connection may end without saying so; the next question tells."""
        try:
            self._connection.read(sql.anything_sql()).table()
        except OdbcError as error:
            raise ConnectionLost(self.config.name, plain(self._said(error))) from None

    def _refuse_moved(
        self, before: Mapping[str, Fingerprint], after: Mapping[str, Fingerprint], slices: Sequence[str]
    ) -> None:
        none = Fingerprint(0, "0")
        pairs = [(name, after.get(name, none), before.get(name, none)) for name in sorted(slices)]
        moved = [(name, now.lines, then.lines) for name, now, then in pairs if now.lines != then.lines]
        if moved:
            raise SourceMoved(self.config.name, "lines", moved)
        moved = [(name, int(now.checksum), int(then.checksum)) for name, now, then in pairs if now != then]
        if moved:
            raise SourceMoved(self.config.name, "checksums", moved)

    def _sliced(self, rows: pl.DataFrame) -> RawLines:
        """Raw lines with the fields that are not mapped, and the slice."""
        absent = {
            field: self.config.constant_unit if field == "unit" else None
            for field in RAW_LINES
            if field not in self.config.columns
        }
        text = text_of(rows)
        named = (
            text
            if "slice" in text.columns
            else text.with_columns(pl.col("date").str.slice(0, 7).alias("slice"))
        )
        offset = "+00:00" if self._date.kind is Kind.MOMENT else ""
        table = named.with_columns(
            *(pl.lit(value, pl.String).alias(field) for field, value in absent.items()),
            pl.col("date") + offset,
            pl.col("slice").str.strip_chars_end(" ").fill_null(""),
        )
        return RawLines.of(table.select(SLICED_LINES.names()))

    def _read(self, statement: str) -> pl.DataFrame:
        with self._failing():
            return pl.DataFrame(pl.from_arrow(self._connection.read(statement).table()))

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """What goes wrong while the source answers: nothing of that answer is used."""
        try:
            yield
        except OdbcError as error:
            raise not_read(self.config, self._said(error)) from None
