"""The whole room on a real PostgreSQL: from rows in a table to a snapshot, twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.errors import EmptySource, QueryFailed
from ingestion.master_config import parse_master
from ingestion.monthly import build_panel
from ingestion.order_line import KEYS, RAW_LINES
from ingestion.snapshot import MonthChange, Tally
from ingestion.snapshot_config import SnapshotConfig
from ingestion.snapshot_errors import TooManyRejects
from ingestion.source_config import SourceConfig

OCTOBER = Month(2026, 10)
DAY = pl.col("date").str.to_date()

type Source = Callable[..., SourceConfig]
type Load = Callable[[str, pl.DataFrame], None]
type Ingest = Any  # the fixture
type Raw = Callable[..., pl.DataFrame]


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
    assert (record.name, record.dialect, record.rows_in, record.kept.lines) == ("erp", "postgresql", 4, 2)
    assert (record.later, record.consistency) == (1, "repeatable read")
    assert all(each.added_up for each in record.slices)
    panel = build_panel(snapshot, KEYS, ((), KEYS))
    assert panel.quantity.tolist() == [[-1.814, 12.5]]


def test_a_repeat_pulls_nothing_and_a_late_line_only_its_month(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    config = source(postgres_url)
    lines = raw({"date": "2026-08-01"}, {"date": "2026-09-01"}, {}, {}).with_columns(DAY)
    load("order_lines", lines)
    first = ingest(config)
    assert ingest.seen == [("erp", 4)]
    load("order_lines", lines[::-1])
    again = ingest(config, taken_at=datetime(2026, 12, 24, tzinfo=UTC), code_version="2")
    assert (again.id, again.manifest, ingest.seen) == (first.id, first.manifest, [])
    late = raw({}, {}, {}, {}, {"date": "2026-09-30"})[4:].with_columns(DAY)
    load("order_lines", pl.concat([lines, late]))
    second = ingest(config, limits=SnapshotConfig(max_change=2), taken_at=datetime(2026, 11, 3, tzinfo=UTC))
    assert ingest.seen == [("erp", 2)]
    assert second.manifest.parent == first.id
    assert second.manifest.changes == (
        MonthChange(
            source="erp",
            month="2026-09",
            before=Tally(lines=1, quantity=12_500, gross=12_500),
            after=Tally(lines=2, quantity=25_000, gross=25_000),
        ),
    )
    assert ingest.store.read(first.id).lines.height == 4
    assert ingest(config, full=True).id == second.id
    assert ingest.seen == [("erp", 5)]


def test_what_left_the_source_leaves_the_snapshot(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    config = source(postgres_url)
    lines = raw({"date": "2026-09-01"}, {"date": "2026-09-02"}, {}).with_columns(DAY)
    load("order_lines", lines)
    ingest(config)
    load("order_lines", lines[1:])
    assert ingest(config, limits=SnapshotConfig(max_change=1)).lines["line"].to_list() == ["2", "3"]
    load("order_lines", lines[2:])
    assert ingest(config, limits=SnapshotConfig(max_change=1)).lines["line"].to_list() == ["3"]


def test_another_reading_pulls_all_again(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({"unit": None}))
    columns = {field: field for field in RAW_LINES if field != "unit"}
    kilograms = ingest(source(postgres_url, columns=columns, unit="kg"))
    pounds = ingest(source(postgres_url, columns=columns, unit="lb"))
    assert kilograms.lines["quantity"].to_list() == [12_500]
    assert pounds.lines["quantity"].to_list() == [5_670]
    assert ingest.seen == [("erp", 1)]


def test_a_month_later_only_the_new_month_is_pulled(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    lines = raw({"date": "2026-09-01"}, {}, {"date": "2026-11-30"}).with_columns(DAY)
    load("order_lines", lines)
    assert ingest(source(postgres_url)).lines["line"].to_list() == ["1", "2"]
    assert ingest(source(postgres_url), month=OCTOBER + 1).lines["line"].to_list() == ["1", "2", "3"]
    assert ingest.seen == [("erp", 1)]


def test_two_sources_may_use_the_same_line_ids(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}, {}))
    load("mill_lines", raw({"quantity": "7", "organization": "MILL"}))
    mill = replace(source(postgres_url, table="mill_lines"), name="mill")
    snapshot = ingest(mill, source(postgres_url))
    assert snapshot.lines.select("source", "line", "quantity").rows() == [
        ("erp", "1", 12_500),
        ("erp", "2", 12_500),
        ("mill", "1", 7),
    ]
    swapped = ingest(source(postgres_url), mill)
    assert swapped.id == snapshot.id


def test_a_line_that_two_sources_claim_counts_once(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}, {}, *[{}] * 98))
    load("mill_lines", raw({}, {"quantity": "1"}))
    mill = replace(source(postgres_url, table="mill_lines", max_rejects=1), name="mill")
    snapshot = ingest(source(postgres_url), mill)
    assert snapshot.rejects.select("reason", "source", "line", "quantity").rows() == [
        ("line of two sources", "erp", "2", 12_500),
        ("line of two sources", "mill", "1", 12_500),
        ("line of two sources", "mill", "2", 1),
    ]
    assert snapshot.lines.height == 99
    kept = {each.name: each.kept.quantity for each in snapshot.manifest.sources}
    assert kept == {"erp": 99 * 12_500, "mill": 0}


def test_one_table_read_as_two_sources_is_refused(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}, {}))
    twice = replace(source(postgres_url), name="twice")
    with pytest.raises(TooManyRejects, match="line of two sources 2") as caught:
        ingest(source(postgres_url), twice)
    assert caught.value.source == "twice"


def test_a_line_in_two_months_contradicts_itself(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    lines = raw({}, {}, {"date": "2026-09-01"}).with_columns(DAY, pl.Series("line", ["1", "2", "2"]))
    load("order_lines", lines)
    snapshot = ingest(source(postgres_url, max_rejects=1))
    assert snapshot.lines["line"].to_list() == ["1"]
    assert snapshot.rejects["reason"].to_list() == ["line id used twice"] * 2


@pytest.mark.parametrize(
    ("rows", "month", "kind"),
    [
        ([], Month(2026, 10), EmptySource),
        ([{}], Month(2026, 9), EmptySource),
        ([{"quantity": "abc"}] * 3, Month(2026, 10), TooManyRejects),
    ],
)
def test_a_failure_leaves_no_snapshot(
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
    load("order_lines", lines.with_columns(DAY))
    with pytest.raises(kind, match="'erp'"):
        ingest(source(postgres_url), month=month)
    assert ingest.store.manifests() == ()


def test_text_dates_after_the_month_leave_an_empty_source(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}))
    with pytest.raises(EmptySource, match="no order line up to the end of 2026-08") as caught:
        ingest(source(postgres_url), month=Month(2026, 8))
    assert (caught.value.source, caught.value.month) == ("erp", Month(2026, 8))


def test_a_second_source_that_fails_stores_no_snapshot(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}))
    with pytest.raises(QueryFailed):
        ingest(source(postgres_url), source(postgres_url, table="nowhere"))
    assert ingest.store.manifests() == ()


def test_a_line_of_two_sources_is_one_whatever_the_case_of_its_keys(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({}, *[{}] * 9))
    load("mill_lines", raw({"customer": "k-104"}))
    mill = replace(source(postgres_url, table="mill_lines", max_rejects=1), name="mill")
    snapshot = ingest(source(postgres_url), mill)
    assert snapshot.rejects.select("reason", "source").rows() == [("line of two sources", "mill")]


def test_a_change_that_no_line_shows_is_read_once(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({"status": "open"}))
    first = ingest(source(postgres_url))
    load("order_lines", raw({"status": "shipped"}))
    assert ingest(source(postgres_url)).id == first.id
    assert ingest.seen == [("erp", 1)]
    assert ingest(source(postgres_url)).id == first.id
    assert ingest.seen == []


def test_weights_of_any_size_and_only_where_pieces_are(
    source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
) -> None:
    load("order_lines", raw({"quantity": "2", "unit": "pcs"}, {"unit": "kg"}))
    load("article", pl.DataFrame({"no": ["HEB-200"], "kg": ["12345.5"]}))
    described = {
        "url": "env:ERP_URL",
        "table": "article",
        "piece_weight": "kg",
        "columns": {"material": "no", "weight": "kg"},
    }
    master = parse_master({"master": {"material": described}}, {"ERP_URL": postgres_url})
    assert ingest(source(postgres_url), master=master).lines["quantity"].to_list() == [24_691, 12_500]
