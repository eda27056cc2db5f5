"""`MasterData`: what is known of the keys of order lines beside the lines, with a hash of its content."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import polars as pl

from ingestion.faults import CONTROL, LONGEST_KEY
from ingestion.key_spelling import folded, spellings
from ingestion.master_config import NAME, WEIGHT, MasterConfig
from ingestion.order_line import KEYS
from ingestion.units import NUMBER, DemandUnit, factors, number

UNKNOWN = "unknown"
"""The attribute of a key that master data does not know."""

_ROWS_AT_A_TIME = 100_000


@dataclass(frozen=True, eq=False)
class MasterData:
    """Build it with `gather`; without arguments it is what a house without master data knows.

    `tables` holds for each described key a table sorted by it: the key, its name, its attributes by name,
    and for materials the kilograms of one piece where they are known; what is missing is null. Keys that
    differ only in case come once. `attributes` says which key each attribute belongs to. `conflicts`
    counts the keys of each table that came with different things said of them.
    """

    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    conflicts: Mapping[str, int] = field(default_factory=dict)

    @property
    def weights(self) -> pl.DataFrame | None:
        """Kilograms of one piece of each material; None where no table has any."""
        table = self.tables.get("material")
        if table is None or WEIGHT not in table.columns:
            return None
        return table.select("material", WEIGHT).drop_nulls()

    def spelled(self, key: str) -> pl.Series:
        """All that are known of a key of order lines, as they are spelled here."""
        table = self.tables.get(key)
        return pl.Series(key, [], pl.String) if table is None else table[key]

    @cached_property
    def id(self) -> str:
        """SHA-256 over the sorted rows, written as those of a snapshot are."""
        digest = hashlib.sha256(b"tonnage master data 1\n")
        for key in sorted(self.tables):
            digest.update(f"{key} {','.join(self.tables[key].columns)}\n".encode())
            for part in self.tables[key].iter_slices(_ROWS_AT_A_TIME):
                row = pl.concat_str(*(_written(name) for name in part.columns), pl.lit("\n"))
                digest.update(part.select(row.str.join("")).item().encode())
        return digest.hexdigest()


class Strangers(NamedTuple):
    """How many keys a table of master data does not know, and what the lines with them add up to."""

    keys: int
    quantity: int


def gather(read: Sequence[tuple[MasterConfig, pl.DataFrame]]) -> MasterData:
    """Master data from its tables as they were read: all text, one column per mapped name.

    Of several tables of a key the first that knows it wins. Within a table, rows of one key that say the
    same are one; of rows that differ the one that sorts first by its bytes wins, and the key is counted
    in `conflicts`. Rows without a readable key, and weights that weigh nothing, are left out.
    """
    attributes = {name: config.key for config, _ in read for name in config.attributes}
    tables: dict[str, pl.DataFrame] = {}
    conflicts: dict[str, int] = {}
    for key in KEYS:
        understood = [_understood(config, frame) for config, frame in read if config.key == key]
        if understood:
            own = sorted(name for name, owner in attributes.items() if owner == key)
            tables[key], conflicts[key] = _merged(key, own, understood)
    return MasterData(tables, attributes, conflicts)


def strangers(lines: pl.DataFrame, master: MasterData) -> Mapping[str, Strangers]:
    """For each described key, what of a snapshot's lines master data does not know."""
    found = {}
    for key in master.tables:
        known = master.spelled(key).to_frame().select(folded(pl.col(key)).alias("same"))
        others = (
            lines.group_by(key)
            .agg(pl.col("quantity").sum())
            .with_columns(folded(pl.col(key)).alias("same"))
            .join(known, on="same", how="anti")
        )
        sums = others.select(pl.col("same").n_unique(), pl.col("quantity").sum())
        found[key] = Strangers(*sums.row(0))
    return found


def _understood(config: MasterConfig, frame: pl.DataFrame) -> pl.DataFrame:
    """A table's texts without blanks around them, unreadable ones null, and weights in kilograms."""
    table = frame.select(_bare(name) if name == WEIGHT else _readable(name) for name in config.columns)
    table = table.filter(pl.col(config.key).is_not_null()).with_columns(
        pl.when(pl.col(name).str.to_lowercase() != UNKNOWN).then(pl.col(name)).alias(name)
        for name in config.attributes
    )
    if config.piece_weight is None:
        return table
    (factor,) = factors(pl.Series([config.piece_weight]), DemandUnit.TONNE)
    size = number(pl.col(WEIGHT))
    sensible = (size > 0) & (size <= 10**9)
    return table.with_columns((pl.when(sensible).then(size) * pl.lit(factor, NUMBER)).alias(WEIGHT))


def _merged(key: str, attributes: Iterable[str], tables: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, int]:
    """One row per key, and of how many keys a table contradicts itself."""
    weighing = any(WEIGHT in table.columns for table in tables)
    schema = {name: pl.String() for name in (NAME, *attributes)} | ({WEIGHT: NUMBER} if weighing else {})
    rows = pl.concat(
        table.select(
            key,
            *(
                pl.col(name) if name in table.columns else pl.lit(None, kind).alias(name)
                for name, kind in schema.items()
            ),
            pl.lit(rank).alias("its rank"),
            folded(pl.col(key)).alias("its case"),
        )
        for rank, table in enumerate(tables)
    )
    contradicted = rows.group_by("its rank", "its case").agg(pl.struct(*schema).n_unique().alias("versions"))
    chosen = rows.sort("its rank", key, *schema, nulls_last=True).unique("its case", keep="first").sort(key)
    for name in attributes:
        one = spellings(chosen[name], pl.Series([], dtype=pl.String))
        chosen = chosen.with_columns(pl.col(name).replace(one["key"], one["spelling"]))
    return chosen.select(key, *schema), int((contradicted["versions"] > 1).sum())


def _bare(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)


def _readable(name: str) -> pl.Expr:
    text = _bare(name)
    return pl.when((text.str.len_chars() <= LONGEST_KEY) & ~text.str.contains(CONTROL)).then(text).alias(name)


def _written(name: str) -> pl.Expr:
    value = pl.col(name).to_physical().cast(pl.String)
    return pl.concat_str(value.str.len_bytes().cast(pl.String), pl.lit(":"), value).fill_null("~")
