"""What can be wrong between a source database and a sealed snapshot.

IngestionError
├── BadSourceConfig     a table under `[sources]`, `[master]`, … that cannot be followed
│   └── UnknownColumn   the mapping names a column that the query does not yield
├── MissingEnvironment  `env:NAME`, and the environment has no NAME
├── SourceUnreachable   nothing answers at the source's address
├── SourceRefused       it answers, and refuses this user, password or database
├── QueryFailed         the source could not run the query to its end
├── EmptySource         the query yields no line up to the month
├── TooManyRejects      more lines or kilograms are set aside than the source's limits allow
├── ClosedMonthChanged  a month that was over has changed more than it may
├── EmptyMonth          the snapshot has no line in its own month
├── UnknownKey          a hierarchy key that order lines do not have
├── UnknownSnapshot     no snapshot has this id
└── SnapshotDamaged     a stored snapshot is not what was written
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from forecasting.months import Month


class IngestionError(Exception):
    """Base of the room's errors; each message names the place, the value seen and the remedy."""


class BadSourceConfig(IngestionError):
    """A table under `[sources]`, `[master]`, `[snapshots]` or `[demand]` that cannot be followed."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        self.where = where
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{where}: {problem}; {remedy}")


class UnknownColumn(BadSourceConfig):
    """The mapping names a column that the query does not yield."""

    def __init__(self, source: str, field: str, column: str, available: Sequence[str]) -> None:
        self.source = source
        self.field = field
        self.column = column
        self.available = tuple(available)
        super().__init__(
            f"[sources.{source}.columns] {field}",
            f"the source has no column {column!r}",
            f"it has {', '.join(self.available)}",
        )


class MissingEnvironment(IngestionError):
    """A database's URL is kept in an environment variable that is not set."""

    def __init__(self, where: str, variable: str) -> None:
        self.where = where
        self.variable = variable
        super().__init__(
            f"{where} url: the environment variable {variable} is not set; "
            f"set it to the database's URL, for example postgresql://user:password@host/database"
        )


class SourceUnreachable(IngestionError):
    """Nothing answers at the source's address."""

    def __init__(self, source: str, address: str, variable: str, detail: str) -> None:
        self.source = source
        self.address = address
        self.variable = variable
        self.detail = detail
        super().__init__(
            f"source {source!r} cannot be reached at {address}: {detail}; "
            f"check that it runs, and the host and port in {variable}"
        )


class SourceRefused(IngestionError):
    """The source answers, and refuses this user, password or database."""

    def __init__(self, source: str, address: str, variable: str, detail: str) -> None:
        self.source = source
        self.address = address
        self.variable = variable
        self.detail = detail
        super().__init__(
            f"source {source!r} at {address} refuses the connection: {detail}; "
            f"check user, password and database in {variable}"
        )


class QueryFailed(IngestionError):
    """The source could not run the query to its end; nothing of its result is used."""

    def __init__(self, source: str, detail: str) -> None:
        self.source = source
        self.detail = detail
        super().__init__(
            f"the query of source {source!r} failed: {detail}; "
            f"try the query or table of [sources.{source}] in the database itself"
        )


class EmptySource(IngestionError):
    """The query yields no line up to the month."""

    def __init__(self, source: str, month: Month) -> None:
        self.source = source
        self.month = month
        super().__init__(
            f"source {source!r} has no order line up to the end of {month}; "
            f"check its query or table, and the month"
        )


class RejectCount(NamedTuple):
    """How many lines share a reason, what they add up to without their signs, and one of them."""

    reason: str
    lines: int
    quantity: int
    line: str | None
    field: str
    value: str | None


class TooManyRejects(IngestionError):
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


class MonthChange(NamedTuple):
    """What a source's month added up to in one snapshot and in the next."""

    source: str
    month: Month
    before: int
    after: int


class ClosedMonthChanged(IngestionError):
    """A month that was over has changed since the last snapshot by more than it may."""

    def __init__(self, changes: Sequence[MonthChange], limit: float, unit: str) -> None:
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


class EmptyMonth(IngestionError):
    """The snapshot has no line in its own month, so its history would end in an invented zero."""

    def __init__(self, month: Month, newest: Month | None) -> None:
        self.month = month
        self.newest = newest
        super().__init__(
            f"no order line is dated in {month}; the newest month with lines is {newest}: "
            f"use --month {newest}, or ingest again when {month} has been recorded"
            if newest
            else f"no order line is left up to {month}: all were set aside; see the snapshot's rejects"
        )


class UnknownKey(IngestionError):
    """A hierarchy key that order lines do not have."""

    def __init__(self, key: str, available: Sequence[str]) -> None:
        self.key = key
        self.available = tuple(available)
        super().__init__(f"[hierarchy] keys: {key!r} is not a key; keys are {', '.join(available)}")


class UnknownSnapshot(IngestionError):
    """No snapshot has this id."""

    def __init__(self, snapshot_id: str, folder: Path) -> None:
        self.snapshot_id = snapshot_id
        self.folder = folder
        super().__init__(f"{folder} holds no snapshot {snapshot_id!r}; ingest the month first")


class SnapshotDamaged(IngestionError):
    """A stored snapshot is not what was written."""

    def __init__(self, folder: Path, problem: str) -> None:
        self.folder = folder
        self.problem = problem
        super().__init__(
            f"the snapshot in {folder} is damaged: {problem}; "
            f"restore it from a backup, or remove that folder and ingest the month again"
        )


def _short(value: str | None) -> str:
    """A value as it stands in a message: quoted, never longer than a line's worth."""
    if value is None:
        return "empty"
    return repr(value if len(value) <= 40 else value[:37] + "...")
