"""The page: one Dash on our FastAPI; its views are listed in `views`, its routes in `door`."""

import sys
from pathlib import Path

from dash import ClientsideFunction, Dash, Input, Output
from dash.development.base_component import Component
from dash.fingerprint import check_fingerprint
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.ui import asking
from app.ui.answer import Answer
from app.ui.backend import PageBackend, on_behalf_of
from app.ui.policy import page_policy
from app.ui.shell import PATH, PLACE, index_template, layout, view_at, with_shell
from app.ui.static_files import ASSETS, file_answer
from app.ui.view import WHERE
from app.ui.views import VIEWS


def answers_of(app: FastAPI) -> dict[str, Answer]:
    """What answers the page's routes, by their paths."""
    answers: dict[str, Answer] = {}
    dash = _dash(app, answers)
    headers = page_policy(dash.csp_hashes())

    async def show(request: Request) -> Response:
        with on_behalf_of(request):
            document = with_shell(dash.index(), request.url.path, asking.caller())
        return HTMLResponse(document, headers=headers)

    async def bundle(request: Request) -> Response:
        package = request.path_params["package"]
        path, fingerprinted = check_fingerprint(request.path_params["path"])
        if path not in dash.registered_paths.get(package, ()) or path.endswith(".map"):
            raise HTTPException(404)
        file = sys.modules[package].__file__
        assert file is not None  # a package of components
        return await file_answer(request, Path(file).parent / path, for_good=fingerprinted)

    answers["/_dash-component-suites/{package}/{path:path}"] = bundle
    return answers | dict.fromkeys((view.path for view in VIEWS), show)


def _dash(app: FastAPI, answers: dict[str, Answer]) -> Dash:
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
    assert isinstance(dash.backend, PageBackend)  # as was asked
    dash.backend.answers = answers
    dash.init_app(app)
    dash.layout = layout
    _show_views(dash)
    for view in VIEWS:
        view.answer(dash)
    # Dash would do this at the first request: gather what was declared, and which files it serves.
    dash._setup_server()
    return dash


def _show_views(dash: Dash) -> None:
    """Change the view with the path; the first one came with the layout."""
    dash.clientside_callback(
        ClientsideFunction("page", "path"), Output(PATH, "data"), Input(WHERE, "pathname")
    )

    @dash.callback(Output(PLACE, "children"), Input(PATH, "data"), prevent_initial_call=True)
    def show(path: str) -> Component:
        return view_at(path)
