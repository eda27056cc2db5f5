"""The profile's sections on customers and materials: new, vanished, and how concentrated."""

import math
from collections.abc import Sequence

import polars as pl

from ingestion.order_line import KEYS
from ingestion.profile import Profile
from ingestion.profile_keys import A_PERCENT, B_PERCENT, Concentration, Turnover
from tonnage.amounts import Amounts
from tonnage.page_parts import folded, name, percent, share, table
from tonnage.plots import Axis, Line, Tick, key, line_plot

_PLURAL = {
    "organization": "organizations",
    "customer": "customers",
    "material": "materials",
    "leaf": "leaves",
}
_CURVES = ("customer", "material", "leaf")


def turnover_section(profile: Profile, amounts: Amounts) -> str:
    """Customers and materials that came and went."""
    months = profile.turnovers[0].months
    if not profile.turnovers[0].comparable:
        return f"<p>History has no month before the last {months}: there is nothing to compare with.</p>"
    start = profile.month - (months - 1)
    note = (
        f"The last {months} months, {start} to {profile.month}, against all before. New: the first line is "
        f"in them; vanished: no line is in them, although there were some before."
    )
    return f"<p>{note}</p>" + "".join(_turnover(each, amounts) for each in profile.turnovers)


def _turnover(found: Turnover, amounts: Amounts) -> str:
    plural = _PLURAL[found.key]
    recent, before = found.counts["recent"].to_list(), found.counts["before"].to_list()
    texts = amounts.texts([*recent, *before])
    rows = [
        [
            status,
            f"{keys:,}",
            texts[at],
            share(recent[at], sum(recent)),
            texts[at + len(recent)],
            share(before[at], sum(before)),
        ]
        for at, (status, keys) in enumerate(found.counts["status", "keys"].rows())
    ]
    heads = (
        plural.capitalize(),
        "Count",
        f"Last {found.months} months,\N{NO-BREAK SPACE}{amounts.unit}",
        "Share",
        f"Before,\N{NO-BREAK SPACE}{amounts.unit}",
        "Share",
    )
    lists = "".join(
        f"<div><h3>{title}</h3>{_listed(title, each, column, unit, amounts)}</div>"
        for title, each, column, unit in (
            (
                f"Largest new {plural}",
                found.new,
                "recent",
                f"Last {found.months} months,\N{NO-BREAK SPACE}{amounts.unit}",
            ),
            (
                f"Largest vanished {plural}",
                found.vanished,
                "before",
                f"Before,\N{NO-BREAK SPACE}{amounts.unit}",
            ),
        )
    )
    counted = table(f"New and vanished {plural}", heads, rows)
    return f'<h3>{plural.capitalize()}</h3>{counted}<div class="pairs">{lists}</div>'


def _listed(title: str, listed: pl.DataFrame, column: str, head: str, amounts: Amounts) -> str:
    if listed.is_empty():
        return "<p>None.</p>"
    key_column = listed.columns[0]
    texts = amounts.texts(listed[column].to_list())
    rows = [
        [name(row[key_column]), row["first"], row["last"], f"{row['lines']:,}", f"<b>{text}</b>"]
        for row, text in zip(listed.to_dicts(), texts, strict=True)
    ]
    heads = (key_column.capitalize(), "First month", "Last month", "Lines", head)
    return table(title, heads, rows)


def concentration_section(profile: Profile, amounts: Amounts) -> str:
    """ABC classes, the curve behind them, and the largest."""
    rows = []
    for found in profile.concentrations:
        a, b, c = found.classes["keys"].to_list()
        counts = [text for count in (a, b, c) for text in (f"{count:,}", share(count, found.keys))]
        rows.append([_PLURAL[found.key], f"{found.keys:,}", *counts])
    heads = ("Of", "Count", "A", "Share", "B", "Share", "C", "Share")
    note = (
        f"Class A holds the largest that together make {A_PERCENT}% of the {amounts.noun}, the one that "
        f"passes it included; B goes on to {B_PERCENT}%; C is the rest. Who returned more than was ordered "
        f"counts as zero."
    )
    tops = "".join(
        f"<div><h3>Largest {_PLURAL[found.key]}</h3>{_largest(found, amounts)}</div>"
        for found in profile.concentrations
        if found.key in {"customer", "material"}
    )
    return (
        f"<p>{note}</p>{_curve(profile.concentrations, amounts)}"
        f'{table("ABC classes", heads, rows)}<div class="pairs">{tops}</div>'
    )


def _curve(concentrations: Sequence[Concentration], amounts: Amounts) -> str:
    shown = [each for each in concentrations if each.key in _CURVES]
    fifths = [at / 5 for at in range(6)]
    upright = Axis(f"cumulated share of {amounts.noun}", tuple((at, f"{at:.0%}") for at in fifths))
    lines = [Line(each.curve.rows(), f"y{nth}") for nth, each in enumerate(shown)]
    guides = [Line([(0.0, border / 100), (1.0, border / 100)], "guide") for border in (A_PERCENT, B_PERCENT)]
    level = [Tick(at, f"{at:.0%}") for at in fifths]
    label = f"Cumulated share of {amounts.noun} by share of keys, largest first: " + "; ".join(
        f"{found.classes['keys'][0]:,} of {found.keys:,} {_PLURAL[found.key]} make {A_PERCENT}%"
        for found in shown
    )
    chart = line_plot(label, upright, level, [*guides, *lines], "share of keys, largest first")
    meaning = key([(f"year y{nth}", _PLURAL[each.key]) for nth, each in enumerate(shown)])
    points = [
        [percent(at / 10), *(percent(_at(each.curve, at / 10)) for each in shown)] for at in range(1, 11)
    ]
    listed = folded(
        "Curve as a table",
        table("Cumulated shares", ["Largest", *(_PLURAL[each.key] for each in shown)], points),
    )
    title = f"Pareto curve, with the borders of A and B at {A_PERCENT}% and {B_PERCENT}%"
    return f'<figure class="wide"><figcaption>{title}</figcaption>{meaning}{chart}{listed}</figure>'


def _at(curve: pl.DataFrame, share: float) -> float:
    """The curve between its points is straight."""
    keys, quantity = curve["keys"].to_list(), curve["quantity"].to_list()
    for at in range(1, len(keys)):
        if keys[at] >= share - 1e-9:
            part = (share - keys[at - 1]) / (keys[at] - keys[at - 1])
            return float(quantity[at - 1] + min(part, 1.0) * (quantity[at] - quantity[at - 1]))
    return math.nan


def _largest(found: Concentration, amounts: Amounts) -> str:
    columns = KEYS if found.key == "leaf" else (found.key,)
    texts = amounts.texts(found.largest["quantity"].to_list())
    rows = [
        [
            *(name(row[column]) for column in columns),
            f"{row['lines']:,}",
            f"<b>{text}</b>",
            percent(row["share"]),
            percent(row["cumulated"]),
            row["class"],
        ]
        for row, text in zip(found.largest.to_dicts(), texts, strict=True)
    ]
    heads = [column.capitalize() for column in columns]
    heads += ["Lines", f"Quantity,\N{NO-BREAK SPACE}{amounts.unit}", "Share", "Cumulated", "Class"]
    return table(f"Largest {_PLURAL[found.key]}", heads, rows, words=len(columns))
