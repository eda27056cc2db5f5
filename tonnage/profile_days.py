"""The profile's section on days: weekdays, days of the month, lines posted in batches."""

from ingestion.profile import Profile
from tonnage.amounts import Amounts
from tonnage.page_parts import folded, name, share, table
from tonnage.plots import Bars, Tick, bar_chart, share_axis

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def day_section(profile: Profile, amounts: Amounts) -> str:
    """Where in the week and in the month lines are dated."""
    weekdays = _days(profile, amounts, "weekday", list(_WEEKDAYS), "Lines by weekday")
    days = _days(profile, amounts, "day", [str(day) for day in range(1, 32)], "Lines by day of the month")
    rows = [
        [
            name(row["source"]),
            f"{row['lines']:,}",
            *(
                text
                for mark in ("weekend", "first_day", "last_day")
                for text in (f"{row[mark]:,}", share(row[mark], row["lines"]))
            ),
        ]
        for row in profile.posting.to_dicts()
    ]
    heads = ("Source", "Lines", "On weekends", "Share", "On the first", "Share", "On the last day", "Share")
    return (
        "<p>If lines fell evenly, a weekday had 14.3% of them, weekends 28.6%, the first and the last day of "
        "months 3.3% each. A source that posts in batches stands out on the last day, or on the first.</p>"
        f'<div class="pairs">{weekdays}{days}</div>{table("Days of posting", heads, rows)}'
    )


def _days(profile: Profile, amounts: Amounts, column: str, labels: list[str], title: str) -> str:
    found = profile.weekdays if column == "weekday" else profile.days
    shares = [lines / profile.headline.lines for lines in found["lines"]]
    bars = Bars(
        shares,
        [f"{label}: {lines:,} lines" for label, lines in zip(labels, found["lines"], strict=True)],
        ["bar-one"] * len(labels),
    )
    shown = [
        Tick((at + 0.5) / len(labels), label)
        for at, label in enumerate(labels)
        if len(labels) < 8 or at % 5 == 0
    ]
    below = "weekday" if column == "weekday" else "day of the month"
    chart = bar_chart(f"{title}, in percent", share_axis("% of lines", shares), shown, [bars], below)
    rows = [
        [label, f"{lines:,}", share(lines, profile.headline.lines), text]
        for label, lines, text in zip(
            labels, found["lines"], amounts.texts(found["quantity"].to_list()), strict=True
        )
    ]
    heads = (below.capitalize(), "Lines", "Share", f"Quantity,\N{NO-BREAK SPACE}{amounts.unit}")
    listed = folded(f"{title} as a table", table(title, heads, rows))
    return f"<figure><figcaption>{title}</figcaption>{chart}{listed}</figure>"
