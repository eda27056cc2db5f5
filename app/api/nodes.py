"""`/v1/nodes`: what is forecast."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from app.api import schemas
from app.api.asking import Reading, cache_headers, is_known, next_cursor, run_of, start_of
from app.api.cursor import Cursor
from app.api.parameters import ATTRIBUTES, NodesQuery
from app.api.problems import declared
from app.store.selection import select_from

router = APIRouter(tags=["nodes"])


@router.get(
    "/v1/nodes",
    summary="Nodes of one level",
    response_model=schemas.Nodes,
    responses={
        304: {"description": "The answer named by If-None-Match is still the answer."},
        **declared(404, 422, 503),
    },
    openapi_extra=ATTRIBUTES,
)
def get_nodes(reader: Reading, asked: Annotated[NodesQuery, Query()], request: Request) -> Response:
    """The nodes that the current run forecasts, or the run of the cursor."""
    cursor = None if asked.cursor is None else Cursor.decode(asked.cursor)
    run = run_of(request, reader, cursor)
    selection = select_from(run, level=asked.level, where=asked.where)
    after = start_of(selection, cursor)
    headers = cache_headers(request, run, "application/json")
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    page = reader.nodes(selection, asked.limit, after)
    following = next_cursor(selection, page.after)
    return JSONResponse(schemas.nodes(selection, page.rows, following), headers=headers)
