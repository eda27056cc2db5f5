"""The statements that SQL Server is asked, as text: quoted identifiers, no hints, nothing but selects.

Columns arrive in their own types, and become text here rather than there: T-SQL rounds money to cents and
a float to six digits when it writes them, and dates follow the language of the login.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from forecasting.months import Month
from ingestion.fingerprint import slice_month, spans
from ingestion.order_line import KEYS, RAW_LINES
from ingestion.source_config import Query, SourceConfig, Table
from ingestion.units import LARGEST

_DIGITS = 38
"""The widest decimal of SQL Server; a product that needs more loses decimals, and is rounded twice."""

_LAST_RANGE = Month(2079, 5)
"""A smalldatetime ends in June 2079, and nothing after it can be compared with one."""

_BINARY = "collate Latin1_General_BIN2"
"""Text compared byte by byte, whatever the database's own collation makes of case and accents."""


class Kind(StrEnum):
    """What a column holds, as far as reading it depends on that."""

    DAY = "date"
    TIME = "time"
    MOMENT = "time with an offset"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's kind, its name in words, and the digits of a decimal: all, and behind the point."""

    kind: Kind
    words: str
    precision: int = 0
    scale: int = 0

    @property
    def is_dated(self) -> bool:
        return self.kind in {Kind.DAY, Kind.TIME, Kind.MOMENT}


type Columns = Mapping[str, Column]


def probe_sql(relation: Query | Table) -> str:
    """A select of no rows that shows which columns there are."""
    return f"select *\nfrom {_from(relation)}\nwhere 1 = 0"


def anything_sql() -> str:
    """A question that any server answers."""
    return 'select 1 as "one"'


def first_sql(relation: Query | Table) -> str:
    """One row, whatever is in it: what may not be read, or not in this isolation, is refused here."""
    return f'select top 1 1 as "one"\nfrom {_from(relation)}'


def offset_probe_sql(config: SourceConfig) -> str:
    """A select of no rows whose type tells a time with an offset from text.

    Drivers give both as text. Of two types SQL Server takes the higher: a time with an offset stays what
    it is beside a date, and text becomes one.
    """
    date = quoted(config.columns["date"])
    return (
        f'select coalesce({date}, cast(null as date)) as "date"\nfrom {_from(config.relation)}\nwhere 1 = 0'
    )


def select_sql(config: SourceConfig, columns: Columns, where: str = "", *, top: int | None = None) -> str:
    """The select of all mapped fields, and of the slice where the date does not tell it."""
    fields = {field: quoted(config.columns[field]) for field in RAW_LINES if field in config.columns}
    fields["date"] = _date(config, columns)
    if not columns[config.columns["date"]].is_dated:
        fields["slice"] = _slice(config, columns)
    listed = ",\n".join(f"  {value} as {quoted(field)}" for field, value in fields.items())
    first = "select" if top is None else f"select top {top}"
    return f"{first}\n{listed}\nfrom {_from(config.relation)}{where}"


def nothing_sql(config: SourceConfig, columns: Columns) -> str:
    """The same of no line at all."""
    return select_sql(config, columns, "\nwhere 1 = 0")


def pull_sql(config: SourceConfig, columns: Columns, slices: Sequence[str]) -> str:
    """The same of some slices only, or of a few lines more: by ranges of days, which an index can serve."""
    return select_sql(config, columns, f"\nwhere {_within(config, columns, slices)}")


def table_sql(relation: Query | Table, columns: Mapping[str, str]) -> str:
    """Some columns of another relation, under our names."""
    fields = ",\n".join(f"  {quoted(column)} as {quoted(name)}" for name, column in columns.items())
    return f"select\n{fields}\nfrom {_from(relation)}"


