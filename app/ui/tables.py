"""Tables of numbers in plain HTML: a caption, heads that name columns and rows, figures that line up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dash import html
from dash.development.base_component import Component

from app.ui import written
from app.ui.attributes import aria, data

type Cell = Any
"""What stands in a cell: a component, text, a list of both, or None for nothing."""


@dataclass(frozen=True)
class Column:
    """A column: what its head says, and how its cells stand. `drawn` ones have bars, and no sound."""

    head: Component | str
    kind: Literal["text", "number", "drawn", "long"] = "text"


def numbers(name: str, *more: str) -> list[Column]:
    """Columns of numbers."""
    return [Column(each, "number") for each in (name, *more)]


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    foot: Sequence[Cell] | None = None,
) -> Component:
    """Rows whose first cell names them; `foot` is what they add up to. The caption is for who cannot see."""
    head = html.Tr([_head(column) for column in columns])
    parts = [
        html.Caption(caption, className="hidden-for-eyes"),
        html.Thead(head),
        html.Tbody([_row(columns, row) for row in rows]),
    ]
    if foot is not None:
        parts.append(html.Tfoot(_row(columns, foot)))
    inside = html.Table(parts, className="numbers")
    # Whoever has no mouse scrolls with the arrow keys, once they are in it.
    return html.Div(inside, className="scrolls", tabIndex="0", role="group", **aria(label=caption))


def number(value: float | None, digits: int = 0, style: written.Style = "plain") -> Component:
    """A number, or a dash for one that has no meaning."""
    return missing() if value is None else written.number(value, digits, style)


def share(value: float | None) -> Component:
    """A share of 1 as a percentage with a decimal."""
    return number(value, 1, "percent")


def signed_share(value: float | None) -> Component:
    """A share of 1 as a percentage that says whether it is more or less."""
    return number(value, 1, "signed-percent")


def missing() -> Component:
    """There is no such value."""
    return html.Span("–", className="missing", title="not known")


def digits_for(largest: float) -> int:
    """How many decimals numbers of this size need: about four figures in all.

    >>> [digits_for(each) for each in (12345.6, 123.4, 0.5)]
    [0, 1, 3]
    """
    return 0 if largest >= 1000 else 1 if largest >= 10 else 3


def badge(text: str, kind: Literal["plain", "good", "bad", "warn"] = "plain") -> Component:
    """A word about a row."""
    return html.Span(text, className=f"badge {kind}")


def facts(*pairs: tuple[str, Cell]) -> Component:
    """Names and values in a line."""
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs], className="facts")


def choices(label: str, name: str, options: Sequence[tuple[str, str, bool]]) -> Component:
    """Links of which one is where we are: what each says, its address, and whether it is that one.

    They change what the address has under the name, and leave the rest to whatever has been chosen since
    (`stays.js`).
    """
    here = aria(current="true")
    links = [
        html.A(text, href=href, **data(changes=name), **(here if chosen else {}))
        for text, href, chosen in options
    ]
    return html.Nav([html.Span(label), *links], className="choices", **aria(label=label))


def _head(column: Column) -> Component:
    """A head without words is none: screen readers would look for its name."""
    if not column.head:
        return html.Td(className=column.kind)
    return html.Th(column.head, scope="col", className=column.kind)


def _row(columns: Sequence[Column], cells: Sequence[Cell]) -> Component:
    first, *rest = zip(columns, cells, strict=True)
    named = html.Th(first[1], scope="row", className=first[0].kind)
    return html.Tr([named, *(_cell(column, cell) for column, cell in rest)])


def _cell(column: Column, cell: Cell) -> Component:
    return html.Td(cell, className=column.kind)
