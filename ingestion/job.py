"""The room's one verb: take the snapshot of a month."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import polars as pl

from forecasting.months import Month
from ingestion.clean import clean
from ingestion.errors import EmptySource
from ingestion.snapshot import Provenance, Snapshot, seal
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig
from ingestion.sources.source import Source, open_source
from ingestion.units import DemandUnit


class Progress(Protocol):
    """Told after each batch how many rows a source has given so far."""

    def __call__(self, source: str, rows: int, /) -> None: ...


def take_snapshot(
    month: Month,
    *,
    sources: Sequence[SourceConfig],
    demand: DemandUnit,
    store: SnapshotStore,
    taken_at: datetime,
    code_version: str,
    progress: Progress,
) -> Snapshot:
    """Pull every source up to the end of `month`, clean, seal and store.

    Nothing is stored before all sources are read. While the sources say the same, a repeat gives the
    same id and changes nothing. Raises the errors of `ingestion.errors`.
    """
    cleaned, provenance = [], []
    for config in sources:
        source = open_source(config)
        found = clean(_pulled(source, month, progress), config, demand, month)
        if found.lines.is_empty() and found.rejects.is_empty():
            raise EmptySource(config.name, month)
        cleaned.append(found)
        provenance.append(Provenance(config.name, config.dialect, source.sql(month)))
    return store.write(
        seal(
            month,
            demand,
            pl.concat([each.lines for each in cleaned]),
            pl.concat([each.rejects for each in cleaned]),
            sources=provenance,
            taken_at=taken_at,
            code_version=code_version,
        )
    )


def _pulled(source: Source, month: Month, progress: Progress) -> Iterator[pl.DataFrame]:
    """The source's batches as they come, each reported."""
    rows = 0
    for batch in source.batches(month):
        rows += batch.height
        progress(source.config.name, rows)
        yield batch
