"""The statements that PostgreSQL is asked, as text.

Every field is cast to text. Numerics then arrive digit by digit, where a float would lose kilograms, and
a value of the wrong type is one line's reject instead of a failed read.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from forecasting.months import Month
from ingestion.fingerprint import slice_month, spans
from ingestion.order_line import RAW_LINES
from ingestion.source_config import Query, SourceConfig, Table
from ingestion.units import LARGEST

MONTH_OF_TEXT = "^(19|20)[0-9]{2}-?(0[1-9]|1[0-2])"
"""How a date kept as text begins."""

_OLDEST_RANGE = 1900
"""Text of dates before Christ looks like that of later ones, so years that far back are compared as text."""


def probe_sql(relation: Query | Table) -> str:
    """A select of no rows that shows which columns there are."""
    return f"select *\nfrom {_from(relation)}\nlimit 0"


def select_sql(config: SourceConfig, where: str = "") -> str:
    """The select of all mapped fields."""
    fields = [
        f"  cast({quoted(config.columns[field])} as text) as {quoted(field)}"
        for field in RAW_LINES
        if field in config.columns
    ]
    return "select\n" + ",\n".join(fields) + f"\nfrom {_from(config.relation)}" + where


def pull_sql(config: SourceConfig, slices: Sequence[str], *, dated: bool, moments: bool = False) -> str:
    """The same of some slices only: by ranges of days, which an index can serve, where dates are dates."""
    return select_sql(config, f"\nwhere {_within(config, slices, dated=dated, moments=moments)}")


def sample_sql(config: SourceConfig, rows: int) -> str:
    """The first few of all lines, in no order."""
    return select_sql(config, f"\nlimit {rows}")


def table_sql(relation: Query | Table, columns: Mapping[str, str]) -> str:
    """Some columns of another relation as text, under our names."""
    fields = [f"  cast({quoted(column)} as text) as {quoted(name)}" for name, column in columns.items()]
    return "select\n" + ",\n".join(fields) + f"\nfrom {_from(relation)}"


def fingerprint_sql(config: SourceConfig, kinds: Mapping[str, str], *, dated: bool) -> str:
    """Count and checksum of each slice; `kinds` are the columns' types by PostgreSQL's names.

    Values are hashed one by one: to make a row of them first, and hash that, takes a third longer. Lines are
    added up by day, so that their dates are hashed once a day.
    """
    date = config.columns["date"]
    hashes = [
        _hash(column, kinds[column] if field == "quantity" or kinds[column] != "numeric" else "as text", seed)
        for seed, field in enumerate(RAW_LINES, start=1)
        if (column := config.columns.get(field)) and (field != "date" or kinds[date] not in {"date", "text"})
    ]
    day = f"cast({quoted(date)} as date)" if dated else f"cast({quoted(date)} as text)"
    row = " #\n    ".join(hashes)
    return (
        f"select {_slice('day', dated=dated)} as slice, cast(sum(lines) as bigint) as lines,\n"
        "  cast(sum(hashtextextended(concat(day, ':', lines, ':', checksum), 0)) as text) as checksum\n"
        f"from (\n  select {day} as day, count(*) as lines, sum(\n    {row}\n  ) as checksum\n"
        f"  from {_from(config.relation)}\n  group by 1\n) as days\ngroup by 1"
    )


def _hash(column: str, kind: str, seed: int) -> str:
    """64 bits of a value, and of its absence."""
    name = quoted(column)
    match kind:
        case "text" | "varchar":
            hashed = f"hashtextextended({name}, {seed})"
        case "numeric":
            hashed = f"hash_numeric_extended({name}, {seed})"
        case "int2" | "int4" | "int8":
            hashed = f"hashint8extended({name}, {seed})"
        case _:
            hashed = f"hashtextextended(cast({name} as text), {seed})"
    return f"coalesce({hashed}, {seed})"


def sums_sql(
    config: SourceConfig,
    slices: Sequence[str],
    factors: Mapping[str | None, Decimal],
    *,
    dated: bool,
    numeric: bool,
    moments: bool = False,
) -> str:
    """Whole kilograms of each slice, rounded line by line; see `SourceView.sums`."""
    # As cleaning reads it: blanks around a number are nothing, and an integer is no reason to overflow.
    text = f"btrim(cast({quoted(config.columns['quantity'])} as text), E' \\t\\n\\r\\x0b\\x0c')"
    written = rf"{text} ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{{1,3}})?$'"
    number = (
        f"cast({quoted(config.columns['quantity'])} as numeric)"
        if numeric
        else f"case when {written} then cast({text} as numeric) end"
    )
    if None in factors:
        factor = f"{factors[None]:f}"
    else:
        unit = f"cast({quoted(config.columns['unit'])} as text)"
        cases = " ".join(
            f"when {_literal(str(name))} then {each:f}" for name, each in sorted(factors.items())
        )
        factor = f"case {unit} {cases} end"
    date = quoted(config.columns["date"])
    day = f"cast({date} as date)" if dated else f"cast({date} as text)"
    within = _within(config, slices, dated=dated, moments=moments)
    return (
        f"select {_slice('day', dated=dated)} as slice, cast(sum(kilograms) as text) as kilograms\n"
        f"from (\n  select day, sum(kilograms) filter (where abs(kilograms) <= {LARGEST}) as kilograms\n"
        f"  from (\n    select {day} as day, round({number} * {factor}) as kilograms\n"
        f"    from {_from(config.relation)}\n    where {within}\n"
        "  ) as lines\n  group by 1\n) as days\ngroup by 1"
    )


def quoted(identifier: str) -> str:
    """A name as an identifier, whatever it contains."""
    return '"' + identifier.replace('"', '""') + '"'


def _slice(column: str, *, dated: bool) -> str:
    """What a line's slice is called; text that does not begin with a month is all in one slice."""
    text = f"left(cast({column} as text), 7)"
    if dated:
        return f"coalesce({text}, '')"
    return f"case when {text} ~ '{MONTH_OF_TEXT}' then {text} else '' end"


