"""Lines that come twice where no single part can see it: in two slices of a source, or in two sources.

Within a source a line is known by its id. Across sources ids are often alike by chance, so there a line is
the same one only if organization, customer, material and day are the same as well. The rule is that of
`clean.settle`: of lines that say the same one is kept, of lines that contradict each other none is.
"""

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from ingestion.key_spelling import folded
from ingestion.order_line import KEYS
from ingestion.part import Part
from ingestion.reasons import CLAIMED, CONFLICT, DUPLICATE
from ingestion.snapshot import REPEATS, Place

_SAME_LINE = ("source", "line")
_SAME_CLAIM = ("line", *KEYS, "date")


def claims_of(part: Part) -> pl.DataFrame:
    """What each line of a part is known by, as 64-bit hashes: `by_line` within a source, `by_claim` across.

    The ids that a part found used twice are there too: they contradict lines of other parts as well.
    """
    by_claim = pl.lit(0, pl.UInt64)
    for seed, column in enumerate(_SAME_CLAIM):
        by_claim ^= pl.col(column).hash(seed)
    claims = pl.when("kept").then(by_claim).alias("by_claim")
    return _claims(part).select(pl.col("line").hash().alias("by_line"), claims).collect()


def find_repeats(
    places: Sequence[Place], claims: Mapping[str, pl.DataFrame], read_part: Callable[[str], Part]
) -> pl.DataFrame:
    """The lines that no snapshot of these places may count, of the schema `REPEATS`, sorted.

    `claims` are those of the parts that were just made; other parts are read for theirs. Only lines
    whose hashes meet are read again and compared in full.
    """
    sources = {name: number for number, name in enumerate(dict.fromkeys(place.source for place in places))}
    hashes = [
        (claims[place.part] if place.part in claims else claims_of(read_part(place.part))).with_columns(
            pl.lit(sources[place.source], pl.Int32).alias("source"), pl.lit(number, pl.Int32).alias("place")
        )
        for number, place in enumerate(places)
    ]
    met = _met(pl.concat(hashes), several=len(sources) > 1) if hashes else {}
    suspects = [
        _suspects(read_part(place.part), place, number, met[number])
        for number, place in enumerate(places)
        if number in met
    ]
    if not suspects:
        return REPEATS.to_frame()
    lines = pl.concat(suspects)
    within = _judged(lines, _SAME_LINE, DUPLICATE, CONFLICT)
    left = lines.join(within, on=["place", "line"], how="anti").filter("kept")
    across = _judged(left, _SAME_CLAIM, CLAIMED, CLAIMED)
    return pl.concat([within, across]).select(REPEATS.names()).sort(REPEATS.names())


def _claims(part: Part) -> pl.LazyFrame:
    twice = part.rejects.lazy().filter(pl.col("reason") == CONFLICT).select("line").unique()
    kept = part.lines.lazy().with_columns(pl.lit(value=True).alias("kept"))
    return pl.concat([kept, twice.with_columns(pl.lit(value=False).alias("kept"))], how="diagonal")


def _met(hashes: pl.DataFrame, *, several: bool) -> dict[object, pl.Series]:
    """For each place with a hash that is also elsewhere, the hashes of the lines to look at."""
    shared = pl.struct("source", "by_line").is_duplicated() if several else pl.col("by_line").is_duplicated()
    if several:
        shared |= pl.col("by_claim").is_not_null() & pl.col("by_claim").is_duplicated()
    met = hashes.filter(shared).partition_by("place", as_dict=True)
    return {number: group["by_line"].unique() for (number,), group in met.items()}


def _suspects(part: Part, place: Place, number: int, wanted: pl.Series) -> pl.DataFrame:
    return (
        _claims(part)
        .filter(pl.col("line").hash().is_in(wanted.implode()))
        .with_columns(
            pl.lit(place.source).alias("source"),
            pl.lit(place.slice).alias("slice"),
            pl.lit(number, pl.Int32).alias("place"),
        )
        .collect()
    )


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
