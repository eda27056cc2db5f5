"""One bought line in our words: what sources yield, what a snapshot keeps, what is set aside."""

import polars as pl

KEYS = ("organization", "customer", "material")

REQUIRED_FIELDS = ("line", *KEYS, "date", "quantity")
FIELDS = (*REQUIRED_FIELDS, "unit", "status")

RAW_LINES = pl.Schema(dict.fromkeys(FIELDS, pl.String()))
"""Lines as a source wrote them: all text, so that a reject shows the very value that was seen."""

REPEATED_FIELDS = (*KEYS, "unit", "status")
"""The fields in which most lines say the same few things."""

SLICED_LINES = pl.Schema({**RAW_LINES, "slice": pl.String()})
"""The same, each with the slice of its source that it belongs to: see `ingestion.fingerprint`."""

LINES = pl.Schema(
    {
        "source": pl.String(),
        "line": pl.String(),
        **dict.fromkeys(KEYS, pl.String()),
        "date": pl.Date(),
        "quantity": pl.Int64(),
    }
)
"""Lines that count. `quantity` is in kilograms, or in pieces where demand is counted in pieces."""

REJECTS = pl.Schema(
    {
        "reason": pl.String(),
        "source": pl.String(),
        "line": pl.String(),
        "field": pl.String(),
        "value": pl.String(),
        "quantity": pl.Int64(),
    }
)
"""Lines set aside, each with its reason and the field and value that gave it.

`quantity` is null where it could not be read, so that what came in equals what was kept plus what was
set aside, as far as the source's own numbers allow.
"""

PART_LINES = pl.Schema({name: kind for name, kind in LINES.items() if name != "source"})
PART_REJECTS = pl.Schema({name: kind for name, kind in REJECTS.items() if name != "source"})
"""The same of one slice of one source, which then need not be said in every row."""

READ_LINES = pl.Schema({**PART_LINES, "slice": pl.String()})
READ_REJECTS = pl.Schema({**PART_REJECTS, "slice": pl.String()})
"""The same of one source, each line with its slice."""
