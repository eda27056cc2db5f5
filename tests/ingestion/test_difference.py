"""How two snapshots differ, on a real PostgreSQL."""

from collections.abc import Callable
from typing import Any

import polars as pl

from forecasting.months import Month
from ingestion.difference import differences
from ingestion.snapshot_config import SnapshotConfig
from ingestion.source_config import SourceConfig

OCTOBER = Month(2026, 10)
DAY = pl.col("date").str.to_date()

type Source = Callable[..., SourceConfig]
type Load = Callable[[str, pl.DataFrame], None]
type Ingest = Any  # the fixture
type Raw = Callable[..., pl.DataFrame]


def test_a_line_that_another_month_contradicts(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    lines = raw({"date": "2026-09-01"}, {}).with_columns(DAY)
    load("order_lines", lines)
    one = ingest(source(postgres_url))
    again = raw({"quantity": "1"}).with_columns(DAY)
    load("order_lines", pl.concat([lines, again]))
    two = ingest(source(postgres_url, max_rejects=1), limits=SnapshotConfig(max_change=1))
    found = differences(one, two)
    assert found.months.select("month", "before", "after").rows() == [("2026-09", 12_500, 0)]
    assert found.leaves["change"].to_list() == [-12_500]


def test_text_dates_that_only_the_later_month_counts(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({"date": "2026-09-01"}, {}))
    one, two = ingest(source(postgres_url), month=OCTOBER - 1), ingest(source(postgres_url))
    found = differences(one, two)
    assert found.months.select("month", "before", "after").rows() == [("2026-10", 0, 12_500)]
    assert found.leaves["change"].to_list() == [12_500]
