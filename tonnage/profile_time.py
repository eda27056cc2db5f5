"""The profile's sections on time: months by source, the total and its season, returns."""

import math
from itertools import groupby

import polars as pl

from ingestion.profile import Profile
from ingestion.profile_months import FILLED, GAP
from tonnage.amounts import Amounts
from tonnage.page_parts import counted, folded, name, scroller, share, table
from tonnage.plots import Bars, Line, Tick, axis, bar_chart, key, line_plot, month_ticks

_SHADES = 5
_YEARS = 6
_OF_YEAR = [f"{month:02d}" for month in range(1, 13)]


def month_section(profile: Profile, amounts: Amounts) -> str:
    """Sources with their coverage, and every month of each."""
    return (
        f"<p>Coverage is the share of months with lines of all months since a source's first, up to "
        f"{profile.month}. In the calendar, each month shows {amounts.noun} above and lines below, the "
        f"deeper in colour the closer to the source's largest month; "
        f'<span class="gap">&nbsp;gap&nbsp;</span> is a '
        f"month without a line between months with lines, · a month before the first or after the last.</p>"
        f"{_sources(profile, amounts)}<h3>Calendar</h3>{_calendar(profile, amounts)}"
    )


def _sources(profile: Profile, amounts: Amounts) -> str:
    found = profile.sources
    whole = profile.headline.quantity
    rows = []
    for row, amount in zip(found.to_dicts(), amounts.texts(found["quantity"].to_list()), strict=True):
        months = row["filled"] + row["gaps"] + row["silent"]
        rows.append(
            [
                name(row["source"]),
                f"{row['lines']:,}",
                f"<b>{amount}</b>",
                share(row["quantity"], whole),
                row["first"] or "–",
                row["last"] or "–",
                f"{row['filled']:,}",
                share(row["filled"], months),
                f"{row['gaps']:,}",
                f"{row['set_aside']:,}",
                share(row["set_aside"], row["lines"] + row["set_aside"]),
            ]
        )
    heads = (
        "Source",
        "Lines",
        f"Quantity,\N{NO-BREAK SPACE}{amounts.unit}",
        "Share",
        "First month",
        "Last month",
        "Months with lines",
        "Coverage",
        "Months in gaps",
        "Lines set aside",
        "Of lines read",
    )
    return table("Sources", heads, rows)


def _calendar(profile: Profile, amounts: Amounts) -> str:
    """One row per source and year; a run of years without any line is one row."""
    heads = "".join(f'<th scope="col" class="number">{month}</th>' for month in _OF_YEAR)
    bodies = []
    for (source,), months in profile.grid.group_by("source", maintain_order=True):
        cells = dict(zip(months["month"], _cells(months, amounts), strict=True))
        years = months.group_by(pl.col("month").str.slice(0, 4).alias("year"), maintain_order=True).agg(
            pl.col("quantity").sum(), (pl.col("state") == FILLED).any().alias("filled")
        )
        sums = dict(zip(years["year"], amounts.texts(years["quantity"].to_list()), strict=True))
        rows: list[str] = []
        for filled, group in groupby(years.rows(), key=lambda year: bool(year[2])):
            names = [year for year, _, _ in group]
            rows.extend(_year(year, cells, sums[year]) for year in names) if filled else rows.append(
                _no_years(names)
            )
        label = (
            f'<tr><th scope="rowgroup" colspan="14"><span class="stays">{name(str(source))}</span></th></tr>'
        )
        bodies.append(f"<tbody>{label}{''.join(rows)}</tbody>")
    whole = f'<th scope="col" class="number">Year, {amounts.unit}</th>'
    top = f'<thead><tr><th scope="col">Year</th>{heads}{whole}</tr></thead>'
    return scroller("Calendar of months by source", f'<table class="heat">{top}{"".join(bodies)}</table>')


def _cells(months: pl.DataFrame, amounts: Amounts) -> list[str]:
    largest = max(int(months["quantity"].to_numpy().max()), 1)
    texts = amounts.texts(months["quantity"].to_list())
    cells = []
    for text, lines, quantity, state in zip(
        texts, months["lines"], months["quantity"], months["state"], strict=True
    ):
        if state == FILLED:
            shade = math.ceil(_SHADES * max(quantity, 0) / largest)
            cells.append(f'<td class="h{shade}">{text}<small>{lines:,}</small></td>')
        elif state == GAP:
            cells.append('<td class="gap">gap<small>0</small></td>')
        else:
            cells.append('<td class="outside">·</td>')
    return cells


def _year(year: str, cells: dict[str, str], total: str) -> str:
    months = "".join(cells.get(f"{year}-{month}", "<td></td>") for month in _OF_YEAR)
    return f'<tr><th scope="row">{year}</th>{months}<td>{total}</td></tr>'


def _no_years(years: list[str]) -> str:
    span = years[0] if len(years) == 1 else f"{years[0]}–{years[-1]}"
    return f'<tr><th scope="row">{span}</th><td colspan="13" class="outside">no line</td></tr>'


