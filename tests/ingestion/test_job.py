"""The whole room on a real PostgreSQL: from rows in a table to a snapshot, twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.errors import EmptySource, QueryFailed, TooManyRejects
from ingestion.job import take_snapshot
from ingestion.monthly import build_panel
from ingestion.order_line import KEYS
from ingestion.snapshot import Snapshot
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig
from ingestion.units import DemandUnit

type Source = Callable[..., SourceConfig]
type Load = Callable[[str, pl.DataFrame], None]
type Raw = Callable[..., pl.DataFrame]


class Ingest:
    """`take_snapshot` for October 2026 into one store, with what it reported."""

    def __init__(self, folder: Path) -> None:
        self.store = SnapshotStore(folder)
        self.seen: list[tuple[str, int]] = []

    def __call__(self, *sources: SourceConfig, **other: Any) -> Snapshot:
        facts = {
            "demand": DemandUnit.TONNE,
            "taken_at": datetime(2026, 11, 2, tzinfo=UTC),
            "code_version": "1",
        } | other
        return take_snapshot(
            facts.pop("month", Month(2026, 10)),
            sources=sources,
            store=self.store,
            progress=lambda source, rows: self.seen.append((source, rows)),
            **facts,
        )


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    return Ingest(tmp_path / "snapshots")


def test_rows_become_a_snapshot_and_a_panel(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    rows = raw(
        {"quantity": "12.5", "unit": "t"},
        {"quantity": "-2", "unit": "short ton", "date": "2026-09-01"},
        {"status": "cancelled"},
        {"unit": "crate"},
        {"date": "2026-11-01"},
    )
    load("order_lines", rows.with_columns(pl.col("date").str.to_date()))
    snapshot = ingest(source(postgres_url, max_rejects=0.5))
    assert snapshot.lines.select("line", "quantity").rows() == [("1", 12_500), ("2", -1_814)]
    assert snapshot.rejects.select("reason", "line").rows() == [("cancelled", "3"), ("unknown unit", "4")]
    assert ingest.seen == [("erp", 4)]
    (record,) = snapshot.manifest.sources
    assert (record.name, record.dialect, record.rows_in, record.rows_kept) == ("erp", "postgresql", 4, 2)
    panel = build_panel(snapshot, KEYS, ((), KEYS))
    assert panel.quantity.tolist() == [[-1.814, 12.5]]


def test_a_repeat_changes_nothing_and_a_late_line_does(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    config = source(postgres_url)
    load("order_lines", raw({}, {}, {}))
    first = ingest(config)
    load("order_lines", raw({}, {}, {})[::-1])
    later = ingest(config, taken_at=datetime(2026, 12, 24, tzinfo=UTC), code_version="2")
    assert (later.id, later.manifest) == (first.id, first.manifest)
    load("order_lines", raw({}, {}, {}, {}))
    late = ingest(config)
    assert late.id != first.id
    assert [each.id for each in ingest.store.list()] == sorted([first.id, late.id])
    assert ingest.store.read(first.id).lines.height == 3


def test_two_sources_may_use_the_same_line_ids(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}, {}))
    load("mill_lines", raw({"quantity": "7"}))
    mill = replace(source(postgres_url, table="mill_lines"), name="mill")
    snapshot = ingest(mill, source(postgres_url))
    assert snapshot.lines.select("source", "line", "quantity").rows() == [
        ("erp", "1", 12_500),
        ("erp", "2", 12_500),
        ("mill", "1", 7),
    ]
    swapped = ingest(source(postgres_url), mill)
    assert swapped.id == snapshot.id


@pytest.mark.parametrize(
    ("rows", "month", "kind"),
    [
        ([], Month(2026, 10), EmptySource),
        ([{}], Month(2026, 9), EmptySource),
        ([{"quantity": "abc"}] * 3, Month(2026, 10), TooManyRejects),
    ],
)
def test_a_failure_leaves_nothing_behind(
    rows: list[dict[str, str]],
    month: Month,
    kind: type[Exception],
    source: Source,
    load: Load,
    raw: Raw,
    postgres_url: str,
    ingest: Ingest,
) -> None:
    lines = raw(*rows) if rows else raw({}).clear()
    load("order_lines", lines.with_columns(pl.col("date").str.to_date()))
    with pytest.raises(kind, match="'erp'"):
        ingest(source(postgres_url), month=month)
    assert not ingest.store.folder.exists()


def test_text_dates_after_the_month_leave_an_empty_source(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}))
    with pytest.raises(EmptySource, match="no order line up to the end of 2026-09") as caught:
        ingest(source(postgres_url), month=Month(2026, 9))
    assert (caught.value.source, caught.value.month) == ("erp", Month(2026, 9))


def test_a_second_source_that_fails_stores_nothing_of_the_first(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}))
    with pytest.raises(QueryFailed):
        ingest(source(postgres_url), source(postgres_url, table="nowhere"))
    assert not ingest.store.folder.exists()
