"""Sample paths in a file: one row per leaf, path and month."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from forecasting.arrays import Floats
from forecasting.forecaster import FittedForecaster
from forecasting.months import months_from
from tonnage.forecast_file import write_whole

# The same history gives the same paths.
_SEED = 0


@dataclass(frozen=True)
class PathFile:
    """Where to write sample paths, and how many."""

    path: Path
    count: int


def write_paths(target: PathFile, fitted: FittedForecaster) -> None:
    """Write paths of all leaves, a block at a time: leaves never stand in memory with all of theirs."""
    tables = _tables(fitted, fitted.sample_paths(target.count, _SEED))
    write = _write_parquet if target.path.suffix.lower() == ".parquet" else _write_csv
    write_whole(target.path, lambda beside: write(tables, beside))


def _tables(fitted: FittedForecaster, blocks: Iterator[Floats]) -> Iterator[pl.DataFrame]:
    """Rows in the order of paths, then leaves, then months."""
    hierarchy, first = fitted.panel.hierarchy, fitted.panel.origin + 1
    start = 1
    for block in blocks:
        leaves = block[hierarchy.slices[-1]]
        count, horizon, paths = leaves.shape
        months = pl.Series("month", [str(month) for month in months_from(first, horizon)])
        row = np.tile(np.repeat(np.arange(count), horizon), paths)
        yield pl.DataFrame(
            {"path": np.repeat(np.arange(start, start + paths, dtype=np.int32), count * horizon)}
        ).with_columns(
            *hierarchy.leaves[row],
            months[np.tile(np.arange(horizon), count * paths)],
            pl.Series("quantity", leaves.transpose(2, 0, 1).ravel()),
        )
        start += paths


def _write_parquet(tables: Iterator[pl.DataFrame], path: Path) -> None:
    # Every forecast imports this file; only who asks for paths pays for the writer.
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415  # ships no types; see above

    first = next(tables).to_arrow()
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table.to_arrow())


def _write_csv(tables: Iterator[pl.DataFrame], path: Path) -> None:
    with path.open("wb") as file:
        for at, table in enumerate(tables):
            table.write_csv(file, include_header=at == 0)
