"""The profile of a snapshot as one page: what a person would look at first, in tables and charts."""

from dataclasses import dataclass
from html import escape

from ingestion.profile import Profile
from tonnage.amounts import Amounts
from tonnage.page_parts import counted, facts, page, share
from tonnage.profile_buyers import concentration_section, turnover_section
from tonnage.profile_days import day_section
from tonnage.profile_demand import age_section, class_section
from tonnage.profile_findings import findings
from tonnage.profile_lines import line_section, reject_section
from tonnage.profile_time import month_section, return_section, total_section


@dataclass(frozen=True)
class SnapshotTitle:
    """What the page says it is about: the snapshot's id, when it was first taken and by which version."""

    id: str
    taken: str
    version: str


def profile_page(profile: Profile, title: SnapshotTitle) -> str:
    """The whole page as HTML."""
    amounts = Amounts(profile.demand)
    sections: list[tuple[str, str, str]] = []
    if profile.headline.lines:
        sections = [
            ("months", "Months and sources", month_section(profile, amounts)),
            ("total", "Total and season", total_section(profile, amounts)),
            ("outliers", "What stands out", line_section(profile, amounts)),
            ("turnover", "New and vanished", turnover_section(profile, amounts)),
            ("classes", "Demand classes", class_section(profile, amounts)),
            ("ages", "Age of leaves", age_section(profile, amounts)),
            ("concentration", "Concentration", concentration_section(profile, amounts)),
            ("returns", "Returns", return_section(profile, amounts)),
            ("days", "Days of posting", day_section(profile, amounts)),
        ]
    sections.append(("rejects", "Set aside", reject_section(profile, amounts)))
    contents = "".join(f'<a href="#{anchor}">{heading}</a>' for anchor, heading, _ in sections)
    body = "".join(
        f'<section id="{anchor}"><h2>{heading}</h2>{text}</section>' for anchor, heading, text in sections
    )
    nav = f'<nav aria-label="Contents">{contents}</nav>'
    return page(f"Profile of snapshot {title.id[:12]}", _heading(profile, title, amounts) + nav + body)


def _heading(profile: Profile, title: SnapshotTitle, amounts: Amounts) -> str:
    known = profile.headline
    span = f"{known.first} to {profile.month}, {counted(known.months, 'month')}" if known.first else "none"
    aside = f"{counted(known.set_aside, 'line')}, {share(known.set_aside, known.lines + known.set_aside)}"
    pairs = [
        ("Lines", f"{known.lines:,}"),
        (amounts.noun.capitalize(), amounts.text(known.quantity)),
        ("History", span),
        ("Sources", f"{known.sources:,}"),
        ("Organizations", f"{known.organizations:,}"),
        ("Customers", f"{known.customers:,}"),
        ("Materials", f"{known.materials:,}"),
        ("Leaves", f"{known.leaves:,}"),
        ("Set aside", aside),
    ]
    points = "".join(f"<li>{finding}</li>" for finding in findings(profile))
    return (
        f"<header><p class='above'>Profile of a snapshot</p><h1>{title.id[:12]}</h1>"
        f"<p>Order lines up to {profile.month}, taken {escape(title.taken)} by version "
        f"{escape(title.version)}. A leaf is what one customer buys of one material at one organization. "
        f"Returns are netted where nothing else is said.</p><p>Id <code>{title.id}</code></p>"
        f"{facts(pairs)}<ul class='findings'>{points}</ul></header>"
    )
