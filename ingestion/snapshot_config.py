"""What `tonnage.toml` says of snapshots as a whole.

[snapshots]
max_change = 0.1    # stop when a closed month of a source changed by more than this share since the last one
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ingestion.toml_table import as_share, as_table, refuse_unknown


@dataclass(frozen=True, slots=True)
class SnapshotConfig:
    """The part of the configuration that is about snapshots: build it with `parse_snapshots`."""

    max_change: float = 0.1


def parse_snapshots(document: Mapping[str, object]) -> SnapshotConfig:
    """`[snapshots]` of a parsed `tonnage.toml`; raises `BadSourceConfig`."""
    table = as_table(document.get("snapshots", {}), "[snapshots]")
    refuse_unknown(table, ("max_change",), "[snapshots]")
    default = SnapshotConfig()
    share = as_share(table.get("max_change", default.max_change), "[snapshots] max_change", "a month")
    return SnapshotConfig(share)
