"""Pure: dates as sources write them to calendar days, moments in the source's own time zone."""

import polars as pl

_WRITTEN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}[0-9:.,]*)?$"
_COMPACT = r"^[0-9]{8}$"
_OFFSET = r"([+-])(0[0-9]|1[0-5])(?::?([0-5][0-9]))?(?::?([0-5][0-9]))?"
_MOMENT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]"
    rf"(?::[0-5][0-9](?:[.,][0-9]*)?)?\s*(?:Z|{_OFFSET})$"
)
_CLOCK = "0123456789:., \t"


def calendar_days(texts: pl.Series, time_zone: str) -> pl.Series:
    """The day of YYYY-MM-DD, with or without a time, or of YYYYMMDD; null for anything else.

    A time with an offset is a moment, which has the day that it has in `time_zone`; a time without one
    has the day that is written.
    """
    text = pl.col("text")
    table = texts.to_frame("text")
    written = pl.when(text.str.contains(_WRITTEN)).then(_written_day(text))
    compact = pl.when(text.str.contains(_COMPACT)).then(text).str.to_date("%Y%m%d", strict=False)
    days = table.select(pl.coalesce(written, compact).alias("day")).to_series()
    moments = (days.is_null() & texts.str.contains(_MOMENT)).arg_true()
    return days.scatter(moments, _days_of_moments(table[moments], time_zone)) if moments.len() else days


def _written_day(text: pl.Expr) -> pl.Expr:
    return text.str.head(10).str.to_date("%Y-%m-%d", strict=False)


def _days_of_moments(table: pl.DataFrame, time_zone: str) -> pl.Series:
    """Of texts that look like moments; null where the day is none."""
    text = pl.col("text")
    hours, minutes = text.str.slice(11, 2).cast(pl.Int64), text.str.slice(14, 2).cast(pl.Int64)
    seconds = text.str.slice(17, 2).cast(pl.Int64, strict=False)
    has_seconds = text.str.slice(16, 1) == ":"
    table = table.select(
        _written_day(text).alias("day"),
        (hours * 3600 + minutes * 60 + pl.when(has_seconds).then(seconds).otherwise(0)).alias("clock"),
        # What is left when the clock is taken away: Z, or a sign and hours.
        text.str.slice(16).str.strip_chars_start(_CLOCK).alias("offset"),
    )
    offsets = table.select(pl.col("offset").unique())
    table = table.with_columns(
        pl.col("offset").replace_strict(offsets["offset"], _seconds_ahead(offsets), return_dtype=pl.Int64)
    )
    moment = pl.col("day").cast(pl.Datetime("ms")) + pl.duration(
        seconds=pl.col("clock") - pl.col("offset"), time_unit="ms"
    )
    there = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(time_zone)
    return table.select(there.dt.date()).to_series()


def _seconds_ahead(offsets: pl.DataFrame) -> pl.Series:
    """How far each offset is ahead of UTC."""
    part = [pl.col("offset").str.extract(_OFFSET, group) for group in range(1, 5)]
    size = sum(
        (
            each.cast(pl.Int64).fill_null(0) * seconds
            for each, seconds in zip(part[1:], (3600, 60, 1), strict=True)
        ),
        start=pl.lit(0),
    )
    return offsets.select(pl.when(part[0] == "-").then(-size).otherwise(size)).to_series()
