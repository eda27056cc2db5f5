"""Parts of a view: a heading and a place, filled by a question of the API's, for whoever may ask it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dash import Dash, Input, Output, html
from dash.development.base_component import Component
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from app.absences import NothingPublished
from app.access.rules import check
from app.denials import OverOrganizations
from app.errors import Denied, NotThere, Refused
from app.refusals import BadParameter
from app.store.session import seen_by
from app.ui import asking
from app.ui.attributes import aria
from app.ui.states import empty, loading, refused
from app.ui.view import WHERE

type Asked = Mapping[str, str]
"""What the address asks of a view: the names in its query, and the value of each."""


@dataclass(frozen=True)
class Part:
    """A part of a view. `question` is what the API calls it, method and path; `show` answers the address."""

    id: str
    title: str
    question: str
    show: Callable[[Asked], Component]


def place(part: Part, *before: Component) -> Component:
    """Where a part stands, before it is answered; `before` stands between its heading and it."""
    named = f"{part.id}-heading"
    heading = html.H2(part.title, id=named)
    inside = [heading, *before, html.Div(loading(), id=part.id)]
    return html.Section(inside, className="part", **aria(labelledby=named))


def answer(dash: Dash, parts: Sequence[Part], *again: Input) -> None:
    """Give the callbacks of parts to the page: they are asked when they appear, and when the address changes.

    `again` is what else makes them be asked again.
    """
    for part in parts:
        _answer_one(dash, part, again)


def _answer_one(dash: Dash, part: Part, again: Sequence[Input]) -> None:
    @dash.callback(Output(part.id, "children"), Input(part.id, "id"), Input(WHERE, "search"), *again)
    def show(_id: str, search: str | None, *_again: Any) -> Component:
        return shown(part, search)


def shown(part: Part, search: str | None) -> Component:
    """A part as its caller may see it: its content, or why there is none."""
    try:
        check(asking.caller(), part.question)
        return part.show(asked_by(search))
    except OverOrganizations:
        return kept_back(asking.caller().organizations or ())
    except NothingPublished:
        return empty("Nothing has been published yet.", "The first month appears here once it has been run.")
    except (Refused, NotThere, Denied) as error:
        return refused(error)


def kept_back(organizations: Iterable[str]) -> Component:
    """The sentence in place of a part that tells of all organizations, for who sees these."""
    seen = ", ".join(sorted(organizations)) or "none"
    return html.P(f"Not shown: this sums over all organizations, and you see {seen}.", className="kept-back")


def may(question: str) -> bool:
    """Whether the caller may ask this of the API."""
    try:
        check(asking.caller(), question)
    except Denied:
        return False
    return True


def sight() -> AbstractContextManager[Connection]:
    """A transaction as the API has for what tells of no organization's nodes, or of all: see `app.api.sight`.

    Only for parts, whose question has been checked.
    """
    return seen_by(asking.request().app.state.engine, None)


def asked_by(search: str | None) -> dict[str, str]:
    """What an address asks; raises `BadParameter` for what no text of the database can be.

    >>> asked_by("?level=customer&lead=1")
    {'level': 'customer', 'lead': '1'}
    """
    asked = dict(parse_qsl((search or "").removeprefix("?")))
    for name, value in asked.items():
        if "\x00" in name + value:
            raise BadParameter(f"{name}: there is a NUL in it", "leave it out", field=name)
    return asked


def address(path: str, asked: Asked, **changed: str | None) -> str:
    """The address of a view that asks the same but for what is changed; None leaves it out.

    >>> address("/accuracy", {"level": "total", "lead": "2"}, lead=None, months="6")
    '/accuracy?level=total&months=6'
    """
    values = {name: value for name, value in (dict(asked) | changed).items() if value is not None}
    return f"{path}?{urlencode(values, safe=',')}" if values else path


def checked[Q: BaseModel](
    query: type[Q], asked: Mapping[str, object], remedy: str = "change the address"
) -> Q:
    """What the API would read from these parameters; raises `BadParameter` for the first that is wrong."""
    try:
        return query.model_validate(dict(asked))
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise BadParameter(
            f"{field}: {first['msg'].removeprefix('Value error, ')}", remedy, field=field
        ) from None
