"""What stops a snapshot, and who may let it pass, on a real PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.snapshot_errors import ClosedMonthChanged, TooManyRejects
from ingestion.source_config import SourceConfig

OCTOBER = Month(2026, 10)
DAY = pl.col("date").str.to_date()

type Source = Callable[..., SourceConfig]
type Load = Callable[[str, pl.DataFrame], None]
type Ingest = Any  # the fixture
type Raw = Callable[..., pl.DataFrame]


def test_what_a_refused_run_set_aside_can_be_read(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}, {"unit": "crate"}))
    with pytest.raises(TooManyRejects, match="all lines set aside are in") as caught:
        ingest(source(postgres_url))
    assert caught.value.kept_in is not None
    rejects = pl.read_csv(caught.value.kept_in)
    assert rejects.select("reason", "value").rows() == [("unknown unit", "crate")]


def test_accepted_lines_are_recorded_with_the_reason(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}, {"unit": "crate"}))
    snapshot = ingest(source(postgres_url), accepted="crates are scrap")
    assert snapshot.manifest.accepted == "crates are scrap"
    assert ingest.store.read(snapshot.id).manifest.accepted == "crates are scrap"


def test_a_closed_month_may_change_by_a_tenth(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    def loaded(september: str, october: str) -> SourceConfig:
        lines = raw({"date": "2026-09-01", "quantity": september}, {"quantity": october})
        load("order_lines", lines.with_columns(DAY))
        return source(postgres_url)

    ingest(loaded("1000", "1000"))
    ingest(loaded("1100", "9000"))
    with pytest.raises(ClosedMonthChanged, match="from 1,100 to 989 kg") as caught:
        ingest(loaded("989", "9000"))
    assert caught.value.changes == (("erp", OCTOBER - 1, 1100, 989),)
    assert ingest(loaded("989", "9000"), accepted="credit note").manifest.accepted == "credit note"


def test_months_that_the_last_snapshot_did_not_cover_are_no_change(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    lines = raw({"date": "2026-08-01"}, {"date": "2026-09-01"}, {}).with_columns(DAY)
    load("order_lines", lines)
    ids = [ingest(source(postgres_url), month=OCTOBER - ago).id for ago in (2, 0, 2, 0)]
    assert len(set(ids)) == 2


def test_what_was_corrected_back_is_the_newest_again(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    right = raw({"date": "2026-09-01"}, {}).with_columns(DAY)
    load("order_lines", right)
    first = ingest(source(postgres_url))
    load("order_lines", right.with_columns(pl.lit("1").alias("quantity")))
    ingest(source(postgres_url), accepted="test load", taken_at=datetime(2026, 11, 3, tzinfo=UTC))
    load("order_lines", right)
    assert ingest(source(postgres_url), accepted="taken back").id == first.id
    assert ingest(source(postgres_url)).id == first.id
    newest = ingest.store.newest()
    assert newest is not None and newest.id == first.id
    assert ingest(source(postgres_url), month=OCTOBER - 1).manifest.changes == ()
