"""Cells of CSV, as we write them and as PostgreSQL does: the same bytes.

A spreadsheet would run a text that begins like a formula, so an apostrophe before it makes it text.
Spreadsheets look past blanks, and take the wide signs of East Asian keyboards for the plain ones.
"""

from typing import Literal

type Separator = Literal[",", ";"]

_SIGNS = "=+-@＝＋－＠"
_BLANKS = " \t\n\v\f\r\xa0\u3000\ufeff"
# A cell that begins so is cut or moved by some, and then begins with what follows.
_CONTROLS = "\t\n\r\0"
_QUOTED = '"\r\n'
_MOST_DIGITS = 15  # before the point; PostgreSQL writes more as a power of ten


def runs_as_formula(text: str) -> bool:
    """Whether a spreadsheet might run a cell of this text.

    >>> [runs_as_formula(text) for text in ("HEB 200", "=1+1", "  @SUM(A1)", "")]
    [False, True, True, False]
    """
    return text[:1] in set(_CONTROLS) or text.lstrip(_BLANKS)[:1] in set(_SIGNS)


def text_cell(text: str | None, separator: Separator = ",") -> str:
    """A text that no spreadsheet runs, quoted where it must be; nothing for None.

    >>> [text_cell(text) for text in ("HEB 200", "a,b", "=1+1", "", None)]
    ['HEB 200', '"a,b"', "'=1+1", '""', '']
    """
    if text is None:
        return ""
    if runs_as_formula(text):
        text = f"'{text}"
    if text and set(separator + _QUOTED).isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def text_cell_sql(expression: str) -> str:
    """`text_cell` of an SQL expression; it awaits `sql_values`."""
    return (
        "(select case when text = '' or text ~ %(quoted)s "  # noqa: S608  # our names
        "then '\"' || replace(text, '\"', '\"\"') || '\"' "
        "else coalesce(text, '') end from (select case "
        f"when left(ltrim({expression}, %(blanks)s), 1) = any (%(signs)s) or left({expression}, 1) = any "
        f"(%(controls)s) then '''' || {expression} else {expression} end as text) as cell)"
    )


def sql_values(separator: Separator) -> dict[str, str | list[str]]:
    """What stands for the names in `text_cell_sql`; PostgreSQL's text cannot hold NUL."""
    return {
        "quoted": f"[{separator}{_QUOTED}]",
        "blanks": _BLANKS,
        "signs": list(_SIGNS),
        "controls": list(_CONTROLS.removesuffix("\0")),
    }


def number_cell(number: float) -> str:
    """The shortest text that reads back as the same double, never without a point or an exponent.

    Whoever guesses a column's type by its first rows, as Power Query and Polars do, must not take it for one
    of whole numbers. From 2 to the power of 53 on PostgreSQL may write a digit more, which reads back as the
    same double too.

    >>> [number_cell(number) for number in (2.0, 0.1, 1e-7, 1e15, 1234567890123456.0, 1e16)]
    ['2.0', '0.1', '1e-07', '1e+15', '1.234567890123456e+15', '1e+16']
    """
    text = repr(number)
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, rest = digits.removesuffix(".0").partition(".")
    if "e" in text or len(whole) <= _MOST_DIGITS:
        return text
    first, others = whole[0], (whole[1:] + rest).rstrip("0")
    return f"{sign}{first}{'.' if others else ''}{others}e+{len(whole) - 1}"


def number_cell_sql(expression: str) -> str:
    """`number_cell` of an SQL expression of finite doubles, where `extra_float_digits` is 1."""
    whole = f"{expression} = trunc({expression}) and abs({expression}) < 1e{_MOST_DIGITS}"
    return f"case when {whole} then {expression}::text || '.0' else {expression}::text end"
