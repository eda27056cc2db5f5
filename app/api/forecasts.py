"""`/v1/forecasts`: the numbers, as JSON by page or as a file in one stream."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.api import schemas
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
from app.api.formats import choose_format
from app.api.json_answer import JsonAnswer
from app.api.parameters import ATTRIBUTES, ForecastsQuery
from app.api.problems import declared
from app.export.files import ForecastFile, forecast_file
from app.export.form import MEDIA_TYPES, Kind, form_of
from app.store.selection import select_from

router = APIRouter(tags=["forecasts"])

JSON = "application/json"
_KINDS: dict[str, Kind] = {media_type: kind for kind, media_type in MEDIA_TYPES.items()}
_BINARY = {"schema": {"type": "string", "format": "binary"}}

_CSV_EXAMPLE = (
    "run,origin,level,organization,customer,material,month,unit,mean,p10,p50,p90\n"
    "2026-10-3f9c1a2b4d5e,2026-10,customer,,K-104,,2026-11,t,41.2,30.5,40.8,53.0\n"
)


@router.get(
    "/v1/forecasts",
    summary="Forecasts of the nodes of one level",
    response_model=schemas.Forecasts,
    responses={
        200: {
            "description": "As JSON one page; as a file every node, or one page if `limit` is given, "
            "with the next in the Link header.",
            "content": {
                MEDIA_TYPES["csv"]: {"schema": {"type": "string"}, "example": _CSV_EXAMPLE},
                MEDIA_TYPES["parquet"]: _BINARY,
                MEDIA_TYPES["xlsx"]: _BINARY,
            },
        },
        304: {"description": "The answer named by If-None-Match is still the answer."},
        **declared(404, 406, 422, 503),
    },
    openapi_extra=ATTRIBUTES,
)
def get_forecasts(
    reader: Reading, caller: Asker, asked: Annotated[ForecastsQuery, Query()], request: Request
) -> Response:
    """Mean and quantiles by month, all of one run."""
    kind = _kind(request, asked)
    form = form_of(kind, shape=asked.shape, sep=asked.sep, decimal=asked.decimal, bom=asked.bom)
    cursor = None if asked.cursor is None else Cursor.decode(asked.cursor)
    run = run_of(request, reader, asked, cursor)
    selection = select_from(
        run,
        level=asked.level,
        where=asked.where,
        first=asked.first,
        last=asked.last,
        probabilities=asked.probabilities,
        sort=asked.sort,
        search=asked.search,
    )
    question = question_of(request, [selection])
    after = start_of(cursor, question, [selection])
    headers = cache_headers(request, caller, run, JSON if form is None else form.media_type)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    if form is None:
        page = reader.forecasts(selection, asked.limit, after)
        following = next_cursor(run, question, page.after)
        return JsonAnswer(schemas.forecasts(selection, page.rows, following), headers=headers)
    if asked.limited:
        some, next_place = reader.node_page(selection, asked.limit, after)
        following = next_cursor(run, question, next_place)
        if following is not None:
            headers["Link"] = f'<{request.url.include_query_params(cursor=following)}>; rel="next"'
        file = forecast_file(reader, selection, form, page=some)
        # So little is made before it is sent: where something breaks, the answer is a problem.
        whole = b"".join(file.pieces)
        return Response(whole, headers=headers | _as_file(file), media_type=file.media_type)
    file = forecast_file(reader, selection, form, after=after)
    return StreamingResponse(file.pieces, headers=headers | _as_file(file), media_type=file.media_type)


def _as_file(file: ForecastFile) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{file.name}"'}


def _kind(request: Request, asked: ForecastsQuery) -> Kind | Literal["json"]:
    if asked.format is not None:
        return asked.format
    accepted = choose_format(request.headers.get("accept") or "*/*", [JSON, *_KINDS])
    return _KINDS.get(accepted, "json")
