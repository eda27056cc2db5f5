"""`RawLines`: lines as a source wrote them, with what millions of them say alike said once."""

from dataclasses import dataclass

import polars as pl

from ingestion.order_line import REPEATED_FIELDS, SLICED_LINES

BY_LINE = pl.Schema(
    {
        "line": pl.String(),
        "date": pl.String(),
        "day": pl.Date(),
        "quantity": pl.String(),
        "slice": pl.String(),
        "saying": pl.UInt32(),
    }
)
"""What is of each line itself. A date is text, or a `day` where the source itself has said which one."""


@dataclass(frozen=True, eq=False)
class RawLines:
    """Raw lines of the schema `BY_LINE`, each with the row of `sayings` that has its repeated fields."""

    lines: pl.DataFrame
    sayings: pl.DataFrame

    @classmethod
    def of(cls, table: pl.DataFrame) -> "RawLines":
        """Raw lines that come as a plain table of the schema `SLICED_LINES`."""
        lines = table.with_columns(
            pl.lit(None, pl.Date).alias("day"), pl.int_range(pl.len(), dtype=pl.UInt32).alias("saying")
        )
        return cls(lines.select(BY_LINE.names()), table.select(REPEATED_FIELDS))

    @property
    def table(self) -> pl.DataFrame:
        """The same as a plain table of the schema `SLICED_LINES`."""
        written = pl.coalesce("date", pl.col("day").dt.to_string("iso:strict"))
        table = pl.concat(
            [self.lines.with_columns(written), self.sayings[self.lines["saying"]]], how="horizontal"
        )
        return table.select(SLICED_LINES.names())

    def where(self, wanted: pl.Expr) -> "RawLines":
        """The lines for which an expression over their own columns holds."""
        return RawLines(self.lines.filter(wanted), self.sayings)
