"""What can go wrong between a question and its answer.

AppError
├── Refused                 the question cannot be asked like this: refusals.py
├── NotThere                the question is fine, the answer does not exist: absences.py
├── LeaseLost               another worker has been given what this one was doing
├── Unpublishable           a run that the serving tables cannot hold
├── BadDatabaseUrl          not the URL of a PostgreSQL database
├── UnsafeAddress           an address that strangers could reach
├── TooManyRequests         more from one caller than the service takes
├── DatabaseUnavailable     PostgreSQL does not answer
├── TookTooLong             PostgreSQL would need longer than a question may take
├── Draining                the process is about to end
└── SchemaBehind            the tables are not those of this version
"""


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


class NotThere(AppError):
    """The question is fine, the answer does not exist."""


class LeaseLost(AppError):
    """Another worker has been given what this one was doing, because nothing was heard of this one."""

    def __init__(self, worker: str, attempt: int) -> None:
        self.worker = worker
        self.attempt = attempt
        super().__init__(
            f"attempt {attempt} of worker {worker} is no longer the last one",
            "leave the work to whoever has it now",
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


class TookTooLong(AppError):
    """PostgreSQL would need longer than a question may take."""

    def __init__(self) -> None:
        super().__init__(
            "the answer took longer than a question may take", "ask for less, or try again later"
        )


class TooManyRequests(AppError):
    """More requests from one caller than the service takes; `seconds` until it takes the next."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__("too many requests in a short time", f"wait {seconds} s, then ask more slowly")


class Draining(AppError):
    """The process is about to end and takes no new callers."""

    def __init__(self) -> None:
        super().__init__("this process is about to end", "ask another, or try again in a few seconds")


class SchemaBehind(AppError):
    """The tables are not those of this version."""

    def __init__(self) -> None:
        super().__init__("the database schema is not that of this version", "run: tonnage migrate")
