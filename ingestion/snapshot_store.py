"""Where snapshots are kept: parts once each, and a manifest that makes a snapshot of them.

<place>/parts/<hash>/lines.parquet       the lines of one slice, rejects.parquet beside them if it has any
<place>/taken/<month>/<id>/manifest.json written last: before it there is no snapshot
                           repeats.parquet, master.<key>.parquet
<place>/newest.json                      which one was taken last; the only file that is ever written again
<place>/refused/<month>-<id>.csv         what was set aside by a run that was refused

Nothing else is ever changed. A part without a manifest that names it is never read.
"""

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

import polars as pl
from pydantic import ValidationError

from forecasting.errors import BadMonth
from forecasting.months import Month
from ingestion.blobs import Blobs
from ingestion.master_data import MasterData
from ingestion.order_line import PART_LINES, PART_REJECTS
from ingestion.part import Part, content_hash
from ingestion.snapshot import REPEATS, LastTaken, Manifest, Snapshot, SourceRecord, snapshot_id
from ingestion.snapshot_errors import SnapshotDamaged, UnknownSnapshot

_PARTS = "parts"
_TAKEN = "taken"
_MANIFEST = "manifest.json"
_REPEATS = "repeats.parquet"
_NEWEST = "newest.json"


class SnapshotStore:
    """Snapshots in one place, one writer at a time, any number of readers."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    @property
    def place(self) -> str:
        return self._blobs.place

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer. What fails leaves no part behind that no snapshot has."""
        with self._blobs.alone():
            try:
                yield
            except BaseException:
                if self._blobs.has_locks:
                    # While a manifest cannot be read, nobody knows which parts it needs.
                    with suppress(SnapshotDamaged):
                        self._forget(self.manifests(), ())
                raise

    def evict(self, writer: str) -> None:
        """Let others write although this writer, known to be dead or frozen, has not ended."""
        self._blobs.evict(writer)

    def write_part(self, part: Part) -> None:
        """Keep a part; one that is there already is written again, which mends it if it was damaged."""
        home = f"{_PARTS}/{part.id}"
        if part.rejects.height:
            self._blobs.write(f"{home}/rejects.parquet", _parquet(part.rejects))
        self._blobs.write(f"{home}/lines.parquet", _parquet(part.lines))

    def read_part(self, part_id: str) -> Part:
        """The part of this hash; raises `SnapshotDamaged` if it is missing or says something else."""
        home = f"{_PARTS}/{part_id}"
        lines = self._table(f"{home}/lines.parquet", PART_LINES)
        rejects = self._table(f"{home}/rejects.parquet", PART_REJECTS, needed=False)
        found = content_hash({"lines": lines, "rejects": rejects})
        if found != part_id:
            raise SnapshotDamaged(f"{self.place}/{home}", f"its content hashes to {found}")
        return Part(part_id, lines, rejects)

    def write(self, snapshot: Snapshot) -> Snapshot:
        """Keep a snapshot whose parts are kept, and give back what is stored under its id.

        An id that is there already is left as it is, with the manifest of the first time.
        """
        home = f"{_TAKEN}/{snapshot.month}/{snapshot.id}"
        if f"{home}/{_MANIFEST}" in self._blobs.names(home):
            return self.read(snapshot.id)
        self._blobs.write(f"{home}/{_REPEATS}", _parquet(snapshot.repeats))
        for key, table in snapshot.master.tables.items():
            self._blobs.write(f"{home}/master.{key}.parquet", _parquet(table))
        manifest = snapshot.manifest.model_dump_json(indent=1) + "\n"
        self._blobs.write(f"{home}/{_MANIFEST}", manifest.encode())
        return snapshot

    def read(self, wanted: str) -> Snapshot:
        """The snapshot of an id, or of the only one that begins so.

        Raises `UnknownSnapshot`, or `SnapshotDamaged` where what is stored does not deserve its id. Parts
        are read, and their hashes compared, when they are asked for.
        """
        home = self._home(wanted)
        manifest = self._manifest(f"{home}/{_MANIFEST}")
        try:
            month = Month.parse(manifest.month)
        except BadMonth as error:
            raise SnapshotDamaged(f"{self.place}/{home}", "its month is none") from error
        repeats = self._table(f"{home}/{_REPEATS}", REPEATS)
        master = MasterData(
            {each.key: self._table(f"{home}/master.{each.key}.parquet", None) for each in manifest.master},
            {name: each.key for each in manifest.master for name in each.attributes},
            {each.key: each.conflicts for each in manifest.master},
        )
        snapshot = Snapshot(manifest.id, month, manifest, master, repeats, self.read_part)
        found = snapshot_id(month, manifest.demand, snapshot.places(), master, repeats)
        if not manifest.id == found == home.split("/")[-1]:
            raise SnapshotDamaged(f"{self.place}/{home}", f"its content hashes to {found}")
        return snapshot

    def manifests(self) -> tuple[Manifest, ...]:
        """The manifests of all snapshots, oldest month first, then in the order they were taken."""
        manifests = [self._manifest(name) for name in self._names()]
        return tuple(sorted(manifests, key=lambda each: (each.month, each.taken_at, each.id)))

    def newest(self) -> Snapshot | None:
        """The snapshot taken last, of whatever month."""
        last = self._last()
        if last and any(name.split("/")[-2] == last.id for name in self._names()):
            return self.read(last.id)
        taken = max(self.manifests(), key=lambda each: (each.taken_at, each.id), default=None)
        return self.read(taken.id) if taken else None

    def seen(self, snapshot: Snapshot) -> tuple[SourceRecord, ...]:
        """What the sources said of themselves when a snapshot was last found to be theirs."""
        last = self._last()
        return last.sources if last and last.id == snapshot.id else snapshot.manifest.sources

    def point_to(self, snapshot: Snapshot, sources: tuple[SourceRecord, ...]) -> None:
        """Make a stored snapshot the newest."""
        last = LastTaken(id=snapshot.id, sources=sources)
        if last != self._last():
            self._blobs.write(_NEWEST, last.model_dump_json().encode())

    def keep_rejects(self, name: str, rejects: pl.DataFrame) -> str:
        """Write what a refused run set aside, for people to look at; where it is."""
        path = f"refused/{name}.csv"
        self._blobs.write(path, rejects.write_csv().encode())
        return f"{self.place}/{path}"

    def forget(self, unwanted: Callable[[Sequence[Manifest]], Collection[str]]) -> tuple[int, int]:
        """Remove the snapshots that `unwanted` picks from all, and every part that no other names.

        How many snapshots, and parts. Waits for whoever is writing.
        """
        with self._blobs.alone():
            manifests = self.manifests()
            ids = unwanted(manifests)
            return len(ids), self._forget(manifests, ids)

    def _last(self) -> LastTaken | None:
        try:
            return LastTaken.model_validate_json(self._blobs.read(_NEWEST))
        except (OSError, ValidationError):
            return None  # it is no more than a shortcut

    def _forget(self, manifests: Sequence[Manifest], unwanted: Collection[str]) -> int:
        needed = set()
        for manifest in manifests:
            if manifest.id in unwanted:
                home = f"{_TAKEN}/{manifest.month}/{manifest.id}"
                names = self._blobs.names(home)
                for name in sorted(names, key=lambda each: not each.endswith(_MANIFEST)):
                    self._blobs.remove(name)
            else:
                needed |= {part.part for source in manifest.sources for part in source.slices}
        orphans = [name for name in self._blobs.names(_PARTS) if name.split("/")[1] not in needed]
        for name in orphans:
            self._blobs.remove(name)
        return len({name.split("/")[1] for name in orphans})

    def _names(self) -> list[str]:
        return [name for name in self._blobs.names(_TAKEN) if name.endswith(f"/{_MANIFEST}")]

    def _home(self, wanted: str) -> str:
        homes = [name.rsplit("/", 1)[0] for name in self._names()]
        found = [home for home in homes if wanted and home.split("/")[-1].startswith(wanted)]
        exact = [home for home in found if home.split("/")[-1] == wanted]
        if len(exact or found) != 1:
            raise UnknownSnapshot(wanted, self.place, len(found))
        return (exact or found)[0]

    def _manifest(self, name: str) -> Manifest:
        try:
            return Manifest.model_validate_json(self._blobs.read(name))
        except (OSError, ValidationError) as error:
            raise SnapshotDamaged(f"{self.place}/{name}", "it cannot be read as a manifest") from error

    def _table(self, name: str, schema: pl.Schema | None, *, needed: bool = True) -> pl.DataFrame:
        try:
            content = self._blobs.read(name)
        except FileNotFoundError:
            if needed or schema is None:
                raise SnapshotDamaged(f"{self.place}/{name}", "it is missing") from None
            return schema.to_frame()
        try:
            table = pl.read_parquet(io.BytesIO(content))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise SnapshotDamaged(f"{self.place}/{name}", str(error).split("\n")[0]) from error
        if schema is not None and table.schema != schema:
            raise SnapshotDamaged(f"{self.place}/{name}", "its columns are not a snapshot's")
        return table


def _parquet(table: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_parquet(content, compression="lz4")
    return content.getvalue()
