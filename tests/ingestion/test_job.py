"""The whole room on a real PostgreSQL: from rows in a table to a snapshot, twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.difference import differences
from ingestion.errors import EmptySource, QueryFailed
from ingestion.job import Order, take_snapshot
from ingestion.master_config import parse_master
from ingestion.monthly import build_panel
from ingestion.order_line import KEYS, RAW_LINES
from ingestion.snapshot import MonthChange, Snapshot, Tally
from ingestion.snapshot_config import SnapshotConfig
from ingestion.snapshot_errors import ClosedMonthChanged, TooManyRejects
from ingestion.snapshot_store import SnapshotStore
from ingestion.source_config import SourceConfig

OCTOBER = Month(2026, 10)
DAY = pl.col("date").str.to_date()

type Source = Callable[..., SourceConfig]
type Load = Callable[[str, pl.DataFrame], None]
type Raw = Callable[..., pl.DataFrame]


class Ingest:
    """`take_snapshot` for October 2026 into one store, with what it reported."""

    def __init__(self, folder: Path) -> None:
        self.store = SnapshotStore(open_blobs(folder))
        self.seen: list[tuple[str, int]] = []

    def __call__(self, *sources: SourceConfig, month: Month = OCTOBER, **other: Any) -> Snapshot:
        facts = {"taken_at": datetime(2026, 11, 2, tzinfo=UTC), "code_version": "1"}
        facts |= {name: other.pop(name) for name in tuple(facts) if name in other}
        self.seen.clear()
        return take_snapshot(
            month,
            Order(sources, **other),
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


class TestDifference:
    def test_a_line_that_another_month_contradicts(
        self, source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
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
        self, source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
    ) -> None:
        load("order_lines", raw({"date": "2026-09-01"}, {}))
        one, two = ingest(source(postgres_url), month=OCTOBER - 1), ingest(source(postgres_url))
        found = differences(one, two)
        assert found.months.select("month", "before", "after").rows() == [("2026-10", 0, 12_500)]
        assert found.leaves["change"].to_list() == [12_500]


class TestLimits:
    def test_what_a_refused_run_set_aside_can_be_read(
        self, source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
    ) -> None:
        load("order_lines", raw({}, {"unit": "crate"}))
        with pytest.raises(TooManyRejects, match="all lines set aside are in") as caught:
            ingest(source(postgres_url))
        assert caught.value.kept_in is not None
        rejects = pl.read_csv(caught.value.kept_in)
        assert rejects.select("reason", "value").rows() == [("unknown unit", "crate")]

    def test_accepted_lines_are_recorded_with_the_reason(
        self, source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
    ) -> None:
        load("order_lines", raw({}, {"unit": "crate"}))
        snapshot = ingest(source(postgres_url), accepted="crates are scrap")
        assert snapshot.manifest.accepted == "crates are scrap"
        assert ingest.store.read(snapshot.id).manifest.accepted == "crates are scrap"

    def test_a_closed_month_may_change_by_a_tenth(
        self, source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
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
        self, source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
    ) -> None:
        lines = raw({"date": "2026-08-01"}, {"date": "2026-09-01"}, {}).with_columns(DAY)
        load("order_lines", lines)
        ids = [ingest(source(postgres_url), month=OCTOBER - ago).id for ago in (2, 0, 2, 0)]
        assert len(set(ids)) == 2

    def test_what_was_corrected_back_is_the_newest_again(
        self, source: Source, load: Load, raw: Raw, postgres_url: str, ingest: Ingest
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
