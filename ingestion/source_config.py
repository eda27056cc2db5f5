"""A source as `tonnage.toml` describes it: where it is, what to read, which column is which.

[sources.erp]
url = "env:ERP_URL"            # the URL itself, with its password, stays in the environment
table = "sales.order_lines"    # or: query = "select …"
unit = "kg"                    # one unit for all lines; or map a column to `unit` below
time_zone = "Europe/Berlin"    # where times with a zone get their day; UTC when it is not said
max_rejects = 0.02             # stop when more than this share of lines or kilograms must be set aside

[sources.erp.limits]           # reasons that are judged by a limit of their own instead
"missing key" = 0.1

[sources.erp.columns]          # our field = the source's column; `status` may be left out
line = "order_line_id"
organization = "plant"
customer = "customer_no"
material = "item_no"
date = "requested_on"
quantity = "qty"
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from zoneinfo import available_timezones

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ingestion.errors import BadSourceConfig, MissingEnvironment
from ingestion.order_line import FIELDS, REQUIRED_FIELDS
from ingestion.reasons import REASONS
from ingestion.toml_table import as_share, as_table, as_text, each_once, refuse_unknown
from ingestion.units import DemandUnit, is_unit

DIALECTS = ("postgresql", "mssql")
MAX_REJECTS = 0.02

_SOURCE_KEYS = ("url", "query", "table", "unit", "time_zone", "max_rejects", "limits", "columns")
_ENVIRONMENT = "env:"
_NO_PLACES = {"Factory", "localtime"}


@dataclass(frozen=True, slots=True)
class Query:
    """A select statement of the source's own."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view by its name, with its schema if one was given: `("sales", "order_lines")`."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One source, checked: build it with `parse_sources`.

    `url` hides its password when printed; `variable` is the environment variable that held it.
    `columns` maps each of our fields to a column of the source; exactly one of `columns["unit"]` and
    `constant_unit` is there. `limits` are the shares of reasons that have a limit of their own; `time_zone`
    is where the source's moments get their days.
    """

    name: str
    url: URL
    variable: str
    relation: Query | Table
    columns: Mapping[str, str]
    constant_unit: str | None
    max_rejects: float
    limits: Mapping[str, float]
    time_zone: str

    def knowing(self, there: Collection[str]) -> "SourceConfig":
        """The same, once it is known which columns are there.

        A `unit` that is mapped to no column of the source but is itself a unit is that of all lines.
        """
        unit = self.columns.get("unit")
        if unit is None or unit in there or not is_unit(unit):
            return self
        others = {field: column for field, column in self.columns.items() if field != "unit"}
        return replace(self, columns=others, constant_unit=unit)

    @property
    def dialect(self) -> str:
        """The kind of database, one of `DIALECTS`."""
        return self.url.get_backend_name()

    @property
    def address(self) -> str:
        """Host, port and database for messages: never the user's password."""
        query = self.url.query
        written = _words(str(query.get("odbc_connect", "")))
        host = self.url.host or query.get("host") or written.get("server") or "localhost"
        number = self.url.port or query.get("port") or written.get("port")
        port = f":{number}" if number else ""
        return f"{host}{port}/{self.url.database or written.get('database', '')}"


def parse_sources(document: Mapping[str, object], environment: Mapping[str, str]) -> tuple[SourceConfig, ...]:
    """The sources of a parsed `tonnage.toml`, in the order of the file.

    Raises `BadSourceConfig` or `MissingEnvironment`.
    """
    tables = document.get("sources")
    if not isinstance(tables, Mapping) or not tables:
        raise BadSourceConfig("[sources]", "no source is described", "add a [sources.<name>] table")
    return tuple(_parse_source(str(name), table, environment) for name, table in tables.items())


def parse_demand(document: Mapping[str, object]) -> DemandUnit:
    """What demand is measured in: `[demand] unit`, tonnes when it is not said."""
    table = as_table(document.get("demand", {}), "[demand]")
    refuse_unknown(table, ("unit",), "[demand]")
    unit = table.get("unit", DemandUnit.TONNE.value)
    if unit not in list(DemandUnit):
        known = " or ".join(f'"{each}"' for each in DemandUnit)
        raise BadSourceConfig("[demand] unit", f"{unit!r} is not a unit of demand", f"write {known}")
    return DemandUnit(str(unit))


def _parse_source(name: str, raw: object, environment: Mapping[str, str]) -> SourceConfig:
    where = f"[sources.{name}]"
    table = as_table(raw, where)
    refuse_unknown(table, _SOURCE_KEYS, where)
    columns = _parse_columns(table.get("columns"), where)
    unit = _parse_unit(table, columns, where)
    relation = parse_relation(table, where)
    limit = as_share(table.get("max_rejects", MAX_REJECTS), f"{where} max_rejects", "the lines")
    limits = _parse_limits(table.get("limits", {}), where)
    zone = _parse_time_zone(table.get("time_zone", "UTC"), f"{where} time_zone")
    variable, url = parse_url(table.get("url"), where, environment)
    return SourceConfig(name, url, variable, relation, columns, unit, limit, limits, zone)


