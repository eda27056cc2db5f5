"""Pure: what was set aside, by reason and source, and when, as far as a reject tells."""

import polars as pl

from ingestion.profile_months import month_text

_MONTH = r"^(\d{4}-\d{2})-\d{2}"


def reject_reasons(rejects: pl.DataFrame) -> pl.DataFrame:
    """Rejects by reason and source, most lines first, each with an example.

    Columns: reason, source, lines, read (lines whose quantity could be read), quantity (theirs), line,
    field and value of the example.
    """
    return (
        rejects.sort(rejects.columns)
        .group_by("reason", "source", maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("quantity").count().cast(pl.Int64).alias("read"),
            pl.col("quantity").sum(),
            pl.col("line", "field", "value").first(),
        )
        .sort("lines", "reason", "source", descending=[True, False, False])
    )


def reject_months(lines: pl.DataFrame, rejects: pl.DataFrame) -> pl.DataFrame:
    """Rejects by month, where it is known: month (null where not), reason and lines.

    A reject shows its faulty field only; so its month is known where that field is the date and begins
    like one, or where a line of the same id was kept.
    """
    identity = ["source", "line"]
    dated = lines.join(rejects.select(identity).unique(), on=identity, how="semi").select(
        *identity, month_text(pl.col("ordinal")).alias("kept_month")
    )
    written = pl.when(pl.col("field") == "date").then(pl.col("value").str.extract(_MONTH, 1))
    return (
        rejects.join(dated, on=identity, how="left")
        .group_by(pl.coalesce(written, "kept_month").alias("month"), "reason")
        .agg(pl.len().cast(pl.Int64).alias("lines"))
        .sort("month", "reason", nulls_last=True)
    )
