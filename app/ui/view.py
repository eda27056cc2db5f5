"""What a view of the page is."""

from collections.abc import Callable
from dataclasses import dataclass

from dash import Dash
from dash.development.base_component import Component

WHERE = "page-where"
"""The `dcc.Location` of the page: `pathname` is the view's, `search` its state."""


@dataclass(frozen=True)
class View:
    """A view: where it lies, what the navigation calls it, what it looks like before any question.

    `layout` reads nothing and is the same for everybody; what it shows comes through callbacks, which
    `answer` gives to the page. Ids of components begin with the name of the view.
    """

    path: str
    name: str
    layout: Callable[[], Component]
    answer: Callable[[Dash], None]
