"""Numbers, months and moments in a view: the browser writes them in its own locale (`numbers.js`)."""

import datetime as dt
from typing import Literal

from dash import html
from dash.development.base_component import Component

from app.ui.attributes import data
from forecasting.months import Month

type Style = Literal["plain", "percent", "signed", "signed-percent"]


def number(value: float, digits: int = 0, style: Style = "plain") -> Component:
    """A number with so many decimals; `percent` takes a share of 1, `signed` writes + or −."""
    attributes = data(digits=str(digits), style=style)
    return html.Data(f"{value:.{digits}f}", value=repr(float(value)), className="n", **attributes)


def amount(value: float, unit: str, largest: float) -> Component:
    """A quantity in the run's unit, shown in the unit that whoever looks has chosen, without its name.

    Its decimals are those that befit the largest number around it, so that columns are alike.
    """
    attributes = data(unit=unit, largest=repr(float(largest)))
    return html.Data(f"{value:,.1f}", value=repr(float(value)), className="n", **attributes)


def unit(name: str) -> Component:
    """The unit in which amounts are shown."""
    return html.Span(name, className="unit", **data(unit=name))


def unit_words(unit: str) -> str:
    """The unit of a run as people write it, where numbers stay in it."""
    return "t" if unit == "t" else "pieces"


def quantity(value: float, name: str, largest: float) -> Component:
    """An amount with its unit."""
    return html.Span([amount(value, name, largest), " ", unit(name)], className="quantity")


def month(value: Month) -> Component:
    """A month, as Nov 2026."""
    return html.Time(str(value), dateTime=str(value), className="month")


def months_from_to(first: Month, last: Month) -> Component:
    """From a month to a month."""
    return html.Span([month(first), " – ", month(last)])


def moment(value: dt.datetime) -> Component:
    """A moment, by the clock of whoever looks."""
    text = value.isoformat()
    return html.Time(text, dateTime=text, className="moment")