def fingerprint_sql(config: SourceConfig, columns: Columns, slices: Sequence[str] | None = None) -> str:
    """Count and checksum of each day, or slice of text: the sum of 40 bits of a SHA-256 over each line.

    Every value stands behind its length, so no two lines look alike, and a missing value is not an empty one.
    """
    written = [
        _written(quoted(config.columns[f]), columns[config.columns[f]])
        for f in RAW_LINES
        if f in config.columns
    ]
    line = ",\n      ".join(f"datalength({text}), ':', {text}" for text in written)
    digest = f"hashbytes('SHA2_256', concat(\n      {line}\n    ))"
    checksum = f"cast(cast(substring({digest}, 1, 5) as bigint) as decimal({_DIGITS}, 0))"
    return (
        'select "slice", count(*) as "lines", sum("checksum") as "checksum"\n'
        f'from (\n  select {_slice(config, columns)} as "slice",\n    {checksum} as "checksum"\n'
        f'  from {_from(config.relation)}{_where(config, columns, slices)}\n) as lines\ngroup by "slice"'
    )


def cells_sql(config: SourceConfig, columns: Columns, slices: Sequence[str] | None = None) -> str:
    """Each day, or slice of text, in cells of all keys, unit and status, for a server without a checksum.

    Quantities are added up where the sum is exact, and told apart where it is not.
    """
    quantity = config.columns["quantity"]
    exact = columns[quantity].kind in {Kind.INTEGER, Kind.DECIMAL}
    apart = [*KEYS, "unit", "status", *([] if exact else ["quantity"])]
    names = [quoted(field) for field in apart if field in config.columns]
    values = [
        f"{quoted(config.columns[field])} as {quoted(field)}" for field in apart if field in config.columns
    ]
    totals = [
        'count(*) as "lines"',
        *('count(distinct "line") as "ids"', 'min("line") as "first"', 'max("line") as "last"'),
        *(
            [f'sum(cast("quantity" as decimal({_DIGITS}, {columns[quantity].scale}))) as "total"']
            if exact
            else []
        ),
    ]
    inner = [
        f'{_slice(config, columns)} as "slice"',
        *values,
        f'{quoted(config.columns["line"])} as "line"',
        *([f'{quoted(quantity)} as "quantity"'] if exact else []),
    ]
    return (
        f"select {', '.join(['"slice"', *names, *totals])}\n"
        f"from (\n  select {', '.join(inner)}\n"
        f"  from {_from(config.relation)}{_where(config, columns, slices)}\n) as lines\n"
        f"group by {', '.join(['"slice"', *names])}"
    )


def sums_sql(
    config: SourceConfig, columns: Columns, slices: Sequence[str], factors: Mapping[str | None, Decimal]
) -> str | None:
    """Whole kilograms of each day, or slice of text, rounded line by line; None where that is not exact.

    A product has the digits of both its factors and one more; as long as that is a decimal, T-SQL
    rounds once, half away from zero. Quantities too long for it are beyond `LARGEST` and left out.
    """
    quantity = columns[config.columns["quantity"]]
    plain = {name: _plain(factor) for name, factor in sorted(factors.items(), key=lambda each: str(each[0]))}
    scale = max(_decimals(factor) for factor in plain.values())
    wide = max(_digits(factor, scale) for factor in plain.values())
    digits = min(quantity.precision, _DIGITS - wide - 1)
    if quantity.kind not in {Kind.INTEGER, Kind.DECIMAL} or digits < quantity.scale:
        return None
    beyond = 10 ** (digits - quantity.scale) * min(abs(factor) for factor in plain.values())
    if digits < quantity.precision and beyond <= LARGEST:
        return None
    column, narrow = quoted(config.columns["quantity"]), digits < quantity.precision
    # An integer is no decimal yet, and of the decimals only those too wide need their digits cut.
    number = f"{'try_cast' if narrow else 'cast'}({column} as decimal({digits}, {quantity.scale}))"
    worth = {name: f"cast({factor:f} as decimal({wide}, {scale}))" for name, factor in plain.items()}
    if None in worth:
        factor = worth[None]
    else:
        cases = " ".join(f"when {_literal(str(name))} then {value}" for name, value in worth.items())
        factor = f"case {_text(config.columns['unit'], columns)} {_BINARY} {cases} end"
    return (
        f'select "slice",\n  sum(case when abs("kilograms") <= {LARGEST} then "kilograms" else 0 end) '
        'as "kilograms"\n'
        f'from (\n  select {_slice(config, columns)} as "slice",\n'
        f'    cast(round({number} * {factor}, 0) as decimal({_DIGITS}, 0)) as "kilograms"\n'
        f'  from {_from(config.relation)}{_where(config, columns, slices)}\n) as lines\ngroup by "slice"'
    )


