"""Pure: the names of leaves: one spelling per key of order lines, and the attributes of master data."""

from collections.abc import Sequence

import polars as pl

from ingestion.errors import UnknownKey
from ingestion.key_spelling import folded, spellings
from ingestion.master_data import UNKNOWN, MasterData
from ingestion.order_line import KEYS


def keys_behind(keys: Sequence[str], master: MasterData) -> list[str]:
    """The keys of order lines that some keys of a hierarchy are, or are attributes of; in their order.

    Raises `UnknownKey` for one that is neither.
    """
    known = (*KEYS, *master.attributes)
    for key in keys:
        if key not in known:
            raise UnknownKey(key, known)
    behind = {key if key in KEYS else master.attributes[key] for key in keys}
    return [key for key in KEYS if key in behind]


def with_names(lines: pl.DataFrame, keys: Sequence[str], master: MasterData) -> pl.DataFrame:
    """Lines with their keys in one spelling, and a column for each attribute among `keys`.

    Where master data has no answer the attribute is "unknown".
    """
    for key in keys_behind(keys, master):
        names = spellings(lines[key], master.spelled(key))
        attributes = [name for name in keys if master.attributes.get(name) == key]
        if attributes:
            table = master.tables[key].select(folded(pl.col(key)).alias("its case"), *attributes)
            names = (
                names.with_columns(folded(pl.col("key")).alias("its case"))
                .join(table, on="its case", how="left")
                .with_columns(pl.col(*attributes).fill_null(UNKNOWN))
            )
        found = names.select(pl.col("key").alias(key), pl.col("spelling").alias("one spelling"), *attributes)
        lines = (
            lines.join(found, on=key, how="left", maintain_order="left")
            .with_columns(pl.col("one spelling").alias(key))
            .drop("one spelling")
        )
    return lines
