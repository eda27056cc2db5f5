"""Numbers, months and moments in a view: the browser writes them in its own locale (`numbers.js`)."""

import datetime as dt
from typing import Any, Literal

from dash import html
from dash.development.base_component import Component

from forecasting.months import Month


def number(
    value: float, digits: int = 0, style: Literal["plain", "percent", "signed"] = "plain"
) -> Component:
    """A number with so many decimals; as `percent` a share of 1, as `signed` with + or −."""
    attributes: Any = {"data-digits": str(digits), "data-style": style}
    return html.Data(f"{value:.{digits}f}", value=repr(float(value)), className="n", **attributes)


def month(value: Month) -> Component:
    """A month, as Nov 2026."""
    return html.Time(str(value), dateTime=str(value), className="month")


def moment(value: dt.datetime) -> Component:
    """A moment, by the clock of whoever looks."""
    text = value.isoformat()
    return html.Time(text, dateTime=text, className="moment")
