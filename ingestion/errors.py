"""What can be wrong between a source database and a sealed snapshot.

IngestionError
├── BadSourceConfig     a table under `[sources]`, `[master]`, … that cannot be followed
│   └── UnknownColumn   the mapping names a column that the query does not yield
├── MissingEnvironment  `env:NAME`, and the environment has no NAME
├── SourceUnreachable   nothing answers at the source's address
├── SourceRefused       it answers, and refuses this user, password or database
│   └── EncryptionRefused  it answers, and an encrypted connection to it does not come about
├── DriverMissing       the driver of a source, or a library that it needs, is not installed
├── QueryFailed         the source could not run the query to its end
│   └── ConnectionLost  it went away while it was being read
├── SourceMoved         what was read is not what the source says that it has
├── EmptySource         the query yields no line up to the month
├── EmptyMonth          the snapshot has no line in its own month
├── UnknownKey          a hierarchy key that order lines do not have
└── …                   those of `ingestion.snapshot_errors`
"""

from collections.abc import Sequence

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
        place = source if source.startswith("master.") else f"sources.{source}"
        super().__init__(
            f"[{place}.columns] {field}",
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


class EncryptionRefused(SourceRefused):
    """The source answers, and an encrypted connection that can be trusted does not come about."""

    def __init__(self, source: str, address: str, variable: str, detail: str) -> None:
        self.source = source
        self.address = address
        self.variable = variable
        self.detail = detail
        IngestionError.__init__(
            self,
            f"source {source!r} at {address}: no encrypted connection: {detail}; install the authority that "
            f"signed its certificate, or add to {variable} TrustServerCertificate=yes for any certificate, "
            f"Encrypt=no for none",
        )


class DriverMissing(IngestionError):
    """The driver that a source's URL names, or a library that the driver needs, is not installed."""

    def __init__(self, source: str, variable: str, problem: str, remedy: str) -> None:
        self.source = source
        self.variable = variable
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"source {source!r} ({variable}): {problem}; {remedy}")


class QueryFailed(IngestionError):
    """The source could not run the query to its end; nothing of its result is used."""

    def __init__(self, source: str, detail: str) -> None:
        self.source = source
        self.detail = detail
        super().__init__(
            f"the query of source {source!r} failed: {detail}; "
            f"try the query or table of [sources.{source}] in the database itself"
        )


class ConnectionLost(QueryFailed):
    """The source went away while it was being read; nothing of what it gave is used."""

    def __init__(self, source: str, detail: str) -> None:
        self.source = source
        self.detail = detail
        IngestionError.__init__(
            self,
            f"the connection to source {source!r} was lost while it was being read: {detail}; "
            f"nothing was stored, run the command again",
        )


class SourceMoved(IngestionError):
    """What was read and kept is not what the source itself says that it has, in one slice or more."""

    def __init__(self, source: str, measure: str, slices: Sequence[tuple[str, int, int]]) -> None:
        self.source = source
        self.measure = measure
        self.slices = tuple(slices)
        shown = ", ".join(
            f"{name or 'no date'}: {theirs} and {ours}" for name, theirs, ours in self.slices[:5]
        )
        super().__init__(
            f"source {source!r} and what was read from it differ in {measure}, source first: {shown}"
            f"{', …' if len(self.slices) > 5 else ''}; nothing was stored: run the command again, "
            f"and if it stays so, report it with these figures"
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
