"""What every kind of source can do, and the one place that knows which kinds there are."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Protocol

import polars as pl

from ingestion.fingerprint import Fingerprint
from ingestion.master_config import MasterConfig
from ingestion.raw_lines import RawLines
from ingestion.source_config import Query, SourceConfig, Table
from ingestion.sources.postgres import PostgresSource
from ingestion.sources.sql_server import SqlServerSource


class SourceView(Protocol):
    """One read-only view of a source: everything asked of it is answered from the same state."""

    @property
    def config(self) -> SourceConfig:
        """The source's configuration, once its columns are known."""
        ...

    @property
    def consistency(self) -> str:
        """How far that promise holds, in the source's own words, such as "repeatable read"."""
        ...

    @property
    def exact_slices(self) -> bool:
        """Whether every line is dated in the month that its slice is named after."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """Every column of the relation, mapped or not, with the name of its type."""
        ...

    def statement(self) -> str:
        """The select that is read, for the manifest's hash."""
        ...

    def fingerprints(self) -> Mapping[str, Fingerprint]:
        """What each slice sums to; slices without lines are not there."""
        ...

    def lines(self, slices: Sequence[str] | None) -> Iterator[RawLines]:
        """Raw lines of these slices, or of all, in batches."""
        ...

    def sums(self, slices: Sequence[str], factors: Mapping[str | None, Decimal]) -> Mapping[str, int] | None:
        """Whole kilograms (or pieces) of each slice, over the lines whose unit, as written, has a factor.

        Each line's quantity times its factor is rounded half away from zero, as cleaning does it; what
        is no finite number, or beyond `units.LARGEST`, counts as nothing. None where the source cannot
        add its quantities exactly.
        """
        ...

    def account(
        self, factors: Mapping[str | None, Decimal]
    ) -> tuple[Mapping[str, Fingerprint], Mapping[str, int] | None]:
        """The fingerprints and the sums of all slices: what costs least where all of them are wanted."""
        ...

    def sample(self, rows: int) -> RawLines:
        """The first few raw lines."""
        ...

    def table(self, relation: Query | Table, columns: Mapping[str, str]) -> pl.DataFrame:
        """Another relation of the same database as text: our names, each from one of its columns."""
        ...


class Source(Protocol):
    """A database with order lines."""

    @property
    def config(self) -> SourceConfig: ...

    def view(self) -> AbstractContextManager[SourceView]:
        """Connect, and look. Raises `SourceUnreachable`, `SourceRefused`, `UnknownColumn`, `QueryFailed`."""
        ...


def open_source(config: SourceConfig) -> Source:
    """The reader for a source's kind of database; nothing is connected yet."""
    return SqlServerSource(config) if config.dialect == "mssql" else PostgresSource(config)


def read_table(config: MasterConfig) -> pl.DataFrame:
    """One table of master data as text: our names, each from one of its columns."""
    with open_source(config.as_source()).view() as view:
        return view.table(config.relation, config.columns)
