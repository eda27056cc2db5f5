"""What can go wrong between a question and its answer.

AppError
├── Refused                 the question cannot be asked like this
│   ├── BadParameter        a value that does not read as what it should be
│   ├── UnknownParameter    a parameter that the resource does not have
│   ├── RepeatedParameter   a parameter given more than once
│   ├── UnknownLevel        a level that the run does not hold
│   ├── UnknownKey          a filter on what is neither a key nor an attribute of the run
│   ├── KeyOutsideLevel     a filter on a key or attribute that the level does not name
│   ├── UnknownQuantile     a quantile that the run does not hold
│   ├── OutsideRun          months before or after those of the run
│   ├── AmbiguousRun        more than one run has an id that begins so
│   ├── BadCursor           a cursor that this service did not give for this question
│   └── NotAcceptable       a format that the service does not speak
├── NotThere                the question is fine, the answer does not exist
│   ├── NothingPublished    no run yet
│   ├── UnknownRun          no run has this id
│   ├── NeverShown          the run was recorded and never shown
│   └── UnknownNode         no node has this value of a key or attribute
├── Unpublishable           a run that the serving tables cannot hold
├── BadDatabaseUrl          not the URL of a PostgreSQL database
├── UnsafeAddress           an address that strangers could reach
├── DatabaseUnavailable     PostgreSQL does not answer
└── SchemaBehind            the tables are not those of this version
"""

from collections.abc import Sequence
from urllib.parse import quote


class AppError(Exception):
    """Base of the app's errors: what happened, about which value of which field, and the remedy."""

    def __init__(
        self, detail: str, remedy: str, *, field: str | None = None, value: str | None = None
    ) -> None:
        self.detail = detail
        self.remedy = remedy
        self.field = field
        self.value = value
        super().__init__(f"{detail}; {remedy}")


class Refused(AppError):
    """The question cannot be asked like this."""


class BadParameter(Refused):
    """A value that does not read as what it should be."""


class UnknownParameter(Refused):
    """A parameter that the resource does not have."""

    def __init__(self, name: str, value: str, known: Sequence[str]) -> None:
        remedy = f"this resource takes {', '.join(known)}" if known else "this resource takes none"
        super().__init__(f"there is no parameter {name!r}", remedy, field=name, value=value)


class RepeatedParameter(Refused):
    """A parameter given more than once, so that which value counts would be a guess."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"{name!r} is given more than once", "give it once", field=name, value=value)


class UnknownLevel(Refused):
    """A level that the run does not hold."""

    def __init__(self, level: str, levels: Sequence[str]) -> None:
        self.levels = tuple(levels)
        remedy = f"ask for one of: {'; '.join(levels)}"
        super().__init__(f"the run has no level {level!r}", remedy, field="level", value=level)


class UnknownKey(Refused):
    """A filter on what is neither a key nor an attribute of the run."""

    def __init__(self, key: str, value: str, known: Sequence[str]) -> None:
        remedy = f"filter by {', '.join(known)}"
        super().__init__(f"the run has no key or attribute {key!r}", remedy, field=key, value=value)


class KeyOutsideLevel(Refused):
    """A filter on a key or attribute that the level does not name."""

    def __init__(self, key: str, value: str, level: str, levels: Sequence[str]) -> None:
        self.level = level
        self.levels = tuple(levels)
        detail = f"level {level!r} does not name {key}, so it cannot be filtered by {key}"
        named = f"ask for a level that names it ({'; '.join(levels)})" if levels else "no level names it"
        super().__init__(detail, f"{named} or drop the filter", field=key, value=value)


class UnknownQuantile(Refused):
    """A quantile that the run does not hold."""

    def __init__(self, probability: float, held: Sequence[float]) -> None:
        self.held = tuple(held)
        remedy = f"ask among: {','.join(map(str, held))}" if held else "leave quantiles out"
        super().__init__(
            f"the run holds no quantile {probability}",
            remedy,
            field="quantiles",
            value=str(probability),
        )


class OutsideRun(Refused):
    """Months before or after those of the run."""

    def __init__(self, field: str, month: str, first: str, last: str) -> None:
        detail = f"the run forecasts {first} to {last}"
        super().__init__(detail, "ask for months among these", field=field, value=month)


class AmbiguousRun(Refused):
    """More than one run has an id that begins so."""

    def __init__(self, run: str, some: Sequence[str]) -> None:
        super().__init__(
            f"several runs begin with {run!r}: {', '.join(some)}",
            "write more of the id",
            field="run",
            value=run,
        )


class BadCursor(Refused):
    """A cursor that this service did not give for this question."""

    def __init__(self, cursor: str) -> None:
        super().__init__(
            "the cursor was not given for this question",
            "ask again without cursor, then follow 'next' with the same level and filters",
            field="cursor",
            value=cursor,
        )


class NotAcceptable(Refused):
    """A format that the service does not speak."""

    def __init__(self, accept: str, offered: Sequence[str]) -> None:
        super().__init__(
            "no format in the Accept header is spoken here",
            f"accept one of: {', '.join(offered)}",
            field="Accept",
            value=accept,
        )


class NotThere(AppError):
    """The question is fine, the answer does not exist."""


class NothingPublished(NotThere):
    """No run has been published yet."""

    def __init__(self) -> None:
        super().__init__("nothing published yet", "run: tonnage retrain")


class UnknownRun(NotThere):
    """No run has this id."""

    def __init__(self, run: str) -> None:
        super().__init__(
            f"there is no run {run!r}", "see /v1/runs/current, or: tonnage runs list", field="run", value=run
        )


class NeverShown(NotThere):
    """The run was recorded and never shown."""

    def __init__(self, run: str) -> None:
        remedy = 'a refused run is shown by: tonnage retrain --month MONTH --accept "why"'
        super().__init__(
            f"run {run} was never shown, so there is no way back to it", remedy, field="run", value=run
        )


class UnknownNode(NotThere):
    """No node of the level has this value of a key or attribute."""

    def __init__(self, key: str, value: str, level: str) -> None:
        self.level = level
        super().__init__(
            f"level {level!r} has no {key} {value!r}",
            f"see which there are: /v1/nodes?level={quote(level, safe=',')}",
            field=key,
            value=value,
        )


class Unpublishable(AppError):
    """A run that the serving tables cannot hold."""


class BadDatabaseUrl(AppError):
    """Not the URL of a PostgreSQL database; the message leaves the URL out, it may hold a password."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            detail,
            "write it as postgresql://user:password@host:5432/database",
            field="TONNAGE_DATABASE_URL",
        )


class UnsafeAddress(AppError):
    """An address that strangers could reach while the service cannot tell them apart."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host!r} is not a loopback address, and there is no access control yet",
            "serve on 127.0.0.1 and put a proxy that checks callers before it",
            field="host",
            value=host,
        )


class DatabaseUnavailable(AppError):
    """PostgreSQL does not answer."""

    def __init__(self) -> None:
        super().__init__("the database does not answer", "try again in a few seconds")


class SchemaBehind(AppError):
    """The tables are not those of this version."""

    def __init__(self) -> None:
        super().__init__("the database schema is not that of this version", "run: tonnage migrate")
