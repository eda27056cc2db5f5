"""What can go wrong between a question and its answer.

AppError
├── Refused                 the question cannot be asked like this: refusals.py
├── NotThere                the question is fine, the answer does not exist: absences.py
├── Denied                  whoever asks may not have the answer: denials.py
├── LeaseLost               another worker has been given what this one was doing
├── Unpublishable           a run that the serving tables cannot hold
├── RunIncomplete           a run of which rows are missing
├── BadDatabaseUrl          not the URL of a PostgreSQL database
├── RolesMissing            the database's readers are not there and may not be made
├── BadIssuerSettings       settings by which no issuer of tokens can be reached
├── BadSessionSecret        a secret that could be guessed
├── IssuerUnavailable       whoever signs the tokens does not answer
├── PredictorAbsent         a service that was started without what makes forecasts
├── PredictorBusy           as many histories wait to be forecast as may
├── PredictorStarting       what makes forecasts is not ready yet
├── PredictorLost           the process that made the forecast is gone
├── PredictionTooLong       a forecast that took too long and was given up
├── TrailBehind             so much waits to be written to the audit trail that nothing more is taken
├── TooManyRequests         more from one caller than the service takes
├── DatabaseUnavailable     PostgreSQL does not answer
├── TookTooLong             PostgreSQL would need longer than a question may take
├── Draining                the process is about to end
└── SchemaBehind            the tables are not those of this version
"""

from collections.abc import Sequence


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


class Denied(AppError):
    """Whoever asks may not have the answer."""


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


class RunIncomplete(AppError):
    """A run of which rows are missing, so that its numbers are not told."""

    def __init__(self, run: str) -> None:
        self.run = run
        super().__init__(
            f"rows of run {run} are missing from the database",
            "restore them from a backup, or publish the month again",
            field="run",
            value=run,
        )


class BadDatabaseUrl(AppError):
    """Not the URL of a PostgreSQL database; the message leaves the URL out, it may hold a password."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            detail,
            "write it as postgresql://user:password@host:5432/database",
            field="TONNAGE_DATABASE_URL",
        )


class RolesMissing(AppError):
    """The roles of the database that readers take are not there, or not ours, and we may not change that."""

    def __init__(self, user: str, roles: Sequence[str]) -> None:
        names = ", ".join(roles)
        made = " ".join(f"create role {role} nologin;" for role in roles)
        super().__init__(
            f"the database user {user!r} may neither make nor take the roles {names}",
            f"let an administrator of the database run, leaving out what is there: "
            f'{made} grant {names} to "{user}"; then again: tonnage migrate',
        )


class DatabaseUnavailable(AppError):
    """PostgreSQL does not answer."""

    def __init__(self) -> None:
        super().__init__("the database does not answer", "try again in a few seconds")


class BadIssuerSettings(AppError):
    """Settings by which no issuer of tokens can be reached."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"{name} cannot be used: {why}",
            "set TONNAGE_OIDC_ISSUER, TONNAGE_OIDC_AUDIENCE and TONNAGE_OIDC_JWKS_URL, or none of them: "
            "see docs/access.md",
            field=name,
        )


class BadSessionSecret(AppError):
    """A secret of sessions that could be guessed; the message leaves it out."""

    def __init__(self, least: int) -> None:
        super().__init__(
            f"the secret of sessions has fewer than {least} characters",
            "make one by: openssl rand -hex 32",
            field="TONNAGE_SESSION_SECRET",
        )


class IssuerUnavailable(AppError):
    """Whoever signs the tokens does not tell by which keys."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} does not tell by which keys tokens are signed",
            "try again in a few seconds, or use an API key",
        )


class PredictorAbsent(AppError):
    """The service was started without what makes forecasts."""

    def __init__(self) -> None:
        super().__init__("this service makes no forecasts", "start it by: tonnage serve")


class PredictorBusy(AppError):
    """As many histories wait to be forecast as may."""

    def __init__(self) -> None:
        super().__init__(
            "too many histories wait to be forecast",
            "try again in a few seconds, or forecast a file with: tonnage forecast",
        )


class PredictorStarting(AppError):
    """What makes forecasts is not ready yet."""

    def __init__(self) -> None:
        super().__init__("what makes forecasts is still starting", "try again in a few seconds")


class PredictorLost(AppError):
    """The process that made the forecast is gone."""

    def __init__(self) -> None:
        super().__init__(
            "the process that made the forecast has ended before it had an answer",
            "try again; if it stays, send fewer series or months",
        )


class PredictionTooLong(AppError):
    """A forecast that took too long and was given up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"the forecast was not there after {seconds:g} s",
            "send fewer series, ask for a faster recipe, or forecast a file with: tonnage forecast",
        )


class TrailBehind(AppError):
    """So much waits to be written to the audit trail that what must be noted is not answered."""

    def __init__(self) -> None:
        super().__init__(
            "the audit trail is behind, and this must be noted in it", "try again in a few seconds"
        )


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
