"""The demo's order book with two things that happen in its last year: what monitoring is there to notice."""

import polars as pl

from forecasting.months import Month
from tonnage.order_book import LAST, make_order_book

LEAVES: Month = LAST - 8
"""From this month on the largest customer orders nothing."""

SHOCK: Month = LAST - 3
"""A price rise takes effect; it was announced two months before."""

_PULLED = {SHOCK - 2: 1.1, SHOCK - 1: 1.35, SHOCK: 0.65, SHOCK + 1: 0.75, SHOCK + 2: 0.85, SHOCK + 3: 0.95}


_LARGER = 4.0


def make_eventful_book() -> pl.DataFrame:
    """The demo's order book, but its largest customer is larger, and leaves, and a price rise shakes demand.

    The customer buys four times what it would otherwise, about a seventh of all. Nobody else leaves, so
    that what comes before is a time in which nothing happens but business.
    """
    book = make_order_book(lost=0.0)
    leaver = pl.col("customer") == largest_customer(book)
    month = pl.col("requested").dt.truncate("1mo")
    pulled = month.replace_strict({each.first_day: by for each, by in _PULLED.items()}, default=1.0)
    larger = pl.when(leaver).then(_LARGER).otherwise(1.0)
    return book.filter(~leaver | (pl.col("requested") < LEAVES.first_day)).with_columns(
        (pl.col("tonnes") * larger * pulled).round(3)
    )


def largest_customer(book: pl.DataFrame) -> str:
    """Who bought most in the year before one leaves."""
    year = pl.col("requested").is_between((LEAVES - 12).first_day, LEAVES.first_day, closed="left")
    bought = book.filter(year, ~pl.col("cancelled")).group_by("customer").agg(pl.col("tonnes").sum())
    return str(bought.sort("tonnes", "customer")["customer"][-1])
