"""Pure: dates as sources write them to calendar days, moments in the source's own time zone."""

import polars as pl

_WRITTEN = r"^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}[\d:.,]*)?$"
_COMPACT = r"^\d{8}$"
_OFFSET = r":\d{2}[\d.,]*\s*(?:Z|[+-][\d:]+)$"
_MOMENT = (
    r"^(?<day>\d{4}-\d{2}-\d{2})[T ](?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d)"
    r"(?::(?<second>[0-5]\d)(?:[.,]\d*)?)?\s*"
    r"(?:Z|(?<sign>[+-])(?<hours>0\d|1[0-5])(?::?(?<minutes>[0-5]\d)(?::?(?<seconds>[0-5]\d))?)?)$"
)


def calendar_days(texts: pl.Series, time_zone: str) -> pl.Series:
    """The day of YYYY-MM-DD, with or without a time, or of YYYYMMDD; null for anything else.

    A time with an offset is a moment, which has the day that it has in `time_zone`; a time without one
    has the day that is written.
    """
    text = pl.col("text")
    table = texts.to_frame("text").with_columns(
        pl.coalesce(
            text.str.extract(_WRITTEN, 1).str.to_date("%Y-%m-%d", strict=False),
            pl.when(text.str.contains(_COMPACT)).then(text).str.to_date("%Y%m%d", strict=False),
        ).alias("day")
    )
    if table["text"].str.contains(_OFFSET).any():
        table = table.with_columns(pl.coalesce("day", _day_of_moment(text, time_zone)).alias("day"))
    return table["day"]


def _day_of_moment(text: pl.Expr, time_zone: str) -> pl.Expr:
    part = text.str.extract_groups(_MOMENT).struct
    clock = pl.duration(
        hours=part["hour"].cast(pl.Int64),
        minutes=part["minute"].cast(pl.Int64),
        seconds=part["second"].cast(pl.Int64).fill_null(0),
        time_unit="ms",
    )
    ahead = pl.duration(
        hours=part["hours"].cast(pl.Int64).fill_null(0),
        minutes=part["minutes"].cast(pl.Int64).fill_null(0),
        seconds=part["seconds"].cast(pl.Int64).fill_null(0),
        time_unit="ms",
    )
    local = part["day"].str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("ms")) + clock
    moment = pl.when(part["sign"] == "-").then(local + ahead).otherwise(local - ahead)
    return moment.dt.replace_time_zone("UTC").dt.convert_time_zone(time_zone).dt.date()
