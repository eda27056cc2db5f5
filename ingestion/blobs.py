"""A folder of files that appear whole or not at all: on this machine, or anywhere that fsspec reaches."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

import fsspec  # type: ignore[import-untyped]  # it ships no types

from ingestion.snapshot_errors import BadStore

_INCOMING = ".incoming"
_LOCK = ".lock"


class Blobs(Protocol):
    """Named bytes under one root; names have forward slashes, none begins with a dot."""

    @property
    def place(self) -> str:
        """Where they are, for messages."""
        ...

    @property
    def has_locks(self) -> bool:
        """Whether `alone` keeps other writers out."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of this name; raises `FileNotFoundError`."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Put bytes under a name, in one step: a reader finds the old ones, or the new, or none."""
        ...

    def names(self, folder: str) -> list[str]:
        """All names under a folder, sorted."""
        ...

    def remove(self, name: str) -> None:
        """Forget a name; no error if it is not there."""
        ...

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only writer, where the place has locks; leftovers of dead writers are swept."""
        ...

    def evict(self, writer: str) -> None:
        """Be alone without this writer, who is known to be dead or frozen; nothing if it is not writing."""
        ...


def open_blobs(where: Path | str, writer: str = "") -> Blobs:
    """A folder, or a URL such as `abfs://container/path` or `s3://bucket/path`; raises `BadStore`.

    `writer` is the name by which a writer can be evicted.
    """
    if isinstance(where, Path) or "://" not in where:
        return LocalBlobs(Path(where), writer)
    try:
        system, root = fsspec.url_to_fs(where)
    except (ImportError, ValueError) as error:
        raise BadStore(where, str(error)) from None
    return RemoteBlobs(system, root, where)


class LocalBlobs:
    """A folder of this machine. Files are written aside, flushed to the disk, then renamed into place.

    <folder>/.incoming/…   being written; whatever a dead writer left is swept by the next one
    <folder>/.lock         locked by the only writer, whose name is in it
    """

    has_locks = True

    def __init__(self, folder: Path, writer: str = "") -> None:
        self.folder = folder
        self._writer = writer
        self._lock: TextIO | None = None

    @property
    def place(self) -> str:
        return str(self.folder)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        try:
            self._write(self.folder / name, content)
        except OSError as error:
            raise BadStore(self.place, f"{name} cannot be written ({error.strerror})") from None

    def _write(self, path: Path, content: bytes) -> None:
        self._check_alone()
        incoming = self.folder / _INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        aside = incoming / uuid.uuid4().hex
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.replace(path)
        _flush(path.parent)

    def names(self, folder: str) -> list[str]:
        found = (self.folder / folder).rglob("*")
        return sorted(path.relative_to(self.folder).as_posix() for path in found if path.is_file())

    def remove(self, name: str) -> None:
        self._check_alone()
        path = self.folder / name
        path.unlink(missing_ok=True)
        if path.parent != self.folder and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    @contextmanager
    def alone(self) -> Iterator[None]:
        incoming = self.folder / _INCOMING
        try:
            incoming.mkdir(parents=True, exist_ok=True)
            lock = self._locked()
        except OSError as error:
            raise BadStore(self.place, f"it cannot be written ({error.strerror})") from None
        # The lock falls with its process, so what lies aside once we hold it is left over from a dead one.
        with lock:
            lock.truncate(0)
            lock.write(self._writer)
            lock.flush()
            for leftover in incoming.iterdir():
                leftover.unlink()
            self._lock = lock
            try:
                yield
            finally:
                self._lock = None
                lock.truncate(0)

    def evict(self, writer: str) -> None:
        path = self.folder / _LOCK
        # Who holds the lock of a file that is gone keeps nobody out; the next one makes a new file.
        if path.exists() and path.read_text() == writer:
            path.unlink()

    def _locked(self) -> TextIO:
        """The lock file, ours alone; one that was removed while we waited for it is no longer the lock."""
        while True:
            file = (self.folder / _LOCK).open("a")
            fcntl.flock(file, fcntl.LOCK_EX)
            if self._is_the_lock(file):
                return file
            file.close()

    def _is_the_lock(self, file: TextIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), (self.folder / _LOCK).stat())
        except FileNotFoundError:
            return False

    def _check_alone(self) -> None:
        """Who was evicted writes no more: what it would forget may by now be needed."""
        if self._lock is not None and not self._is_the_lock(self._lock):
            raise BadStore(self.place, "this writer was taken for dead, and another has its place")


class RemoteBlobs:
    """An object store: a put appears whole, and there are no locks.

    None are needed: what is written is named by its content, so two writers write the same.
    """

    has_locks = False

    def __init__(self, system: fsspec.AbstractFileSystem, root: str, place: str) -> None:
        self._system = system
        self._root = root.rstrip("/")
        self.place = place

    def read(self, name: str) -> bytes:
        return bytes(self._system.cat_file(self._path(name)))

    def write(self, name: str, content: bytes) -> None:
        path = self._path(name)
        self._system.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self._system.pipe_file(path, content)

    def names(self, folder: str) -> list[str]:
        self._system.invalidate_cache()
        found = self._system.find(self._path(folder))
        root = self._system._strip_protocol(self._root)  # find() answers without the protocol
        return sorted(name.removeprefix(root).lstrip("/") for name in found)

    def remove(self, name: str) -> None:
        if self._system.exists(self._path(name)):
            self._system.rm_file(self._path(name))

    @contextmanager
    def alone(self) -> Iterator[None]:
        yield

    def evict(self, writer: str) -> None:
        """Nobody keeps anybody out."""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _flush(folder: Path) -> None:
    """Have the disk itself hold a folder's names before the next step relies on them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
