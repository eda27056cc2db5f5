"""Pure: what an ODBC client says went wrong, as one of our errors.

Told apart by SQLSTATE and by words: classes and native numbers differ from client to client and from
server to server for the same cause.
"""

import re
from collections.abc import Sequence

from ingestion.errors import (
    ConnectionLost,
    DriverMissing,
    IngestionError,
    QueryFailed,
    SourceRefused,
    SourceUnreachable,
)
from ingestion.source_config import SourceConfig
from ingestion.sources.sql_server_url import Client, Target

_NO_MANAGER = re.compile(r"libodbc\.so|libodbcinst\.so")
_NO_DRIVER = re.compile(r"Can't open lib|IM002|IM003|cannot open shared object|could not be loaded", re.IGNORECASE)
_TLS = re.compile(r"\bSSL\b|\bTLS\b|certificate|encryption|encrypt", re.IGNORECASE)
_LOGIN = re.compile(
    r"\b28000\b|login failed|Cannot open database|authentication failed|password|Invalid authorization|"
    r"database .* does not exist|not permitted|not allowed to connect|Adaptive Server connection failed",
    re.IGNORECASE,
)
_LOST = re.compile(
    r"\b08S01\b|\b08003\b|\b08007\b|Communication link failure|TCP Provider|Write to the server failed|"
    r"Read from the server failed|Connection reset|Broken pipe|unexpected EOF|server closed|"
    r"terminating connection|administrator command|Adaptive Server is unavailable|DBPROCESS is dead|"
    r"connection is broken|Connection not open|no longer usable",
    re.IGNORECASE,
)
_UNBOUND = re.compile(r"sensible upper bound")
_NOISE = (
    re.compile(r"^ODBC emitted an error calling '\w+':\s*"),
    re.compile(r"^Driver Error: .*?; DDBC Error:\s*"),
    re.compile(r"^\('\w{5}', [\"']|[\"']\)$"),
    re.compile(r"State: \w+, Native error: -?\d+, Message: "),
    re.compile(r"\[[^\]]*\]\s*"),
    re.compile(r"\s*\(-?\d+\)(?: \(\w+\))?$|\s*\(\w*SQL\w+\)"),
)

_MICROSOFT = "Microsoft's driver comes from its own repository (package msodbcsql18)"
_FREETDS = "on Debian install FreeTDS with: apt install tdsodbc"


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
    if missing := _missing(config, target, said, drivers):
        return missing
    where = (config.name, config.address, config.variable)
    told = plain(said)
    if _LOGIN.search(said) and not _TLS.search(said):
        return SourceRefused(*where, told)
    if _TLS.search(said):
        return SourceRefused(*where, f"{told} (encryption is on unless the URL says Encrypt=no)")
    return SourceUnreachable(*where, told)


def not_read(config: SourceConfig, said: str) -> QueryFailed:
    """Why a statement, or the rest of its rows, did not come."""
    kind = ConnectionLost if _LOST.search(said) else QueryFailed
    return kind(config.name, plain(said))


def is_unbound(said: str) -> bool:
    """Whether arrow-odbc refuses a column for which no width of buffer is known."""
    return bool(_UNBOUND.search(said))


def plain(said: str) -> str:
    """The first sentence that is the server's or the driver's own, without the names of the layers above."""
    text = said.strip().split("\n")
    line = next((each for each in text if each.strip() and not each.startswith("ODBC emitted")), text[0])
    for noise in _NOISE:
        line = noise.sub("", line)
    return line.strip().rstrip(".") or "no reason given"


def _missing(
    config: SourceConfig, target: Target, said: str, drivers: Sequence[str]
) -> DriverMissing | None:
    if not (_NO_MANAGER.search(said) or _NO_DRIVER.search(said)):
        return None
    if target.client is Client.MSSQL_PYTHON:
        problem = f"the driver of mssql-python does not load: {plain(said)}"
        remedy = "on Debian: apt install libltdl7 libkrb5-3 libgssapi-krb5-2"
    elif _NO_MANAGER.search(said):
        problem = "the ODBC driver manager is not installed (libodbc.so.2)"
        remedy = "on Debian: apt install libodbc2 tdsodbc"
    else:
        problem = f"the ODBC driver {target.driver!r} is not installed; installed are: {', '.join(drivers) or 'none'}"
        remedy = f"name one of those in the URL (?driver=…), or {_FREETDS}; {_MICROSOFT}"
    return DriverMissing(config.name, config.variable, problem, remedy)
