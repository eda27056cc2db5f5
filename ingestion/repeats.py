"""Lines that come twice where no single part can see it: in two slices of a source, or in two sources.

Within a source a line is known by its id. Across sources ids are often alike by chance, so there a line is
the same one only if organization, customer, material and day are the same as well. The rule is that of
`clean.settle`: of lines that say the same one is kept, of lines that contradict each other none is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from forecasting.months import Month
from ingestion.key_spelling import folded
from ingestion.order_line import KEYS
from ingestion.part import Part
from ingestion.reasons import CLAIMED, CONFLICT, DUPLICATE
from ingestion.snapshot import REPEATS, Place

_SAME_LINE = ("source", "line")
_SAME_CLAIM = ("line", *(f"same {key}" for key in KEYS), "date")


def claims_of(part: Part, month: Month, *, across: bool) -> pl.DataFrame:
    """What each line of a part is known by, as 64-bit hashes: `by_line` within its source, `by_claim` across.

    Lines later than `month` claim nothing yet. The ids that a part found used twice are there too: they
    contradict lines of other parts as well. Without other sources, `across`, nobody asks for `by_claim`.
    """
    by_claim = pl.lit(0, pl.UInt64)
    for seed, column in enumerate(_SAME_CLAIM):
        by_claim ^= pl.col(column).hash(seed)
    claims = pl.when("kept").then(by_claim) if across else pl.lit(None, pl.UInt64)
    lines = _claims(part, month, across=across)
    return lines.select(pl.col("line").hash().alias("by_line"), claims.alias("by_claim")).collect()


def find_repeats(
    places: Sequence[Place],
    month: Month,
    claims: Mapping[str, pl.DataFrame],
    read_part: Callable[[str], Part],
) -> pl.DataFrame:
    """The lines that no snapshot of these places may count, of the schema `REPEATS`, sorted.

    `claims` are those of the parts that were just made; other parts are read for theirs. Only lines
    whose hashes meet are read again and compared in full.
    """
    sources = list(dict.fromkeys(place.source for place in places))
    across = len(sources) > 1
    found = [
        claims[place.part] if place.part in claims else claims_of(read_part(place.part), month, across=across)
        for place in places
    ]
    met = {
        source: _twice(
            each["by_line"] for each, place in zip(found, places, strict=True) if place.source == source
        )
        for source in sources
    }
    claimed = _twice(each["by_claim"].drop_nulls() for each in found)
    suspects = [
        _claims(read_part(place.part), month, across=across)
        .collect()
        .filter(shared)
        .with_columns(
            pl.lit(place.source).alias("source"),
            pl.lit(place.slice).alias("slice"),
            pl.lit(number, pl.Int32).alias("place"),
        )
        for number, (place, each) in enumerate(zip(places, found, strict=True))
        if (shared := _among(each["by_line"], met[place.source]) | _among(each["by_claim"], claimed)).any()
    ]
    if not suspects:
        return REPEATS.to_frame()
    lines = pl.concat(suspects)
    repeats = [_judged(lines, _SAME_LINE, DUPLICATE, CONFLICT)]
    if across:
        left = lines.join(repeats[0], on=["place", "line"], how="anti").filter("kept")
        repeats.append(_judged(left, _SAME_CLAIM, CLAIMED, CLAIMED))
    return pl.concat(each.select(REPEATS.names()) for each in repeats).sort(REPEATS.names())


def _claims(part: Part, month: Month, *, across: bool) -> pl.LazyFrame:
    """The lines of a part up to a month, then the ids that it found used twice; always in the same order."""
    twice = part.rejects.lazy().filter(pl.col("reason") == CONFLICT).select(pl.col("line").unique().sort())
    kept = part.lines.lazy().filter(pl.col("date") < (month + 1).first_day)
    claims = pl.concat(
        [
            kept.with_columns(pl.lit(value=True).alias("kept")),
            twice.with_columns(pl.lit(value=False).alias("kept")),
        ],
        how="diagonal",
    )
    if not across:
        return claims
    return claims.with_columns(folded(pl.col(key)).alias(f"same {key}") for key in KEYS)


def _twice(hashes: Iterable[pl.Series]) -> pl.Series:
    """The values that come more than once, found by sorting: eight bytes a line is all that it takes."""
    together = np.concatenate([np.empty(0, np.uint64), *(each.to_numpy() for each in hashes)])
    together.sort()
    return pl.Series(np.unique(together[1:][together[1:] == together[:-1]]))


def _among(hashes: pl.Series, few: pl.Series) -> pl.Series:
    if few.is_empty():
        return pl.repeat(value=False, n=hashes.len(), eager=True)
    return hashes.is_in(few.implode()).fill_null(value=False)


def _judged(lines: pl.DataFrame, identity: Sequence[str], repeated: str, contradicted: str) -> pl.DataFrame:
    """The lines to set aside among those with the same identity: later repeats, and whatever disagrees."""
    said = pl.struct(*(folded(pl.col(key)) for key in KEYS), "date", "quantity", "kept")
    return (
        lines.sort("place", "line")
        .with_columns(
            (pl.len().over(*identity) > 1).alias("meets"),
            (said.n_unique().over(*identity) > 1).alias("disagrees"),
            (pl.int_range(pl.len()).over(*identity) == 0).alias("first"),
        )
        .filter("kept", "meets", pl.col("disagrees") | ~pl.col("first"))
        .with_columns(
            pl.when("disagrees").then(pl.lit(contradicted)).otherwise(pl.lit(repeated)).alias("reason"),
            pl.lit("line").alias("field"),
            pl.col("line").alias("value"),
        )
    )
