"""The store: what is written is read again, never changes, and damage is seen."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from forecasting.months import Month
from ingestion.blobs import open_blobs
from ingestion.order_line import LINES, PART_LINES, REJECTS
from ingestion.snapshot import Snapshot
from ingestion.snapshot_errors import BadStore, SnapshotDamaged, UnknownSnapshot
from ingestion.snapshot_store import SnapshotStore

OCTOBER = Month(2026, 10)

type Make = Callable[..., Snapshot]


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SnapshotStore:
    """On this machine, and where a put is all there is."""
    where = tmp_path / "home" if request.param == "folder" else f"memory://{tmp_path.name}/snapshots"
    return SnapshotStore(open_blobs(where))


@pytest.fixture
def local(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(open_blobs(tmp_path / "home"))


@pytest.fixture
def make(sealed: Callable[..., Snapshot]) -> Make:
    def snapshot(store: SnapshotStore, kilograms: int = 12_500, **other: object) -> Snapshot:
        """Two lines in two months and a reject, of which the store has the parts."""
        rows = [
            ("erp", "1", "NORD", "K-104", "HEB-200", date(2026, 10, 14), kilograms),
            ("erp", "2", "NORD", "K-104", "HEB-200", date(2026, 9, 14), 7),
        ]
        aside = [("cancelled", "erp", "3", "status", "void", 40)]
        return sealed(
            pl.DataFrame(rows, schema=LINES, orient="row"),
            pl.DataFrame(aside, schema=REJECTS, orient="row"),
            store=store,
            **other,
        )

    return snapshot


def test_what_is_written_is_read_again(store: SnapshotStore, make: Make) -> None:
    given = make(store)
    assert store.write(given).id == given.id
    again = store.read(given.id)
    assert (again.id, again.month, again.manifest) == (given.id, given.month, given.manifest)
    assert again.lines.equals(given.lines) and again.rejects.equals(given.rejects)
    assert store.read(given.id[:6]).id == given.id


def test_writing_again_keeps_the_first_account(store: SnapshotStore, make: Make) -> None:
    store.write(make(store))
    assert store.write(make(store, code_version="2")).manifest.code_version == "1"
    assert len(store.manifests()) == 1


def test_manifests_are_in_order_and_the_newest_was_taken_last(store: SnapshotStore, make: Make) -> None:
    assert (store.manifests(), store.newest()) == ((), None)
    november, october = make(store, month=Month(2026, 11)), make(store)
    store.write(november)
    store.write(october)
    assert [each.id for each in store.manifests()] == [october.id, november.id]
    newest = store.newest()
    assert newest is not None and newest.id == max(october.id, november.id)


def test_an_equal_slice_is_stored_once(local: SnapshotStore, make: Make, tmp_path: Path) -> None:
    local.write(make(local, 1))
    local.write(make(local, 2))
    assert len(list((tmp_path / "home/parts").iterdir())) == 4  # two Octobers, one September, one reject


def test_forgetting_leaves_what_others_need(store: SnapshotStore, make: Make) -> None:
    one, two = store.write(make(store, 1)), store.write(make(store, 2))
    assert store.forget(lambda _: {one.id}) == (1, 1)
    assert [each.id for each in store.manifests()] == [two.id]
    assert store.read(two.id).lines.height == 2
    assert store.forget(lambda _: set()) == (0, 0)
    with pytest.raises(UnknownSnapshot):
        store.read(one.id)


def test_a_part_without_a_manifest_is_no_snapshot_and_is_swept(store: SnapshotStore, make: Make) -> None:
    make(store)
    assert store.manifests() == ()
    assert store.forget(lambda _: set()) == (0, 3)


def test_what_a_dead_writer_left_is_swept_and_never_read(
    local: SnapshotStore, make: Make, tmp_path: Path
) -> None:
    local.write(make(local))
    leftover = tmp_path / "home/.incoming/leftover"
    leftover.write_bytes(b"PAR1 half")
    assert len(local.manifests()) == 1
    with local.writing():
        assert not leftover.exists()


@pytest.mark.parametrize("unknown", ["", "0" * 64])
def test_an_unknown_id_is_named(store: SnapshotStore, make: Make, unknown: str) -> None:
    store.write(make(store))
    with pytest.raises(UnknownSnapshot) as caught:
        store.read(unknown)
    assert (caught.value.wanted, caught.value.found) == (unknown, 0)


def test_the_beginning_of_two_ids_is_not_enough(store: SnapshotStore, make: Make) -> None:
    begins: set[str] = set()
    for kilograms in range(1, 100):
        snapshot = store.write(make(store, kilograms))
        if snapshot.id[0] in begins:
            break
        begins.add(snapshot.id[0])
    with pytest.raises(UnknownSnapshot, match="write more of the id") as caught:
        store.read(snapshot.id[0])
    assert caught.value.found == 2


@pytest.mark.parametrize("url", ["nowhere://x", "s3://bucket/path"])
def test_a_place_that_cannot_be_opened_is_told(url: str) -> None:
    with pytest.raises(BadStore, match="TONNAGE_SNAPSHOTS") as caught:
        open_blobs(url)
    assert caught.value.place == url


def other_kilograms(home: Path, part: Path) -> None:
    pl.read_parquet(part / "lines.parquet").with_columns(pl.lit(99).alias("quantity")).cast(
        dict(PART_LINES)
    ).write_parquet(part / "lines.parquet")


def other_columns(home: Path, part: Path) -> None:
    pl.DataFrame({"x": [1]}).write_parquet(part / "lines.parquet")


def half_a_file(home: Path, part: Path) -> None:
    path = part / "lines.parquet"
    path.write_bytes(path.read_bytes()[:100])


def no_lines(home: Path, part: Path) -> None:
    (part / "lines.parquet").unlink()


def no_repeats(home: Path, part: Path) -> None:
    (home / "repeats.parquet").unlink()


def half_a_manifest(home: Path, part: Path) -> None:
    (home / "manifest.json").write_text('{"format": 2')


def another_part(home: Path, part: Path) -> None:
    text = (home / "manifest.json").read_text()
    (home / "manifest.json").write_text(text.replace(part.name, "0" * 64))


def another_month(home: Path, part: Path) -> None:
    text = (home / "manifest.json").read_text()
    (home / "manifest.json").write_text(text.replace('"month": "2026-10"', '"month": "2026-09"', 1))


def no_month(home: Path, part: Path) -> None:
    text = (home / "manifest.json").read_text()
    (home / "manifest.json").write_text(text.replace('"month": "2026-10"', '"month": "October"', 1))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (other_kilograms, "its content hashes to"),
        (other_columns, "its columns are not a snapshot's"),
        (half_a_file, ""),
        (no_lines, "it is missing"),
        (no_repeats, "it is missing"),
        (half_a_manifest, "it cannot be read as a manifest"),
        (another_part, "its content hashes to"),
        (another_month, "its content hashes to"),
        (no_month, "its month is none"),
    ],
)
def test_damage_is_seen(
    local: SnapshotStore, make: Make, tmp_path: Path, damage: Callable[[Path, Path], None], problem: str
) -> None:
    stored = local.write(make(local))
    october = next(place.part for place in stored.places() if place.slice == "2026-10")
    damage(tmp_path / "home/taken/2026-10" / stored.id, tmp_path / "home/parts" / october)
    with pytest.raises(SnapshotDamaged) as caught:
        assert local.read(stored.id).lines.height
    assert caught.value.problem.startswith(problem)
    assert "--full" in str(caught.value)


def test_a_part_written_again_is_whole_again(local: SnapshotStore, make: Make, tmp_path: Path) -> None:
    stored = local.write(make(local))
    (place, *_) = stored.places()
    other_kilograms(tmp_path, tmp_path / "home/parts" / place.part)
    make(local)
    assert local.read(stored.id).lines.height == 2


def test_a_failure_is_told_as_itself_and_spares_the_parts_of_a_manifest_that_cannot_be_read(
    local: SnapshotStore, make: Make, tmp_path: Path
) -> None:
    stored = local.write(make(local))
    (tmp_path / "home/taken/2026-10" / stored.id / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match="the source went away"), local.writing():
        raise ValueError("the source went away")
    assert len(list((tmp_path / "home/parts").iterdir())) == 3
