"""Pure: one spelling for keys that differ only in their case."""

import polars as pl


def folded(key: pl.Expr) -> pl.Expr:
    """What is the same for all spellings of a key."""
    return key.str.to_lowercase()


def spellings(keys: pl.Series, known: pl.Series) -> pl.DataFrame:
    """Each distinct key beside its one spelling: columns `key` and `spelling`, sorted by key.

    The spelling is that of `known`, master data's keys, whatever its case; else the variant that sorts
    first by its bytes. So neither the order of lines nor that of sources leaves a trace.
    """
    said = pl.DataFrame({"key": keys.drop_nulls().unique()}).with_columns(folded(pl.col("key")).alias("same"))
    masters = (
        pl.DataFrame({"master": known.drop_nulls()}).group_by(folded(pl.col("master")).alias("same")).min()
    )
    return (
        said.with_columns(pl.col("key").min().over("same").alias("first"))
        .join(masters, on="same", how="left")
        .select("key", pl.coalesce("master", "first").alias("spelling"))
        .sort("key")
    )
