"""The page in the application: one Dash on our FastAPI, under `/`, its views listed in `views`."""

from dash import Dash, Input, Output
from dash.development.base_component import Component
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.access.callers import Callers
from app.access.sessions import Sessions
from app.ui import asking
from app.ui.backend import PageBackend, on_behalf_of
from app.ui.policy import page_policy
from app.ui.shell import PLACE, index_template, layout, with_shell
from app.ui.sign_in import serve_sign_in
from app.ui.states import empty
from app.ui.static_files import ASSETS, serve_static_files
from app.ui.view import WHERE
from app.ui.views import VIEWS


def add_page(app: FastAPI, callers: Callers, sessions: Sessions) -> None:
    """Add the page's routes to the application; who may ask which is in `app.access.rules`."""
    dash = _dash(app)
    serve_sign_in(app, callers, sessions)
    serve_static_files(app, dash)
    headers = page_policy(dash.csp_hashes())

    async def show(request: Request) -> Response:
        with on_behalf_of(request):
            document = with_shell(dash.index(), request.url.path, asking.caller())
        return HTMLResponse(document, headers=headers)

    for view in VIEWS:
        app.add_route(view.path, show, ["GET"], include_in_schema=False)


def _dash(app: FastAPI) -> Dash:
    dash = Dash(
        __name__,
        backend=PageBackend,
        server=False,
        assets_folder=str(ASSETS),
        assets_ignore=r"^(theme\.js|icon\.svg)$",  # in the document's head
        index_string=index_template(),
        title="Tonnage",
        update_title="",
        suppress_callback_exceptions=True,  # views come and go
        add_log_handler=False,
        pages_folder="",
    )
    dash.init_app(app)
    dash.layout = layout()
    _show_views(dash)
    for view in VIEWS:
        view.answer(dash)
    # Dash would do this at the first request: gather what was declared, and which files it serves.
    dash._setup_server()
    return dash


def _show_views(dash: Dash) -> None:
    layouts = {view.path: view.layout for view in VIEWS}

    @dash.callback(Output(PLACE, "children"), Input(WHERE, "pathname"))
    def show(path: str) -> Component:
        shown = layouts.get(path)
        return empty("There is no such view.", "Choose one above.") if shown is None else shown()
