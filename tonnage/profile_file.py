"""From a stored snapshot to its profile's page."""

from dataclasses import dataclass
from pathlib import Path

from ingestion.profile import Profile, profile
from ingestion.snapshot_errors import UnknownSnapshot
from ingestion.snapshot_store import SnapshotStore
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
    """Profile the snapshot that `wanted` names, the one taken last if it is None, and write its page.

    A name is an id or its beginning. Raises `UnknownSnapshot`, `SnapshotDamaged`, or, before any line is
    read, `BadOutput`.
    """
    snapshot = store.newest() if wanted is None else store.read(wanted)
    if snapshot is None:
        raise UnknownSnapshot("newest", store.place, 0)
    target = output or Path(f"profile-{snapshot.id[:_SHOWN]}.html")
    check_output(target, (".html",))
    found = profile(snapshot.lines, snapshot.rejects, snapshot.month, snapshot.demand)
    manifest = snapshot.manifest
    title = SnapshotTitle(snapshot.id, f"{manifest.taken_at:%Y-%m-%d %H:%M %Z}", manifest.code_version)
    page = profile_page(found, title)
    write_whole(target, lambda path: path.write_text(page, encoding="utf-8"))
    return WrittenProfile(snapshot.id, found, target)
