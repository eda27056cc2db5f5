"""Pure: what a `mssql+…` URL asks for, as the ODBC connection string that says it.

SQLAlchemy's own dialects write the string, so a URL that works elsewhere works here. Three things are
added where the URL leaves them open: encryption, FreeTDS's version of the protocol, and FreeTDS's port,
which it does not find behind the host.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from sqlalchemy.engine import URL

_PASSWORD = re.compile(r"(?:^|;)\s*(?:PWD|Password)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)", re.IGNORECASE)
_FREETDS = re.compile(r"freetds|tdsodbc", re.IGNORECASE)


class Client(StrEnum):
    """The libraries that a URL can ask for."""

    ODBC = "pyodbc"
    MSSQL_PYTHON = "mssqlpython"


@dataclass(frozen=True, slots=True)
class Target:
    """How to connect. `driver` is the ODBC driver's name, None where a DSN or a library brings its own."""

    client: Client
    driver: str | None
    connection_string: str

    @property
    def is_freetds(self) -> bool:
        return self.driver is not None and bool(_FREETDS.search(self.driver))

    def __repr__(self) -> str:
        return f"Target({self.client}, {self.driver})"


def target_of(url: URL) -> Target | None:
    """The connection that a URL describes; None where it names no ODBC driver, nor a DSN that would."""
    if url.get_driver_name() == Client.MSSQL_PYTHON:
        return Target(Client.MSSQL_PYTHON, None, _string(_encrypted(url)))
    if "odbc_connect" in url.query:
        written = str(url.query["odbc_connect"])
        return Target(Client.ODBC, _written_driver(written), _string(url))
    driver = str(_found(url.query, "driver") or "")
    if "dsn" in url.query or not url.database:
        return Target(Client.ODBC, None, _string(url))
    if not driver:
        return None
    if _FREETDS.search(driver):
        return Target(Client.ODBC, driver, _string(_for_freetds(url)))
    return Target(Client.ODBC, driver, _string(_encrypted(url)))


def without_secrets(text: str, url: URL) -> str:
    """A driver's message, which may repeat the password in any of its spellings."""
    secrets = {str(url.password)} if url.password else set()
    for written in (str(each) for each in url.query.values()):
        secrets |= {found.strip("{}") for found in _PASSWORD.findall(written)}
    secrets |= {str(value) for key, value in url.query.items() if key.lower() in {"pwd", "password"}}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in {secret, quote(secret, safe=""), secret.replace("}", "}}")}:
            text = text.replace(form, "***")
    return text


def _encrypted(url: URL) -> URL:
    return url if _found(url.query, "encrypt") else url.update_query_dict({"Encrypt": "yes"})


def _for_freetds(url: URL) -> URL:
    """FreeTDS has names of its own; `Encrypt` is what others, and its own later versions, call it."""
    asked = _found(url.query, "encrypt")
    query = {key: value for key, value in url.query.items() if key.lower() != "encrypt"}
    if not _found(query, "encryption"):
        off = asked is not None and str(asked).lower() in {"no", "false", "optional", "0"}
        query["Encryption"] = "off" if off else "require"
    if not _found(query, "tds_version"):
        query["TDS_Version"] = "7.4"
    if url.port is not None and not _found(query, "port"):
        query["port"] = str(url.port)
    return URL.create(url.drivername, url.username, url.password, url.host, None, url.database, query)


def _string(url: URL) -> str:
    (text,), _ = url.get_dialect()().create_connect_args(url)
    return str(text)


def _written_driver(connection_string: str) -> str | None:
    match = re.search(r"(?:^|;)\s*driver\s*=\s*\{?([^;}]+)", connection_string, re.IGNORECASE)
    return match[1] if match else None


def _found(query: Mapping[str, object], name: str) -> object | None:
    return next((value for key, value in query.items() if key.lower() == name), None)
