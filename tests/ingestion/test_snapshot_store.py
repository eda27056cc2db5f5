"""The store: what is written is read again, never changes, and damage is seen."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.errors import SnapshotDamaged, UnknownSnapshot
from ingestion.order_line import LINES, REJECTS
from ingestion.snapshot import Snapshot, seal
from ingestion.snapshot_store import SnapshotStore
from ingestion.units import DemandUnit

OCTOBER = Month(2026, 10)


def snapshot(kilograms: int = 12_500, month: Month = OCTOBER, version: str = "1") -> Snapshot:
    row = ("erp", "1", "NORD", "K-104", "HEB-200", date(2026, 10, 14), kilograms)
    return seal(
        month,
        DemandUnit.TONNE,
        pl.DataFrame([row], schema=LINES, orient="row"),
        REJECTS.to_frame(),
        sources=[],
        taken_at=datetime(2026, 11, 2, tzinfo=UTC),
        code_version=version,
    )


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "home" / "snapshots")


def files_of(store: SnapshotStore) -> dict[str, int]:
    """Every stored file with the moment of its last change."""
    paths = (path for path in store.folder.rglob("*") if path.is_file())
    return {str(path.relative_to(store.folder)): path.stat().st_mtime_ns for path in paths}


def test_what_is_written_is_read_again(store: SnapshotStore) -> None:
    given = snapshot()
    stored = store.write(given)
    again = store.read(given.id)
    assert (again.id, again.month, again.manifest) == (given.id, given.month, given.manifest)
    assert again.lines.equals(given.lines) and again.rejects.equals(given.rejects)
    assert stored.id == given.id
    assert set(files_of(store)) == {".lock"} | {
        f"2026-10/{given.id}/{name}" for name in ("lines.parquet", "rejects.parquet", "manifest.json")
    }


def test_writing_again_changes_nothing(store: SnapshotStore) -> None:
    store.write(snapshot())
    before = files_of(store)
    del before[".lock"]
    second = store.write(snapshot(version="2"))
    after = files_of(store)
    del after[".lock"]
    assert after == before
    assert second.manifest.code_version == "1"


def test_the_list_is_in_order(store: SnapshotStore) -> None:
    assert store.list() == ()
    november, october = snapshot(month=Month(2026, 11)), snapshot()
    store.write(november)
    store.write(october)
    assert [each.id for each in store.list()] == [october.id, november.id]


def test_what_a_dead_writer_left_is_swept_and_never_read(store: SnapshotStore) -> None:
    store.write(snapshot(1))
    leftover = store.folder / ".incoming" / snapshot(2).id
    leftover.mkdir()
    (leftover / "lines.parquet").write_bytes(b"PAR1 half")
    assert len(store.list()) == 1
    with pytest.raises(UnknownSnapshot):
        store.read(snapshot(2).id)
    store.write(snapshot(2))
    assert list((store.folder / ".incoming").iterdir()) == []
    assert store.read(snapshot(2).id).lines["quantity"].to_list() == [2]


@pytest.mark.parametrize("unknown", ["", "0" * 64])
def test_an_unknown_id_is_named(store: SnapshotStore, unknown: str) -> None:
    store.write(snapshot())
    with pytest.raises(UnknownSnapshot) as caught:
        store.read(unknown)
    assert caught.value.snapshot_id == unknown


def other_kilograms(folder: Path) -> None:
    snapshot(99).lines.write_parquet(folder / "lines.parquet")


def other_columns(folder: Path) -> None:
    pl.DataFrame({"x": [1]}).write_parquet(folder / "rejects.parquet")


def half_a_file(folder: Path) -> None:
    path = folder / "lines.parquet"
    path.write_bytes(path.read_bytes()[:100])


def no_lines(folder: Path) -> None:
    (folder / "lines.parquet").unlink()


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def half_a_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"format": 1')


def another_month(folder: Path) -> None:
    folder.parent.rename(folder.parent.with_name("2026-09"))


def no_month(folder: Path) -> None:
    folder.parent.rename(folder.parent.with_name("october"))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (other_kilograms, "its content hashes to"),
        (other_columns, "its tables have other columns"),
        (half_a_file, ""),
        (no_lines, ""),
        (no_manifest, "its manifest.json cannot be read"),
        (half_a_manifest, "its manifest.json cannot be read"),
        (another_month, "its content hashes to"),
        (no_month, "its folder is not named by a month"),
    ],
)
def test_damage_is_seen(store: SnapshotStore, damage: Callable[[Path], None], problem: str) -> None:
    stored = store.write(snapshot())
    damage(store.folder / "2026-10" / stored.id)
    with pytest.raises(SnapshotDamaged) as caught:
        store.read(stored.id)
    assert caught.value.problem.startswith(problem)
    assert "ingest the month again" in str(caught.value)


def test_a_damaged_snapshot_is_not_taken_for_written(store: SnapshotStore) -> None:
    stored = store.write(snapshot())
    other_kilograms(store.folder / "2026-10" / stored.id)
    with pytest.raises(SnapshotDamaged):
        store.write(snapshot())