def total_section(profile: Profile, amounts: Amounts) -> str:
    """The total by month, and its years laid over each other."""
    totals = profile.totals
    months = totals["month"].to_list()
    values = [amounts.value(quantity) for quantity in totals["quantity"]]
    texts = amounts.texts(totals["quantity"].to_list())
    odd = set(profile.outlying_months["month"])
    bars = Bars(
        values,
        [f"{month}: {text} {amounts.unit}" for month, text in zip(months, texts, strict=True)],
        ["bar-odd" if month in odd else "bar-one" for month in months],
    )
    low, high = (values.index(end) for end in (min(values), max(values)))
    label = (
        f"Total by month in {amounts.noun}, {months[0]} to {months[-1]}: lowest {texts[low]} in "
        f"{months[low]}, highest {texts[high]} in {months[high]}"
    )
    chart = bar_chart(label, axis(f"{amounts.unit} per month", values), month_ticks(months), [bars], "month")
    meaning = key([("bar-one", "total"), *([("bar-odd", "a source's month that stands out")] if odd else [])])
    rows = [
        [month, f"{lines:,}", text] for month, lines, text in zip(months, totals["lines"], texts, strict=True)
    ]
    heads = ("Month", "Lines", f"Quantity,\N{NO-BREAK SPACE}{amounts.unit}")
    listed = folded("Total by month as a table", table("Total by month", heads, rows))
    return (
        f"<p>All sources together, returns netted. Below, the same with one line per year.</p>"
        f'<figure class="wide"><figcaption>Total by month</figcaption>{meaning}{chart}{listed}</figure>'
        f"{_season(profile, amounts)}"
    )


def _season(profile: Profile, amounts: Amounts) -> str:
    by_month = dict(profile.totals["month", "quantity"].rows())
    every = sorted({month[:4] for month in by_month}, reverse=True)
    years = every[:_YEARS]
    known = {year: [by_month.get(f"{year}-{month}") for month in _OF_YEAR] for year in years}
    lines = [
        Line(
            [
                ((at + 0.5) / 12, math.nan if quantity is None else amounts.value(quantity))
                for at, quantity in enumerate(known[year])
            ],
            f"y{nth}",
        )
        for nth, year in enumerate(years)
    ]
    values = [value for line in lines for _, value in line.points if math.isfinite(value)]
    ticks = [Tick((at + 0.5) / 12, month) for at, month in enumerate(_OF_YEAR)]
    label = f"Total by month of the year in {amounts.noun}, one line per year, {years[-1]} to {years[0]}"
    chart = line_plot(
        label, axis(f"{amounts.unit} per month", values), ticks, lines[::-1], "month of the year"
    )
    meaning = key([(f"year y{nth}", year) for nth, year in enumerate(years)])
    flat = [quantity for year in years for quantity in known[year]]
    texts = amounts.texts(flat)
    rows = [[year, *texts[12 * nth : 12 * nth + 12]] for nth, year in enumerate(years)]
    listed = folded(
        "Years as a table", table(f"Years,\N{NO-BREAK SPACE}{amounts.unit}", ["Year", *_OF_YEAR], rows)
    )
    note = f", the last {_YEARS} of {len(every)} years" if len(every) > _YEARS else ""
    return (
        f'<figure class="wide"><figcaption>Year over year{note}</figcaption>{meaning}{chart}{listed}</figure>'
    )


def return_section(profile: Profile, amounts: Amounts) -> str:
    """Returns and credit notes by month."""
    totals = profile.totals
    ordered, returned = int(totals["ordered"].sum()), int(totals["returned"].sum())
    count = profile.headline.returns
    if not count:
        return "<p>No line is below zero.</p>"
    months = totals["month"].to_list()
    values = [amounts.value(quantity) for quantity in totals["returned"]]
    texts = amounts.texts(totals["returned"].to_list())
    bars = Bars(
        values,
        [f"{month}: {text} {amounts.unit}" for month, text in zip(months, texts, strict=True)],
        ["bar-two"] * len(months),
    )
    label = f"Returned by month, {months[0]} to {months[-1]}, in {amounts.noun}"
    chart = bar_chart(
        label, axis(f"{amounts.unit} returned per month", values), month_ticks(months), [bars], "month"
    )
    rows = [
        [
            row["month"],
            f"{row['returns']:,}",
            text,
            share(row["returned"], row["ordered"]),
        ]
        for row, text in zip(totals.to_dicts(), texts, strict=True)
    ]
    heads = ("Month", "Lines below zero", f"Returned,\N{NO-BREAK SPACE}{amounts.unit}", "Of ordered")
    listed = folded("Returns by month as a table", table("Returns by month", heads, rows))
    return (
        f"<p>{counted(count, 'line')} below zero: returned were "
        f"{amounts.text(returned)}&nbsp;{amounts.unit}, {share(returned, ordered)} of what was ordered. "
        f"They are netted in the month they are dated in.</p>"
        f'<figure class="wide"><figcaption>Returned by month</figcaption>{chart}{listed}</figure>'
    )
