"""What can be wrong with a snapshot as a whole: the part of `ingestion.errors` that is about these.

IngestionError
├── BeyondLimits        a snapshot that nobody may use before a person has accepted it
│   ├── TooManyRejects      more is set aside than the source's limits allow
│   └── ClosedMonthChanged  a month that was over has changed more than it may
├── BadStore            the place for snapshots cannot be opened
├── UnknownSnapshot     no snapshot has this id
└── SnapshotDamaged     a stored snapshot is not what was written
"""

from collections.abc import Sequence
from typing import NamedTuple

from forecasting.months import Month
from ingestion.errors import IngestionError


class RejectCount(NamedTuple):
    """How many lines share a reason, what they add up to without their signs, and one of them."""

    reason: str
    lines: int
    quantity: int
    line: str | None
    field: str
    value: str | None


class BeyondLimits(IngestionError):
    """A snapshot that a limit holds back until a person accepts it, for a reason.

    `kept_in` is where the lines set aside can be looked at.
    """

    kept_in: str | None = None

    def __str__(self) -> str:
        kept = f"\nall lines set aside are in {self.kept_in}" if self.kept_in else ""
        return f"{super().__str__()}{kept}"


class BadStore(IngestionError):
    """The place for snapshots cannot be opened."""

    def __init__(self, place: str, problem: str) -> None:
        self.place = place
        self.problem = problem
        super().__init__(
            f"snapshots cannot be kept in {place}: {problem}; let TONNAGE_SNAPSHOTS name a folder that can "
            f"be written, or a URL whose file system is installed (adlfs for abfs://, s3fs for s3://)"
        )


class TooManyRejects(BeyondLimits):
    """More is set aside than one of the source's limits allows, in lines or in quantity."""

    def __init__(
        self,
        source: str,
        setting: str,
        limit: float,
        counts: Sequence[RejectCount],
        *,
        lines: int,
        quantity: int,
        unit: str,
    ) -> None:
        self.source = source
        self.setting = setting
        self.limit = limit
        self.counts = tuple(counts)
        self.rejected = sum(each.lines for each in counts)
        self.rejected_quantity = sum(each.quantity for each in counts)
        self.lines = lines
        self.quantity = quantity
        reasons = ", ".join(
            f"{each.reason} {each.lines} (line {_short(each.line)}: {each.field} = {_short(each.value)})"
            for each in counts
        )
        super().__init__(
            f"source {source!r}: {self.rejected} of {lines} lines are rejected, "
            f"{self.rejected_quantity:,} of {quantity:,} {unit}, "
            f"more than {setting} = {limit:g}: {reasons}\n"
            f"correct the lines or the mapping in [sources.{source}.columns], "
            f'raise [sources.{source}] {setting}, or ingest once with --accept "why"'
        )


class ChangedMonth(NamedTuple):
    """What a source's month added up to in one snapshot and in the next."""

    source: str
    month: Month
    before: int
    after: int


class ClosedMonthChanged(BeyondLimits):
    """A month that was over has changed since the last snapshot by more than it may."""

    def __init__(self, changes: Sequence[ChangedMonth], limit: float, unit: str) -> None:
        self.changes = tuple(changes)
        self.limit = limit
        shown = ", ".join(
            f"{each.month} of source {each.source!r} from {each.before:,} to {each.after:,} {unit}"
            for each in self.changes[:5]
        )
        more = f" and {len(self.changes) - 5} more" if len(self.changes) > 5 else ""
        super().__init__(
            f"closed months changed by more than max_change = {limit:g}: {shown}{more}\n"
            f"look into the source, then raise [snapshots] max_change, "
            f'or ingest once with --accept "why they changed"'
        )


class UnknownSnapshot(IngestionError):
    """No snapshot, or more than one, has an id that begins so."""

    def __init__(self, wanted: str, place: str, found: int) -> None:
        self.wanted = wanted
        self.place = place
        self.found = found
        super().__init__(
            f"{found} snapshots in {place} begin with {wanted!r}; write more of the id"
            if found
            else f"{place} holds no snapshot {wanted!r}; `tonnage snapshots list` shows those it has"
        )


class SnapshotDamaged(IngestionError):
    """A stored snapshot is not what was written."""

    def __init__(self, place: str, problem: str) -> None:
        self.place = place
        self.problem = problem
        super().__init__(
            f"the snapshot in {place} is damaged: {problem}; "
            f"restore it from a backup, or ingest the month again with --full"
        )


def _short(value: str | None) -> str:
    """A value as it stands in a message: quoted, never longer than a line's worth."""
    if value is None:
        return "empty"
    return repr(value if len(value) <= 40 else value[:37] + "...")