def quoted(identifier: str) -> str:
    """An identifier whatever is in it; ODBC connections have quoted identifiers on."""
    return '"' + identifier.replace('"', '""') + '"'


def _date(config: SourceConfig, columns: Columns) -> str:
    """The date as it is read: a time with an offset is that of UTC."""
    column = quoted(config.columns["date"])
    moment = columns[config.columns["date"]].kind is Kind.MOMENT
    return f"cast(switchoffset({column}, '+00:00') as datetime2)" if moment else column


def _slice(config: SourceConfig, columns: Columns) -> str:
    """What tells a line's slice: the day of a date, or the first seven characters of anything else."""
    if columns[config.columns["date"]].is_dated:
        return f"cast({_date(config, columns)} as date)"
    return f"cast(left(cast({quoted(config.columns['date'])} as nvarchar(40)), 7) as nvarchar(7)) {_BINARY}"


def _text(column: str, columns: Columns) -> str:
    is_text = columns[column].kind is Kind.TEXT
    return quoted(column) if is_text else f"cast({quoted(column)} as nvarchar(40))"


def _written(column: str, kind: Column) -> str:
    """A value as text for its checksum: whole, and the same whatever the session's language is."""
    match kind.kind:
        case Kind.DAY | Kind.TIME:
            return f"cast(cast({column} as datetime2) as nvarchar(40))"
        case Kind.MOMENT:
            return f"cast(cast(switchoffset({column}, '+00:00') as datetime2) as nvarchar(40))"
        case Kind.DECIMAL:
            return f"cast(cast({column} as decimal({kind.precision}, {kind.scale})) as nvarchar(42))"
        case Kind.INTEGER:
            return f"cast({column} as nvarchar(20))"
        case Kind.FLOAT:
            return f"convert(nvarchar(40), {column}, 3)"
        case Kind.TEXT | Kind.OTHER:
            return f"cast({column} as nvarchar(max))"


def _where(config: SourceConfig, columns: Columns, slices: Sequence[str] | None) -> str:
    return "" if slices is None else f"\n  where {_within(config, columns, slices)}"


def _within(config: SourceConfig, columns: Columns, slices: Iterable[str]) -> str:
    """Whether a line is in one of these slices; of dates after May 2079 more may pass."""
    date = quoted(config.columns["date"])
    missing = f"{date} is null"
    if not columns[config.columns["date"]].is_dated:
        texts = ", ".join(_literal(name) for name in sorted(slices))
        return f"{_slice(config, columns)} in ({texts})" + (f" or {missing}" if "" in slices else "")
    months = sorted(month for name in slices if (month := slice_month(name)))
    ranges = [_range(date, first, last) for first, last in spans(min(m, _LAST_RANGE + 1) for m in months)]
    return " or ".join([*ranges, *([missing] if "" in slices else [])])


def _range(date: str, first: Month, last: Month) -> str:
    # Written without hyphens a day is the same day under every language of the login.
    begin = f"{date} >= '{_day(first)}'"
    return begin if last > _LAST_RANGE else f"{begin} and {date} < '{_day(last + 1)}'"


def _day(month: Month) -> str:
    return f"{month.year:04d}{month.month:02d}01"


def _from(relation: Query | Table) -> str:
    if isinstance(relation, Table):
        return ".".join(map(quoted, relation.parts)) + " as source"
    # On lines of its own, so that a comment at the query's end cannot swallow the bracket.
    return f"(\n{relation.text}\n) as source"


def _literal(text: str) -> str:
    return "N'" + text.replace("'", "''") + "'"


def _plain(factor: Decimal) -> Decimal:
    """The same number without zeros at its end or an exponent."""
    return factor.quantize(Decimal(1)) if factor == factor.to_integral_value() else factor.normalize()


def _decimals(number: Decimal) -> int:
    return max(0, -int(number.as_tuple().exponent))


def _digits(number: Decimal, scale: int) -> int:
    """How many digits a number has with `scale` of them behind its point."""
    return max(scale, len(str(abs(int(number.scaleb(scale))))))
