"""The statements that PostgreSQL is asked, as text.

Every field is cast to text. Numerics then arrive digit by digit, where a float would lose kilograms, and
a value of the wrong type is one line's reject instead of a failed read.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from forecasting.months import Month
from ingestion.fingerprint import slice_month
from ingestion.order_line import RAW_LINES
from ingestion.source_config import Query, SourceConfig, Table
from ingestion.units import LARGEST

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


def pull_sql(config: SourceConfig, slices: Sequence[str], *, dated: bool) -> str:
    """The same of some slices only: by ranges of days, which an index can serve, where dates are dates."""
    return select_sql(config, f"\nwhere {_within(config, slices, dated=dated)}")


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
    fields = [column for field in RAW_LINES if (column := config.columns.get(field)) not in {None, date}]
    hashes = [_hash(column, kinds[column], seed) for seed, column in enumerate(fields, start=1)]
    day = f"cast({quoted(date)} as date)" if dated else f"cast({quoted(date)} as text)"
    row = " #\n    ".join(hashes)
    return (
        f"select {_slice('day')} as slice, cast(sum(lines) as bigint) as lines,\n"
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
) -> str:
    """Whole kilograms of each slice, rounded line by line; see `SourceView.sums`."""
    text = f"cast({quoted(config.columns['quantity'])} as text)"
    written = rf"{text} ~ '^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{{1,3}})?\s*$'"
    number = (
        quoted(config.columns["quantity"])
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
    return (
        f"select {_slice('day')} as slice, cast(sum(kilograms) as text) as kilograms\n"
        f"from (\n  select day, sum(kilograms) filter (where abs(kilograms) <= {LARGEST}) as kilograms\n"
        f"  from (\n    select {day} as day, round({number} * {factor}) as kilograms\n"
        f"    from {_from(config.relation)}\n    where {_within(config, slices, dated=dated)}\n"
        "  ) as lines\n  group by 1\n) as days\ngroup by 1"
    )


def quoted(identifier: str) -> str:
    """A name as an identifier, whatever it contains."""
    return '"' + identifier.replace('"', '""') + '"'


def _slice(column: str) -> str:
    return f"coalesce(left(cast({column} as text), 7), '')"


def _within(config: SourceConfig, slices: Sequence[str], *, dated: bool) -> str:
    """Which lines are in some slices: ranges of days where the column has days, else by their names."""
    column = quoted(config.columns["date"])
    months = {name: slice_month(name) for name in slices} if dated else {}
    ranged = {name: month for name, month in months.items() if month and month.year >= _OLDEST_RANGE}
    named = sorted(name for name in slices if name not in ranged and (name or not dated))
    return " or ".join(
        [
            *(_range(column, first, last) for first, last in _spans(sorted(ranged.values()))),
            *([f"{column} is null"] if dated and "" in slices else []),
            *([f"{_slice(column)} in ({', '.join(map(_literal, named))})"] if named else []),
        ]
    )


def _spans(months: Sequence[Month]) -> list[tuple[Month, Month]]:
    """The first and last of each row of months without a gap."""
    rows = groupby(enumerate(months), key=lambda each: each[1].ordinal - each[0])
    return [(row[0], row[-1]) for _, group in rows if (row := [month for _, month in group])]


def _range(column: str, first: Month, last: Month) -> str:
    return f"{column} >= '{first.first_day:%Y-%m-%d}' and {column} < '{(last + 1).first_day:%Y-%m-%d}'"


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
