"""The folder of snapshots: written aside, moved into place in one step, never changed.

<folder>/.incoming/…                        being written; whatever a dead writer left is swept
<folder>/<month>/<id>/lines.parquet
                      rejects.parquet
                      manifest.json
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from forecasting.errors import BadMonth
from forecasting.months import Month
from ingestion.errors import SnapshotDamaged, UnknownSnapshot
from ingestion.order_line import LINES, REJECTS
from ingestion.snapshot import Manifest, Snapshot, content_id

_INCOMING = ".incoming"
_LINES = "lines.parquet"
_REJECTS = "rejects.parquet"
_MANIFEST = "manifest.json"


class SnapshotStore:
    """Snapshots under a folder, one writer at a time, any number of readers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, snapshot: Snapshot) -> Snapshot:
        """Keep a snapshot, and give back what is stored under its id.

        An id that is there already is left as it is, with the manifest of the first time. Raises
        `SnapshotDamaged` when what is there does not deserve its id.
        """
        home = self.folder / str(snapshot.month) / snapshot.id
        with self._only_writer() as incoming:
            if home.exists():
                return self.read(snapshot.id)
            aside = incoming / snapshot.id
            aside.mkdir()
            snapshot.lines.write_parquet(aside / _LINES)
            snapshot.rejects.write_parquet(aside / _REJECTS)
            (aside / _MANIFEST).write_text(snapshot.manifest.model_dump_json(indent=2) + "\n")
            for path in (*aside.iterdir(), aside):
                _flush(path)
            home.parent.mkdir(exist_ok=True)
            aside.rename(home)
            _flush(home.parent)
            _flush(self.folder)
        return snapshot

    def read(self, snapshot_id: str) -> Snapshot:
        """The snapshot of this id; raises `UnknownSnapshot`, or `SnapshotDamaged` if its hash is wrong."""
        folder = self._find(snapshot_id)
        manifest = _read_manifest(folder)
        month = _month(folder)
        try:
            lines, rejects = pl.read_parquet(folder / _LINES), pl.read_parquet(folder / _REJECTS)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise SnapshotDamaged(folder, str(error).split("\n")[0]) from error
        if lines.schema != LINES or rejects.schema != REJECTS:
            raise SnapshotDamaged(folder, "its tables have other columns than a snapshot's")
        found = content_id(month, manifest.demand, lines, rejects)
        if not snapshot_id == manifest.id == found:
            raise SnapshotDamaged(folder, f"its content hashes to {found}")
        return Snapshot(snapshot_id, month, lines, rejects, manifest)

    def list(self) -> tuple[Manifest, ...]:
        """The manifests of all snapshots, oldest month first, then in the order they were taken."""
        manifests = [_read_manifest(path.parent) for path in self.folder.glob(f"[!.]*/*/{_MANIFEST}")]
        return tuple(sorted(manifests, key=lambda each: (each.month, each.taken_at, each.id)))

    def _find(self, snapshot_id: str) -> Path:
        for month in self.folder.glob("[!.]*"):
            if snapshot_id and (month / snapshot_id).is_dir():
                return month / snapshot_id
        raise UnknownSnapshot(snapshot_id, self.folder)

    @contextmanager
    def _only_writer(self) -> Iterator[Path]:
        """The empty incoming folder, ours alone: the lock falls with its process, so what lies there is
        left over from a dead one."""
        incoming = self.folder / _INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for leftover in incoming.iterdir():
                shutil.rmtree(leftover)
            yield incoming


def _read_manifest(folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((folder / _MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise SnapshotDamaged(folder, f"its {_MANIFEST} cannot be read") from error


def _month(folder: Path) -> Month:
    try:
        return Month.parse(folder.parent.name)
    except BadMonth as error:
        raise SnapshotDamaged(folder, "its folder is not named by a month") from error


def _flush(path: Path) -> None:
    """Have the disk itself hold a file or folder before the next step relies on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