def _within(config: SourceConfig, slices: Sequence[str], *, dated: bool, moments: bool) -> str:
    """Which lines are in some slices: ranges of days where the column has days, else by their names.

    A moment's month may begin twice, where clocks go back at midnight: so its ranges are a day wider on both
    sides, and its slice is asked for as well.
    """
    column = quoted(config.columns["date"])
    ranged = {name: month for name in slices if dated and (month := _ranged(name))}
    named = sorted(name for name in slices if name not in ranged and (name or not dated))
    ranges = " or ".join(_range(column, first, last, wider=moments) for first, last in spans(ranged.values()))
    if ranges and moments:
        ranges = f"({ranges}) and {_named(column, sorted(ranged), dated=dated)}"
    return " or ".join(
        [
            *([ranges] if ranges else []),
            *([f"{column} is null"] if dated and "" in slices else []),
            *([_named(column, named, dated=dated)] if named else []),
        ]
    )


def _ranged(name: str) -> Month | None:
    """The month whose days are all of a slice's; a year of six digits only begins like one."""
    month = slice_month(name)
    return month if month and str(month) == name and month.year >= _OLDEST_RANGE else None


def _named(column: str, names: Sequence[str], *, dated: bool) -> str:
    return f"{_slice(column, dated=dated)} in ({', '.join(map(_literal, names))})"


def _range(column: str, first: Month, last: Month, *, wider: bool) -> str:
    day = timedelta(days=1 if wider else 0)
    begin, end = first.first_day - day, (last + 1).first_day + day
    return f"{column} >= '{begin:%Y-%m-%d}' and {column} < '{end:%Y-%m-%d}'"


def _from(relation: Query | Table) -> str:
    if isinstance(relation, Table):
        return ".".join(map(quoted, relation.parts)) + " as source"
    # On lines of its own, so that a comment at the query's end cannot swallow the bracket.
    return f"(\n{relation.text}\n) as source"


def _literal(text: str) -> str:
    """A text as a literal: unit spellings and slices are the source's own data, and are quoted all the same.

    The escape form means the same whatever `standard_conforming_strings` says.
    """
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'" if "\\" in text else f"'{escaped}'"
