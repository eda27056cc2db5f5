"""Pure: what an ODBC client says went wrong, as one of our errors.

Told apart by SQLSTATE and by words: classes and native numbers differ from client to client and from
server to server for the same cause.
"""

import re
from collections.abc import Sequence

from ingestion.errors import (
    BadSourceConfig,
    ConnectionLost,
    DriverMissing,
    EncryptionRefused,
    IngestionError,
    QueryFailed,
    SourceRefused,
    SourceUnreachable,
)
from ingestion.source_config import SourceConfig
from ingestion.sources.sql_server_url import Client, Target

_NO_MANAGER = re.compile(r"lib(odbc|odbcinst|ltdl)\.so[.\d]*: cannot open shared object")
_NO_DRIVER = re.compile(
    r"Can't open lib|\bIM00[23]\b|Data source name not found|cannot open shared object|"
    r"Failed to load the driver",
    re.I,
)
_BAD_STRING = re.compile(r"Connection string parsing failed:\s*(.+)", re.DOTALL)
_TLS = re.compile(r"\bSSL\b|\bTLS\b|certificate|encrypt", re.I)
_LOGIN = re.compile(
    r"\b28000\b|\b08004\b|login failed|cannot open database|authentication failed|password|"
    r"Invalid authorization|Server rejected the connection|database \S+ does not exist",
    re.I,
)
_LOST = re.compile(
    r"\b08S01\b|\b08003\b|\b08007\b|Communication link failure|TCP Provider|unexpected EOF|"
    r"Connection not open|Connection reset|Write to the server failed|Read from the server failed|"
    r"Broken pipe|server closed|terminating connection|Server is unavailable|"
    r"connection is (dead|broken)|no longer usable",
    re.I,
)
_TIMEOUT = re.compile(r"\bHYT0[01]\b|timeout expired|timed out", re.I)
_UNBOUND = re.compile(r"sensible upper bound")
_NOISE = (
    re.compile(r"(?:External error: )?ODBC emitted an error calling '\w+':\s*"),
    re.compile(r"State: \w+, Native error: -?\d+, Message: "),
    re.compile(r"^Driver Error: .*?; DDBC Error:\s*"),
    re.compile(r"^\('\w{5}', [\"']"),
    re.compile(r"^(?:\[[^\]]*\]\s*)+"),
    re.compile(r"\s*\(-?\d+\)(?: \(\w+\)|; \[.*)?[\"']?\)?$|\s*\(SQL\w+\)[\"']?\)?$"),
)

_FREETDS = "FreeTDS comes with: apt install tdsodbc"
_MICROSOFT = "Microsoft's, msodbcsql18, from Microsoft's own repository"


def no_driver(config: SourceConfig, drivers: Sequence[str]) -> IngestionError:
    """A URL that names no driver, where there is none that everybody would have meant."""
    there = ", ".join(drivers) or "none"
    return DriverMissing(
        config.name,
        config.variable,
        f"the URL names no ODBC driver; installed are: {there}",
        "end the URL in ?driver=FreeTDS, or write mssql+mssqlpython://, which brings its own",
    )


def not_connected(config: SourceConfig, target: Target, said: str, drivers: Sequence[str]) -> IngestionError:
    """Why no connection came about."""
    where = (config.name, config.address, config.variable)
    if unread := _BAD_STRING.search(said):
        place = f"[sources.{config.name}] url, environment variable {config.variable}"
        return BadSourceConfig(
            place, " ".join(unread[1].split()), "see docs/sql-server.md for what a URL may say"
        )
    if missing := _missing(config, target, said, drivers):
        return missing
    if _TLS.search(said):
        return EncryptionRefused(*where, plain(said))
    if _LOGIN.search(said):
        return SourceRefused(*where, plain(said))
    # FreeTDS says the same of a name without an address and of a server that offers no encryption.
    unclear = target.is_freetds and "Unable to connect to data source" in said
    hint = " (or it offers no encryption: Encrypt=no asks for none)" if unclear else ""
    return SourceUnreachable(*where, plain(said) + hint)


def not_read(config: SourceConfig, said: str) -> QueryFailed:
    """Why a statement, or the rest of its rows, did not come."""
    kind = ConnectionLost if _LOST.search(said) else QueryFailed
    return kind(config.name, plain(said))


def is_final(said: str) -> bool:
    """Whether asking again in another way would meet the same end."""
    return bool(_LOST.search(said) or _TIMEOUT.search(said))


def is_unbound(said: str) -> bool:
    """Whether arrow-odbc refuses a column for which no width of buffer is known."""
    return bool(_UNBOUND.search(said))


def plain(said: str) -> str:
    """What the server or the driver itself said, in one line, without the names of the layers above."""
    line = " ".join(said.split())
    for noise in _NOISE:
        line = noise.sub("", line)
    first = re.split(r"(?<=[a-z)\]])\. (?=[A-Z])", line)[0]
    return first.strip().rstrip(".") or "no reason given"


def _missing(config: SourceConfig, target: Target, said: str, drivers: Sequence[str]) -> DriverMissing | None:
    if not (_NO_MANAGER.search(said) or _NO_DRIVER.search(said)):
        return None
    there = ", ".join(drivers) or "none"
    if target.client is Client.MSSQL_PYTHON:
        problem = f"the driver that mssql-python brings does not load: {plain(said)}"
        remedy = "on Debian: apt install libltdl7 libkrb5-3 libgssapi-krb5-2"
    elif _NO_MANAGER.search(said):
        problem = f"the ODBC driver manager is not installed, or not whole: {plain(said)}"
        remedy = "on Debian: apt install libodbc2 libltdl7 tdsodbc"
    elif target.driver in drivers:
        problem = (
            f"the ODBC driver {target.driver!r} is registered, but its file or a library of it is missing"
        )
        remedy = f"install it again: {_FREETDS}; {_MICROSOFT}, which needs libkrb5-3 libgssapi-krb5-2 too"
    else:
        named = f"ODBC driver {target.driver!r}" if target.driver else "data source of the URL"
        problem = f"the {named} is not installed, or not whole; installed drivers are: {there}"
        remedy = f"name one of those (?driver=…), or install it: {_FREETDS}; {_MICROSOFT}"
    return DriverMissing(config.name, config.variable, problem, remedy)
