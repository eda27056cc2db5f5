"""What stands around every view: the navigation, who is signed in, and the place for the view."""

from html import escape

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from app.access.caller import Caller
from app.ui import asking
from app.ui.states import empty
from app.ui.static_files import asset_url
from app.ui.view import WHERE
from app.ui.views import VIEWS

PATH = "page-path"
"""The path of the view that is to be shown next."""

PLACE = "page-view"
"""Where the view stands."""

# Mantine's components in the colours and sizes of page.css.
_THEME = {"fontFamily": "inherit", "fontFamilyMonospace": "var(--mono)", "defaultRadius": "sm"}
_SHELL = "<!--shell-->"
_MOON = (
    '<svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M13 10.2A5.6 5.6 0 0 1 5.8 3 5.6 5.6 0 1 0 13 10.2Z"/></svg>'
)


def index_template() -> str:
    """The document of every view; Dash fills in its scripts, `with_shell` the rest."""
    return f"""\
<!doctype html>
<html lang="en">
<head>
{{%metas%}}
<title>{{%title%}}</title>
<link rel="icon" href="{asset_url("icon.svg")}">
<script src="{asset_url("theme.js")}"></script>
{{%css%}}
</head>
<body>
<a class="skip" href="#main">Skip to the view</a>
{_SHELL}
<p id="away" role="status"></p>
<main id="main" tabindex="-1">{{%app_entry%}}</main>
{{%config%}}
{{%scripts%}}
{{%renderer%}}
</body>
</html>
"""


def with_shell(document: str, path: str, caller: Caller) -> str:
    """The document with its navigation, for this caller at this path."""
    links = "".join(
        f'<a href="{view.path}"{" aria-current=page" if view.path == path else ""}>{escape(view.name)}</a>'
        for view in VIEWS
    )
    name, role = escape(caller.name), caller.role.name.lower()
    seen = "" if caller.organizations is None else f" · {escape(', '.join(sorted(caller.organizations)))}"
    shell = f"""\
<header class="shell">
<a class="wordmark" href="/">Tonnage</a>
<nav aria-label="Views">{links}</nav>
<div class="me">
<span class="who" title="{name}: {role}{seen}">{name}</span>
<button type="button" id="theme" class="icon" aria-label="Dark">{_MOON}</button>
<form method="post" action="/sign-out"><button type="submit" class="quiet">Sign out</button></form>
</div>
</header>"""
    return document.replace(_SHELL, shell, 1)


def view_at(path: str | None) -> Component:
    """The view of a path, as it looks before any question."""
    for view in VIEWS:
        if view.path == path:
            return view.layout()
    return empty("There is no such view.", "Choose one above.")


def layout() -> Component:
    """The page with the view that it was opened with."""
    shown = view_at(asking.view_asked())
    inside = html.Div(
        [
            dcc.Location(id=WHERE, refresh=False),
            dcc.Store(id=PATH),
            html.Div(shown, id=PLACE, className="view"),
        ]
    )
    page: Component = dmc.MantineProvider(inside, theme=_THEME)
    return page
