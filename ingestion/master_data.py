"""Stub until the real one is merged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from ingestion.part import content_hash


@dataclass(frozen=True, eq=False)
class MasterData:
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        return content_hash(dict(sorted(self.tables.items())))

    @property
    def weights(self) -> pl.DataFrame | None:
        return None
