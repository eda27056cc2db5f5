"""From a stored snapshot to its profile's page."""

from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import UnknownSnapshot
from ingestion.profile import Profile, profile
from ingestion.snapshot_store import SnapshotStore
from tonnage.errors import AmbiguousSnapshot
from tonnage.forecast_file import check_output, write_whole
from tonnage.profile_page import SnapshotTitle, profile_page

_SHOWN = 12


@dataclass(frozen=True)
class WrittenProfile:
    """The profile of a snapshot, and the page that shows it."""

    snapshot: str
    profile: Profile
    page: Path


def profile_snapshot(store: SnapshotStore, wanted: str | None, output: Path | None) -> WrittenProfile:
    """Profile the snapshot that `wanted` names, the newest if it is None, and write its page.

    A name is an id or its beginning. Raises `UnknownSnapshot`, `AmbiguousSnapshot`, `SnapshotDamaged` or
    `BadOutput`, the last before anything is read.
    """
    snapshot_id = find_snapshot(store, wanted)
    target = output or Path(f"profile-{snapshot_id[:_SHOWN]}.html")
    check_output(target, (".html",))
    snapshot = store.read(snapshot_id)
    found = profile(snapshot.lines, snapshot.rejects, snapshot.month, snapshot.demand)
    manifest = snapshot.manifest
    title = SnapshotTitle(snapshot.id, f"{manifest.taken_at:%Y-%m-%d %H:%M %Z}", manifest.code_version)
    page = profile_page(found, title)
    write_whole(target, lambda path: path.write_text(page, encoding="utf-8"))
    return WrittenProfile(snapshot.id, found, target)


def find_snapshot(store: SnapshotStore, wanted: str | None) -> str:
    """The id that begins with `wanted`, or the id of the newest month's last snapshot."""
    ids = [manifest.id for manifest in store.list()]
    if wanted is None:
        if not ids:
            raise UnknownSnapshot("newest", store.folder)
        return ids[-1]
    found = [each for each in ids if wanted and each.startswith(wanted)]
    if not found:
        raise UnknownSnapshot(wanted, store.folder)
    if len(found) > 1:
        raise AmbiguousSnapshot(wanted, found)
    return found[0]
