"""`/v1/nodes`: what is forecast, found by level, filter or a part of a name, and around a node."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from app.api import node_schemas as shapes
from app.api.asking import (
    Asker,
    Reading,
    cache_headers,
    is_known,
    next_cursor,
    question_of,
    run_of,
    start_of,
)
from app.api.cursor import Cursor
from app.api.node_parameters import ChildrenQuery, NodesQuery
from app.api.parameters import ATTRIBUTES, RunQuery
from app.api.problems import declared
from app.store.node_id import NodeId
from app.store.nodes import children_of
from app.store.selection import PublishedRun, Selection, filters_of, select_from
from forecasting.hierarchy import TOTAL, level_name

router = APIRouter(tags=["nodes"])

JSON = "application/json"

NodeText = Annotated[
    str,
    Path(
        description="A node as `/v1/nodes` names it: NAME=VALUE for each key and attribute of its level, "
        "joined by commas, or `total`. In a value, `~2C` is a comma, `~2F` a slash and `~7E` a tilde.",
        examples=["customer=K-104", "organization=NORD,material=HEB~20200", "total"],
    ),
]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    304: {"description": "The answer named by If-None-Match is still the answer."},
    **declared(404, 422, 503),
}


@router.get(
    "/v1/nodes",
    summary="Nodes of one level, or those that a search finds",
    response_model=shapes.Nodes,
    responses=_ANSWERS,
    openapi_extra=ATTRIBUTES,
)
def get_nodes(
    reader: Reading, caller: Asker, asked: Annotated[NodesQuery, Query()], request: Request
) -> Response:
    """The nodes that a run forecasts."""
    cursor = None if asked.cursor is None else Cursor.decode(asked.cursor)
    run = run_of(request, reader, asked, cursor)
    selections = _selections(run, asked)
    question = question_of(request, selections)
    after = start_of(cursor, question, selections)
    headers = cache_headers(request, caller, run, JSON)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    page = reader.walk(selections, asked.limit, after)
    level = level_name(selections[0].level) if asked.search is None or asked.level is not None else None
    following = next_cursor(run, question, page.after)
    return JSONResponse(shapes.nodes(run, level, page.rows, following), headers=headers)


@router.get(
    "/v1/nodes/{node}",
    summary="One node",
    response_model=shapes.OneNode,
    responses=_ANSWERS,
)
def get_node(
    reader: Reading,
    caller: Asker,
    node: NodeText,
    asked: Annotated[RunQuery, Query()],
    request: Request,
) -> Response:
    """A node of a run, and by what it can be divided."""
    where = NodeId.parse(node)
    run = run_of(request, reader, asked)
    headers = cache_headers(request, caller, run, JSON)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    reader.find(run, where)
    return JSONResponse(shapes.one_node(run, where), headers=headers)


@router.get(
    "/v1/nodes/{node}/children",
    summary="The nodes below a node",
    response_model=shapes.Children,
    responses=_ANSWERS,
)
def get_children(
    reader: Reading,
    caller: Asker,
    node: NodeText,
    asked: Annotated[ChildrenQuery, Query()],
    request: Request,
) -> Response:
    """Those of the next finer levels: they name all that the node's does, and more, and none lies between."""
    where = NodeId.parse(node)
    cursor = None if asked.cursor is None else Cursor.decode(asked.cursor)
    run = run_of(request, reader, asked, cursor)
    selections = children_of(run, where, asked.by)
    question = question_of(request, selections)
    after = start_of(cursor, question, selections)
    headers = cache_headers(request, caller, run, JSON)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    reader.find(run, where)
    page = reader.walk(selections, asked.limit, after)
    following = next_cursor(run, question, page.after)
    return JSONResponse(shapes.children(run, where, page.rows, following), headers=headers)


@router.get(
    "/v1/nodes/{node}/path",
    summary="The nodes above a node, up to the total",
    response_model=shapes.Path,
    responses=_ANSWERS,
)
def get_path(
    reader: Reading,
    caller: Asker,
    node: NodeText,
    asked: Annotated[RunQuery, Query()],
    request: Request,
) -> Response:
    """Every node that it counts towards: those of the levels that name nothing which its level does not."""
    where = NodeId.parse(node)
    run = run_of(request, reader, asked)
    headers = cache_headers(request, caller, run, JSON)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    return JSONResponse(shapes.path(run, reader.path(run, where)), headers=headers)


def _selections(run: PublishedRun, asked: NodesQuery) -> list[Selection]:
    """The level that is asked for, or the levels that a search looks at, from the top down."""
    if asked.search is None or asked.level is not None:
        return [select_from(run, level=asked.level or TOTAL, where=asked.where, search=asked.search)]
    names = set(filters_of(run, asked.where))
    levels = [level for level in run.levels if names <= set(level)] or [()]
    return [
        select_from(run, level=level_name(level), where=asked.where, search=asked.search) for level in levels
    ]
