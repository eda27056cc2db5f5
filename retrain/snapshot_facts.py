"""What the serving tables keep of a snapshot, from its manifest."""

from app.store.snapshots import ChangedMonth, Lines, SnapshotFacts, SnapshotSource
from forecasting.months import Month
from ingestion.snapshot import Manifest, Tally


def snapshot_facts(manifest: Manifest) -> SnapshotFacts:
    """A snapshot's account of itself without its parts and hashes."""
    return SnapshotFacts(
        id=manifest.id,
        month=Month.parse(manifest.month),
        taken_at=manifest.taken_at,
        code_version=manifest.code_version,
        unit=manifest.unit,
        parent=manifest.parent,
        accepted=manifest.accepted,
        sources=tuple(
            SnapshotSource(
                name=each.name,
                dialect=each.dialect,
                consistency=each.consistency,
                kept=_lines(each.kept),
                later=each.later,
                set_aside={reason: _lines(tally) for reason, tally in each.set_aside.items()},
            )
            for each in manifest.sources
        ),
        changes=tuple(
            ChangedMonth(each.source, each.month, _lines(each.before), _lines(each.after))
            for each in manifest.changes
        ),
    )


def _lines(tally: Tally) -> Lines:
    return Lines(tally.lines, tally.quantity)
