"""The profile's sections on leaves as series: demand classes and ages."""

from collections.abc import Sequence

import polars as pl

from forecasting.demand_class import INTERVAL_CUT, SIZE_CUT
from ingestion.profile import Profile
from ingestion.profile_leaves import YOUNG
from tonnage.amounts import Amounts
from tonnage.page_parts import share, table
from tonnage.plots import Bars, Tick, bar_chart, key, share_axis

_RULES = {
    "smooth": f"ADI to {INTERVAL_CUT}, CV² to {SIZE_CUT}",
    "erratic": f"ADI to {INTERVAL_CUT}, CV² above {SIZE_CUT}",
    "intermittent": f"ADI above {INTERVAL_CUT}, CV² to {SIZE_CUT}",
    "lumpy": f"ADI above {INTERVAL_CUT}, CV² above {SIZE_CUT}",
    "silent": "no month above zero",
}


def class_section(profile: Profile, amounts: Amounts) -> str:
    """Leaves by demand class, counted and weighed."""
    found = profile.classes
    labels = found["class"].to_list()
    rows = [
        [label, _RULES[label], *cells, f"{young:,}"]
        for label, cells, young in zip(
            labels, _counted_and_weighed(profile, amounts, found), found["young"], strict=True
        )
    ]
    heads = ("Class", "Rule", *_heads(amounts), f"Younger than {YOUNG} months")
    return (
        "<p>ADI is the mean number of months per month with orders, CV² the squared coefficient of variation "
        "of what those months ordered, both over a leaf's own months since its first line (Syntetos, Boylan "
        "&amp; Croston 2005). A leaf of few months may be in a class by chance.</p>"
        f"{_chart('Leaves by demand class', profile, amounts, found, labels, below='demand class')}"
        f"{table('Demand classes', heads, rows, words=2)}"
    )


def age_section(profile: Profile, amounts: Amounts) -> str:
    """Leaves by their age, and how many have shown at least so many years."""
    found, leaves = profile.ages, profile.headline.leaves
    labels = [
        f"{first} and more" if last is None else f"{first} to {last}" if first else f"up to {last}"
        for first, last in found["from_months", "to_months"].rows()
    ]
    rows = [
        [label, *cells]
        for label, cells in zip(labels, _counted_and_weighed(profile, amounts, found), strict=True)
    ]
    reached = dict(found["from_months", "at_least"].rows())
    years = ", ".join(
        f"{reached[12 * year]:,} ({share(reached[12 * year], leaves)}) at least {year}" for year in (1, 2, 3)
    )
    return (
        f"<p>From a leaf's first line to {profile.month}, both months included. Of {leaves:,} leaves, "
        f"{years} years of history.</p>"
        f"{_chart('Leaves by age', profile, amounts, found, labels, below='age in months')}"
        f"{table('Age of leaves', ('Age, months', *_heads(amounts)), rows)}"
    )


def _heads(amounts: Amounts) -> tuple[str, ...]:
    return (
        "Leaves",
        "Share of leaves",
        f"Quantity,\N{NO-BREAK SPACE}{amounts.unit}",
        f"Share of {amounts.noun}",
    )


def _counted_and_weighed(profile: Profile, amounts: Amounts, found: pl.DataFrame) -> list[list[str]]:
    """The four figures of each row, in the order of `_heads`."""
    known = profile.headline
    return [
        [f"{leaves:,}", share(leaves, known.leaves), text, share(quantity, known.quantity)]
        for leaves, quantity, text in zip(
            found["leaves"], found["quantity"], amounts.texts(found["quantity"].to_list()), strict=True
        )
    ]


def _chart(
    title: str,
    profile: Profile,
    amounts: Amounts,
    found: pl.DataFrame,
    labels: Sequence[str],
    *,
    below: str,
) -> str:
    """Two bars for each label: its share of the leaves and of the quantity; what is below zero has none."""
    bars, told = [], []
    for column, kind, of in (("leaves", "bar-one", "leaves"), ("quantity", "bar-two", amounts.noun)):
        parts = found[column].to_list()
        whole = profile.headline.leaves if column == "leaves" else profile.headline.quantity
        titles = [f"{label}: {share(part, whole)} of {of}" for label, part in zip(labels, parts, strict=True)]
        bars.append(Bars([max(part, 0) / max(whole, 1) for part in parts], titles, [kind] * len(parts)))
        told.extend(titles)
    upright = share_axis("share", [value for each in bars for value in each.values])
    ticks = [Tick((at + 0.5) / len(labels), label) for at, label in enumerate(labels)]
    meaning = key([("bar-one", "share of leaves"), ("bar-two", f"share of {amounts.noun}")])
    drawing = bar_chart(f"{title}: {'; '.join(told)}", upright, ticks, bars, below)
    return f'<figure class="wide stagger"><figcaption>{title}</figcaption>{meaning}{drawing}</figure>'
