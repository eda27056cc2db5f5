"""A writer that is frozen keeps the others out until it is evicted; after that it can do no harm."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ingestion.blobs import open_blobs
from ingestion.order_line import LINES
from ingestion.snapshot import Snapshot
from ingestion.snapshot_errors import BadStore
from ingestion.snapshot_store import SnapshotStore


@pytest.fixture
def make(sealed: Callable[..., Snapshot]) -> Callable[[SnapshotStore], Snapshot]:
    rows = [("erp", "1", "NORD", "K-104", "HEB-200", date(2026, 10, 14), 12_500)]
    return lambda store: sealed(pl.DataFrame(rows, schema=LINES, orient="row"), store=store)


def store(folder: Path, writer: str) -> SnapshotStore:
    return SnapshotStore(open_blobs(folder, writer))


def test_another_writes_and_what_the_first_does_later_changes_nothing(
    tmp_path: Path, make: Callable[[SnapshotStore], Snapshot]
) -> None:
    frozen, other = store(tmp_path, "anna"), store(tmp_path, "bert")
    with ExitStack() as anna:
        anna.enter_context(frozen.writing())
        make(frozen)
        other.evict("anna")
        with other.writing():
            taken = other.write(make(other))
        with pytest.raises(BadStore, match="taken for dead"):
            make(frozen)  # awake again
    assert other.read(taken.id).lines.height == 1


def test_its_failure_removes_nothing_that_is_needed_by_now(
    tmp_path: Path, make: Callable[[SnapshotStore], Snapshot]
) -> None:
    frozen, other = store(tmp_path, "anna"), store(tmp_path, "bert")
    given: list[Snapshot] = []
    with ExitStack() as bert:

        def fail() -> Snapshot:
            with frozen.writing():
                make(frozen)
                other.evict("anna")
                bert.enter_context(other.writing())
                given.append(make(other))  # its part is there, its manifest not yet
                raise ConnectionResetError

        with pytest.raises(BadStore, match="taken for dead"):
            fail()
        other.write(given[0])
    assert other.read(given[0].id).lines.height == 1


def test_only_who_is_meant_is_evicted(tmp_path: Path, make: Callable[[SnapshotStore], Snapshot]) -> None:
    writer, other = store(tmp_path, "anna"), store(tmp_path, "bert")
    other.evict("anna")  # there is no lock yet
    with writer.writing():
        other.evict("bert")
        make(writer)
    other.evict("anna")  # it has ended, and somebody else may just be coming in
    assert (tmp_path / ".lock").exists()
    with writer.writing():
        make(writer)


def test_who_waited_for_the_evicted_one_waits_for_its_successor(tmp_path: Path) -> None:
    frozen, waiting, other = (store(tmp_path, name) for name in ("anna", "carl", "bert"))

    def wait() -> None:
        with waiting.writing():
            pass

    with ThreadPoolExecutor(1) as pool, ExitStack() as bert:
        with frozen.writing():
            waited = pool.submit(wait)
            with pytest.raises(TimeoutError):
                waited.result(0.2)
            other.evict("anna")
            bert.enter_context(other.writing())
        # The lock that it waited for is free, but is not the lock any more.
        with pytest.raises(TimeoutError):
            waited.result(0.2)
        bert.close()
        waited.result(60)