def parse_url(raw: object, where: str, environment: Mapping[str, str]) -> tuple[str, URL]:
    """The variable and the URL in it; what was found is never shown, it may hold a password."""
    variable = raw.removeprefix(_ENVIRONMENT).strip() if isinstance(raw, str) else ""
    if not isinstance(raw, str) or not raw.startswith(_ENVIRONMENT) or not variable:
        raise BadSourceConfig(
            f"{where} url",
            "missing" if raw is None else "not of the form env:NAME",
            'write url = "env:NAME" and keep the URL, a secret, in the environment variable NAME',
        )
    text = environment.get(variable, "").strip()
    if not text:
        raise MissingEnvironment(where, variable)
    where = f"{where} url, environment variable {variable}"
    example = "write it like postgresql://user:password@host:5432/database"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise BadSourceConfig(where, "not a database URL", example) from None
    if "@" in (url.host or ""):
        raise BadSourceConfig(where, "a second @ before the host", "write an @ in the password as %40")
    if url.drivername == "postgres":
        url = url.set(drivername="postgresql")
    if url.get_backend_name() not in DIALECTS:
        problem = f"databases of kind {url.get_backend_name()!r} cannot be read"
        raise BadSourceConfig(where, problem, f"{example}; known kinds: {', '.join(DIALECTS)}")
    return variable, url


def _words(connection_string: str) -> dict[str, str]:
    """The parts of an ODBC connection string, by their names in lower case."""
    pairs = (each.split("=", 1) for each in connection_string.split(";") if "=" in each)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def parse_relation(table: Mapping[str, object], where: str) -> Query | Table:
    """What to read: exactly one of `query` and `table` is given."""
    given = [key for key in ("query", "table") if key in table]
    if len(given) != 1:
        problem = "both query and table are given" if given else "neither query nor table is given"
        raise BadSourceConfig(where, problem, "give exactly one of them")
    text = as_text(table[given[0]], f"{where} {given[0]}")
    if given == ["query"]:
        return Query(text.rstrip("; \n\t"))
    parts = tuple(part.strip() for part in text.split("."))
    if len(parts) > 2 or not all(parts):
        raise BadSourceConfig(
            f"{where} table", f"{text!r} is not a table", 'write "table" or "schema.table", or use query'
        )
    return Table(parts)


def _parse_columns(raw: object, where: str) -> dict[str, str]:
    where = f"{where[:-1]}.columns]"
    table = as_table(raw if raw is not None else {}, where)
    refuse_unknown(table, FIELDS, where)
    columns = {field: as_text(column, f"{where} {field}") for field, column in table.items()}
    missing = [field for field in REQUIRED_FIELDS if field not in columns]
    if missing:
        remedy = f'map each to a column of the source, for example {missing[0]} = "its_column"'
        raise BadSourceConfig(where, f"no column for {', '.join(missing)}", remedy)
    each_once(columns, where)
    return columns


def _parse_unit(table: Mapping[str, object], columns: Mapping[str, str], where: str) -> str | None:
    if ("unit" in table) == ("unit" in columns):
        given = "unit" in table
        raise BadSourceConfig(
            where,
            "unit is both a constant and a column" if given else "nothing says the unit of quantity",
            f'write unit = "kg" under {where}, or unit = "its_column" under {where[:-1]}.columns]',
        )
    if "unit" not in table:
        return None
    unit = as_text(table["unit"], f"{where} unit")
    if not is_unit(unit):
        remedy = 'write kg, t, "short ton", "long ton", lb, cwt or piece, or map a column to unit'
        raise BadSourceConfig(f"{where} unit", f"{unit!r} is not a known unit", remedy)
    return unit


def _parse_limits(raw: object, where: str) -> dict[str, float]:
    """The shares of reasons that have a limit of their own."""
    where = f"{where[:-1]}.limits]"
    table = as_table(raw, where)
    for reason in table:
        if reason not in REASONS:
            raise BadSourceConfig(where, f"unknown reason {reason!r}", f"reasons are {', '.join(REASONS)}")
    return {reason: as_share(share, f"{where} {reason!r}", "the lines") for reason, share in table.items()}


def _parse_time_zone(raw: object, where: str) -> str:
    name = as_text(raw, where)
    if name not in available_timezones() - _NO_PLACES:
        remedy = 'write a name like "Europe/Berlin" or "America/Chicago", or "UTC"'
        raise BadSourceConfig(where, f"{name!r} is not a known time zone", remedy)
    return name
