"""What every kind of source can do, and the one place that knows which kinds there are."""

from collections.abc import Iterator
from typing import Protocol

import polars as pl

from forecasting.months import Month
from ingestion.source_config import SourceConfig
from ingestion.sources.postgres import PostgresSource


class Source(Protocol):
    """A database with order lines."""

    @property
    def config(self) -> SourceConfig: ...

    def sql(self, month: Month) -> str:
        """The statement that identifies what is read, for the manifest's hash."""
        ...

    def batches(self, month: Month) -> Iterator[pl.DataFrame]:
        """Lines up to the end of `month`, each batch of the schema `RAW_LINES`, from one view."""
        ...


def open_source(config: SourceConfig) -> Source:
    """The reader for a source's kind of database; nothing is connected yet."""
    return PostgresSource(config)
