"""The profile's sections on single lines: those that stand out, the largest, those set aside."""

import polars as pl

from ingestion.order_line import KEYS
from ingestion.outliers import CUT, FACTOR, FEWEST_MONTHS, FEWEST_OF_LEAF, MOST_SHOWN
from ingestion.profile import Profile
from tonnage.amounts import Amounts
from tonnage.page_parts import counted, folded, name, percent, share, table


def line_section(profile: Profile, amounts: Amounts) -> str:
    """Months and lines that stand out, and the largest lines."""
    note = (
        f"By the modified z-score of Iglewicz &amp; Hoaglin (1993) on logarithms: 0.6745 times the distance "
        f"from the median by the median absolute deviation (MAD); what is beyond {CUT} stands out. Measured "
        f"without returns."
    )
    months = (
        f"A source's month is measured by what its level (the median of 13 months around) and its season let "
        f"expect. Sources with fewer than {FEWEST_MONTHS} months with orders are left out."
    )
    lines = (
        f"A line is measured by the lines of its leaf in its source, by all lines of the source where the "
        f"leaf has fewer than {FEWEST_OF_LEAF}; to stand out it must also be {FACTOR} times the median there "
        f"or more, or as much smaller. So do {counted(profile.outlying_count, 'line')}{_listed(profile)}."
    )
    return (
        f"<p>{note}</p><h3>Months of a source</h3><p>{months}</p>{_months(profile, amounts)}"
        f"<h3>Lines</h3><p>{lines}</p>{_lines(profile, amounts)}"
        f"<h3>Largest lines</h3><p>By size, returns included.</p>{_largest(profile, amounts)}"
    )


def _listed(profile: Profile) -> str:
    shown = profile.outlying_lines.height
    return f"; the {shown} farthest are listed" if shown < profile.outlying_count else ""


def _months(profile: Profile, amounts: Amounts) -> str:
    found = profile.outlying_months.head(MOST_SHOWN)
    if found.is_empty():
        return "<p>None.</p>"
    texts, typical = _alike(amounts, found["ordered"], found["typical"])
    rows = [
        [
            name(row["source"]),
            row["month"],
            f"{row['lines']:,}",
            f"<b>{text}</b>",
            expected,
            _difference(row["ordered"] / row["typical"]),
            f"{row['z']:+.1f}",
        ]
        for row, text, expected in zip(found.to_dicts(), texts, typical, strict=True)
    ]
    heads = (
        "Source",
        "Month",
        "Lines",
        f"Ordered,\N{NO-BREAK SPACE}{amounts.unit}",
        f"Expected,\N{NO-BREAK SPACE}{amounts.unit}",
        "Difference",
        "Modified z",
    )
    return table("Months that stand out", heads, rows, words=2)


def _lines(profile: Profile, amounts: Amounts) -> str:
    found = profile.outlying_lines
    if found.is_empty():
        return "<p>None.</p>"
    texts, typical = _alike(amounts, found["quantity"], found["typical"])
    rows = [
        [
            *_what(row),
            row["against"],
            f"<b>{text}</b>",
            usual,
            _times(row["quantity"] / row["typical"]),
            f"{row['z']:+.1f}",
        ]
        for row, text, usual in zip(found.to_dicts(), texts, typical, strict=True)
    ]
    heads = (
        *_WHAT,
        "Against",
        f"Quantity,\N{NO-BREAK SPACE}{amounts.unit}",
        f"Median,\N{NO-BREAK SPACE}{amounts.unit}",
        "Times",
        "Modified z",
    )
    return table("Lines that stand out", heads, rows, words=len(_WHAT) + 1)


def _alike(amounts: Amounts, one: pl.Series, other: pl.Series) -> tuple[list[str], list[str]]:
    """Two columns of figures with the same decimals, so that they compare at a glance."""
    texts = amounts.texts([*one, *other])
    return texts[: len(one)], texts[len(one) :]


def _difference(factor: float) -> str:
    return percent(factor - 1, signed=True) if 0.1 < factor < 10 else _times(factor)


def _times(factor: float) -> str:
    return f"× {factor:,.1f}" if factor >= 1 else f"÷ {1 / factor:,.1f}"


def _largest(profile: Profile, amounts: Amounts) -> str:
    texts = amounts.texts(profile.largest["quantity"].to_list())
    rows = [
        [*_what(row), f"<b>{text}</b>"] for row, text in zip(profile.largest.to_dicts(), texts, strict=True)
    ]
    return table(
        "Largest lines", (*_WHAT, f"Quantity,\N{NO-BREAK SPACE}{amounts.unit}"), rows, words=len(_WHAT)
    )


_WHAT = ("Line", "Source", *(key.capitalize() for key in KEYS), "Date")


def _what(row: dict[str, object]) -> list[str]:
    return [
        name(str(row["line"])),
        name(str(row["source"])),
        *(name(str(row[key])) for key in KEYS),
        f"{row['date']}",
    ]


def reject_section(profile: Profile, amounts: Amounts) -> str:
    """Lines set aside, by reason and source, with an example of each."""
    found = profile.rejects
    if found.is_empty():
        return "<p>No line was set aside.</p>"
    read = profile.headline.lines + profile.headline.set_aside
    texts = amounts.texts(found["quantity"].to_list())
    rows = [
        [
            row["reason"],
            name(row["source"]),
            row["field"],
            name(row["line"]),
            name(row["value"]),
            f"{row['lines']:,}",
            share(row["lines"], read),
            text if row["read"] else "–",
            f"{row['lines'] - row['read']:,}",
        ]
        for row, text in zip(found.to_dicts(), texts, strict=True)
    ]
    heads = (
        "Reason",
        "Source",
        "Field",
        "Line, for example",
        "Its value",
        "Lines",
        "Of all read",
        f"Quantity,\N{NO-BREAK SPACE}{amounts.unit}",
        "Quantity unknown",
    )
    unknown = profile.reject_months.filter(pl.col("month").is_null())["lines"].sum()
    known = profile.reject_months.filter(pl.col("month").is_not_null())
    note = (
        f"{counted(profile.headline.set_aside, 'line')}, {share(profile.headline.set_aside, read)} of all "
        f"read. The quantity counts lines whose quantity could be read. A line set aside keeps its faulty "
        f"field only, so the month of {unknown:,} of them is not known."
    )
    by_month = (
        folded(
            "Set aside by month, where it is known",
            table(
                "Set aside by month",
                ("Month", "Reason", "Lines"),
                [[month, reason, f"{lines:,}"] for month, reason, lines in known.rows()],
                words=2,
            ),
        )
        if known.height
        else ""
    )
    return f"<p>{note}</p>{table('Set aside by reason', heads, rows, words=5)}{by_month}"
