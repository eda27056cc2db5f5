"""Master data as `tonnage.toml` describes it: names, attributes and weights of the keys of order lines.

[master.customer]               # or organization, material
url = "env:ERP_URL"
table = "sales.customers"       # or: query = "select …"

[master.customer.columns]       # our name = the table's column
customer = "customer_no"        # the key itself, always
name = "customer_name"          # what people call it; may be left out
segment = "segment_code"        # any other name is an attribute, which hierarchy levels may use

[[master.material]]             # several tables of one key: the first that knows a key wins
url = "env:ERP_URL"
table = "sales.materials"
piece_weight = "kg"             # the unit of the column that is mapped to `weight`

[master.material.columns]
material = "article"
weight = "kg_per_piece"         # what one piece weighs: lines in pieces become kilograms
material_group = "product_form"
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy.engine import URL

from ingestion.errors import BadSourceConfig
from ingestion.order_line import FIELDS, KEYS
from ingestion.source_config import Query, SourceConfig, Table, parse_relation, parse_url
from ingestion.toml_table import as_table, as_text, each_once, refuse_unknown
from ingestion.units import FACTORS, DemandUnit, spelled_plainly

NAME = "name"
WEIGHT = "weight"

_MASTER_KEYS = ("url", "query", "table", "piece_weight", "columns")
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")
_TAKEN = frozenset({*FIELDS, "source", "slice", NAME, WEIGHT, "total", "level", "month"})


@dataclass(frozen=True, slots=True)
class MasterConfig:
    """One table of master data, checked: build it with `parse_master`.

    `key` is the key of order lines that it describes; `columns` maps the key, and whatever else of
    `name`, `weight` and attributes it has, to the table's columns; `piece_weight` is the unit of weights.
    `place` says where it stands in the file, as a name for messages.
    """

    place: str
    key: str
    url: URL
    variable: str
    relation: Query | Table
    columns: Mapping[str, str]
    piece_weight: str | None

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(name for name in self.columns if name not in (self.key, NAME, WEIGHT))

    def as_source(self) -> SourceConfig:
        """The same place as a source without order lines, to connect to."""
        return SourceConfig(
            self.place, self.url, self.variable, self.relation, {}, None, 0.0, limits={}, time_zone="UTC"
        )


def parse_master(document: Mapping[str, object], environment: Mapping[str, str]) -> tuple[MasterConfig, ...]:
    """The tables of master data of a parsed `tonnage.toml`, in the order of the file.

    Raises `BadSourceConfig` or `MissingEnvironment`.
    """
    parse_attributes(document)
    return tuple(_parse(key, place, table, environment) for key, place, table in _tables(document))


def parse_attributes(document: Mapping[str, object]) -> Mapping[str, str]:
    """Each attribute of a parsed `tonnage.toml` beside the key that it belongs to, in the order of the file.

    Needs no environment. Raises `BadSourceConfig`, also for an attribute of two keys.
    """
    owners: dict[str, str] = {}
    for key, place, table in _tables(document):
        for name in _parse_columns(key, table.get("columns"), f"[{place}.columns]"):
            if name in (key, NAME, WEIGHT):
                continue
            if owners.setdefault(name, key) != key:
                problem = f"{name!r} is an attribute of {owners[name]} already"
                raise BadSourceConfig(f"[{place}.columns]", problem, "name each attribute once")
    return owners


def _tables(document: Mapping[str, object]) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Key, place in the file, and content of each table."""
    section = as_table(document.get("master", {}), "[master]")
    refuse_unknown(section, KEYS, "[master]")
    for key, raw in section.items():
        tables = raw if isinstance(raw, list) else [raw]
        for number, table in enumerate(tables, start=1):
            place = f"master.{key}" if len(tables) == 1 else f"master.{key} {number}"
            yield key, place, as_table(table, f"[{place}]")


def _parse(key: str, place: str, table: Mapping[str, object], environment: Mapping[str, str]) -> MasterConfig:
    where = f"[{place}]"
    refuse_unknown(table, _MASTER_KEYS, where)
    columns = _parse_columns(key, table.get("columns"), f"[{place}.columns]")
    unit = _parse_piece_weight(table, columns, where)
    relation = parse_relation(table, where)
    variable, url = parse_url(table.get("url"), where, environment)
    return MasterConfig(place, key, url, variable, relation, columns, unit)


def _parse_columns(key: str, raw: object, where: str) -> dict[str, str]:
    table = as_table(raw if raw is not None else {}, where)
    columns = {name: as_text(column, f"{where} {name}") for name, column in table.items()}
    if key not in columns:
        raise BadSourceConfig(where, f"no column for {key}", f'map the key, for example {key} = "its_column"')
    own = {key, NAME, WEIGHT} if key == "material" else {key, NAME}
    for name in columns:
        if name not in own and (name in _TAKEN or not _PLAIN_NAME.fullmatch(name)):
            raise BadSourceConfig(
                where, f"{name!r} cannot be an attribute", "give it a name of its own, like material_group"
            )
    each_once(columns, where)
    return columns


def _parse_piece_weight(table: Mapping[str, object], columns: Mapping[str, str], where: str) -> str | None:
    if WEIGHT not in columns:
        if "piece_weight" in table:
            remedy = 'map it under columns, for example weight = "kg_per_piece"'
            raise BadSourceConfig(where, "piece_weight is given, and no column for weight", remedy)
        return None
    if "piece_weight" not in table:
        raise BadSourceConfig(where, "nothing says the unit of weight", 'write piece_weight = "kg"')
    unit = as_text(table["piece_weight"], f"{where} piece_weight")
    if spelled_plainly(unit) not in FACTORS[DemandUnit.TONNE]:
        remedy = 'write kg, t, "short ton", "long ton", lb or cwt'
        raise BadSourceConfig(f"{where} piece_weight", f"{unit!r} is no unit of weight", remedy)
    return unit
