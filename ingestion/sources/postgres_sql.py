"""The statements that PostgreSQL is asked, as text.

Every field is cast to text. Numerics then arrive digit by digit, where a float would lose kilograms, and
a value of the wrong type is one line's reject instead of a failed read.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from forecasting.months import Month
from ingestion.fingerprint import slice_month, spans
from ingestion.order_line import RAW_LINES, REPEATED_FIELDS
from ingestion.source_config import Query, SourceConfig, Table
from ingestion.units import LARGEST

ENDS = "\x1f\x1e"
"""What ends a repeated field in `said`, and what stands for one that is missing."""

ENDS_SQL = r"E'\x1f\x1e'"

MONTH_OF_TEXT = "^(19|20)[0-9]{2}-?(0[1-9]|1[0-2])"
"""How a date kept as text begins."""

# What no source has in earnest: where a value is missing, this is hashed.
_NO_TEXT = r"E'\x1e missing \x1e'"
_NO_NUMBER = -(2**63) + 1

_EXACT = frozenset({"numeric", "int2", "int4", "int8"})

_OLDEST_RANGE = 1900
"""Text of dates before Christ looks like that of later ones, so years that far back are compared as text."""


def probe_sql(relation: Query | Table) -> str:
    """A select of no rows that shows which columns there are."""
    return f"select *\nfrom {_from(relation)}\nlimit 0"


def select_sql(config: SourceConfig, where: str = "") -> str:
    """The select of all mapped fields."""
    fields = [
        f"  {_text(config, field)} as {quoted(field)}" for field in RAW_LINES if field in config.columns
    ]
    return "select\n" + ",\n".join(fields) + f"\nfrom {_from(config.relation)}" + where


def pull_sql(
    config: SourceConfig,
    slices: Sequence[str] | None,
    *,
    dated: bool,
    moments: bool = False,
    numbered: bool = False,
) -> str:
    """The lines of some slices, or of all, with their repeated fields in one column, `said`.

    Slices are found by ranges of days, which an index can serve, where dates are dates. Days are
    `numbered` from 1970-01-01 where the column has plain days, and written only where Python has no such day.
    """
    date = quoted(config.columns["date"])
    dates = f"cast({date} as text) as date"
    if numbered:
        usual = f"{date} between '0001-01-01' and '9999-12-31'"
        dates = (
            f"case when {usual} then {date} - date '1970-01-01' end as day,\n"
            f"  case when not ({usual}) then cast({date} as text) end as date"
        )
    where = "" if slices is None else f"\nwhere {_within(config, slices, dated=dated, moments=moments)}"
    return (
        f"select\n  {_text(config, 'line')} as line,\n  {dates},\n"
        f"  {_text(config, 'quantity')} as quantity,\n"
        f"  {_said(config)} as said\nfrom {_from(config.relation)}{where}"
    )


def muddled_sql(
    config: SourceConfig, slices: Sequence[str] | None, *, dated: bool, moments: bool = False
) -> str:
    """All fields, one by one, of the lines whose repeated fields contain what should end a field."""
    said = _said(config)
    more = f"length({said}) - length(translate({said}, {ENDS_SQL}, '')) > {len(repeated(config))}"
    within = "" if slices is None else f"({_within(config, slices, dated=dated, moments=moments)}) and "
    return select_sql(config, f"\nwhere {within}{more}")


def repeated(config: SourceConfig) -> list[str]:
    """The repeated fields that a source has."""
    return [field for field in REPEATED_FIELDS if field in config.columns]


def _said(config: SourceConfig) -> str:
    """The repeated fields in one text: to move one column takes half the time that five take."""
    ended = (f"coalesce({_text(config, field)} || E'\\x1f', E'\\x1e')" for field in repeated(config))
    return " ||\n    ".join(ended)


def _text(config: SourceConfig, field: str) -> str:
    return f"cast({quoted(config.columns[field])} as text)"


def sample_sql(config: SourceConfig, rows: int) -> str:
    """The first few of all lines, in no order."""
    return select_sql(config, f"\nlimit {rows}")


def table_sql(relation: Query | Table, columns: Mapping[str, str]) -> str:
    """Some columns of another relation as text, under our names."""
    fields = [f"  cast({quoted(column)} as text) as {quoted(name)}" for name, column in columns.items()]
    return "select\n" + ",\n".join(fields) + f"\nfrom {_from(relation)}"


def fingerprint_sql(
    config: SourceConfig,
    kinds: Mapping[str, str],
    *,
    dated: bool,
    factors: Mapping[str | None, Decimal] | None = None,
) -> str:
    """Count and checksum of each slice; `kinds` are the columns' types by PostgreSQL's names.

    With `factors` also its whole kilograms; see `SourceView.sums`. Lines are added up by day, so that their
    dates are hashed once a day.
    """
    date = config.columns["date"]
    quantity = config.columns["quantity"]
    row = f"coalesce({_hash(quoted(quantity), kinds[quantity], '0')}, 1)"
    for field in RAW_LINES:
        column = config.columns.get(field)
        if column and field != "quantity" and (field != "date" or kinds[date] not in {"date", "text"}):
            row = _chained(column, kinds[column], row)
    by_day = f"count(*) as lines, sum(\n    {row}) as checksum"
    totals = "cast(sum(lines) as bigint) as lines,\n"
    totals += "  cast(sum(hashtextextended(concat(day, ':', lines, ':', checksum), 0)) as text) as checksum"
    if factors:
        by_day += f",\n  sum({_kilograms(config, kinds, factors)}) as kilograms"
        totals += ",\n  cast(sum(kilograms) as text) as kilograms"
    return (
        f"select {_slice('day', dated=dated)} as slice, {totals}\n"
        f"from (\n  select {_day(config, dated=dated)} as day, {by_day}\n"
        f"  from {_from(config.relation)}\n  group by 1\n) as days\ngroup by 1"
    )


def _day(config: SourceConfig, *, dated: bool) -> str:
    return f"cast({quoted(config.columns['date'])} as {'date' if dated else 'text'})"


def _chained(column: str, kind: str, seed: str) -> str:
    """64 bits of a value, or of its absence, and of all that the seed was made of.

    To make a row of the values first, and hash that, takes half as long again.
    """
    name = quoted(column)
    match kind:
        case "int2" | "int4" | "int8":
            return _hash(f"coalesce({name}, {_NO_NUMBER})", kind, seed)
        case "text" | "varchar":
            return _hash(f"coalesce({name}, {_NO_TEXT})", kind, seed)
        case _:
            return _hash(f"coalesce(cast({name} as text), {_NO_TEXT})", "text", seed)


def _hash(value: str, kind: str, seed: str) -> str:
    """64 bits of a value, null where there is none."""
    match kind:
        case "numeric":
            return f"hash_numeric_extended({value}, {seed})"
        case "int2" | "int4" | "int8":
            return f"hashint8extended({value}, {seed})"
        case "text" | "varchar":
            return f"hashtextextended({value},\n    {seed})"
        case _:
            return f"hashtextextended(cast({value} as text),\n    {seed})"


def sums_sql(
    config: SourceConfig,
    kinds: Mapping[str, str],
    slices: Sequence[str],
    factors: Mapping[str | None, Decimal],
    *,
    dated: bool,
    moments: bool = False,
) -> str:
    """Whole kilograms of each slice, rounded line by line; see `SourceView.sums`."""
    within = _within(config, slices, dated=dated, moments=moments)
    return (
        f"select {_slice('day', dated=dated)} as slice, cast(sum(kilograms) as text) as kilograms\n"
        f"from (\n  select {_day(config, dated=dated)} as day,\n"
        f"  sum({_kilograms(config, kinds, factors)}) as kilograms\n"
        f"  from {_from(config.relation)}\n  where {within}\n  group by 1\n) as days\ngroup by 1"
    )


def _kilograms(config: SourceConfig, kinds: Mapping[str, str], factors: Mapping[str | None, Decimal]) -> str:
    """A line's quantity in whole kilograms; null for what is no number, or beyond `LARGEST`."""
    quantity = config.columns["quantity"]
    # As cleaning reads it: blanks around a number are nothing, and an integer is no reason to overflow.
    text = f"btrim({_text(config, 'quantity')}, E' \\t\\n\\r\\x0b\\x0c')"
    written = rf"{text} ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{{1,3}})?$'"
    number = (
        f"cast({quoted(quantity)} as numeric)"
        if kinds[quantity] in _EXACT
        else f"case when {written} then cast({text} as numeric) end"
    )
    if None in factors:
        factor = f"{factors[None]:f}"
    else:
        cases = " ".join(
            f"when {_literal(str(name))} then {each:f}" for name, each in sorted(factors.items())
        )
        factor = f"case {_text(config, 'unit')} {cases} end"
    kilograms = f"round({number} * {factor})"
    # Of a usual quantity the product is not asked for twice.
    usual = LARGEST // max([Decimal(1), *factors.values()])
    return (
        f"case when abs({number}) <= {usual} then {kilograms}\n"
        f"    when abs({kilograms}) <= {LARGEST} then {kilograms} end"
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
