"""Texts that a spreadsheet would run as a formula, and how they become text: by our hand and by PostgreSQL's.

Spreadsheets look past blanks, and take the wide signs of East Asian keyboards for the plain ones. An
apostrophe before such a text makes it text.
"""

_SIGNS = "=+-@＝＋－＠"
_BLANKS = " \t\n\v\f\r\xa0\u3000\ufeff"
# A cell that begins so is cut or moved by some, and then begins with what follows.
_CONTROLS = "\t\n\r\0"

VALUES = {"signs": list(_SIGNS), "blanks": _BLANKS, "controls": list(_CONTROLS.removesuffix("\0"))}
"""What stands for the names in `as_text_sql`; PostgreSQL's text cannot hold NUL."""


def runs_as_formula(text: str) -> bool:
    """Whether a spreadsheet might run a cell of this text.

    >>> [runs_as_formula(text) for text in ("HEB 200", "=1+1", "  @SUM(A1)", "")]
    [False, True, True, False]
    """
    return text[:1] in set(_CONTROLS) or text.lstrip(_BLANKS)[:1] in set(_SIGNS)


def as_text(text: str) -> str:
    """The text, with an apostrophe before it where it might run."""
    return f"'{text}" if runs_as_formula(text) else text


def as_text_sql(expression: str) -> str:
    """`as_text` of an SQL expression; it awaits `VALUES`."""
    return (
        f"case when left(ltrim({expression}, %(blanks)s), 1) = any (%(signs)s) "
        f"or left({expression}, 1) = any (%(controls)s) then '''' || {expression} else {expression} end"
    )
